/**
 * Cache-Control of answers (RFC 9111 §5.2.2): a person's words -> a setting -> the field's value for one file name.
 *
 * 1. parseCacheSetting: `auto`, `off`, `0`, `600`, `10m`, `1 day`
 * 2. cacheControlFor: setting and file name -> value
 * 3. isHashedName: whether a name holds a hash of the content, as bundlers write it (RFC 8246)
 *
 * All are functions of text alone and cost more than a look-up: ask once per file version. It must never say `public`, which
 * would let shared caches keep answers to requests with Authorization (RFC 9111 §3.5).
 */

/**
 * How long answers may be reused. `"auto"`: names with a hash for ever, everything else only after asking; `"off"`: nothing is
 * stored; a number: whole seconds, 0 for always ask.
 */
export type CacheSetting = "auto" | "off" | number;

/** RFC 9111 §1.2.2: caches take this for infinity (over 68 years). */
const MAX_DELTA_SECONDS = 2_147_483_648;

/** A year: long enough to be for ever, and what most caches keep at most. */
const HASHED = "max-age=31536000, immutable";
/** RFC 9111 §5.2.2.4: may be stored, must be validated before each reuse; with an entity tag that is a small 304. */
const REVALIDATE = "no-cache";
/** RFC 9111 §5.2.2.5 */
const STORE_NOTHING = "no-store";

const SECONDS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["s", 1],
  ["sec", 1],
  ["second", 1],
  ["m", 60],
  ["min", 60],
  ["minute", 60],
  ["h", 3600],
  ["hour", 3600],
  ["d", 86_400],
  ["day", 86_400],
  ["w", 604_800],
  ["week", 604_800],
  ["y", 31_536_000],
  ["year", 31_536_000],
]);

const DURATION = /^(\d+) ?([a-z]*)$/;

/**
 * Reads what a person wrote for "how long": `auto`, `off`, or a number with a unit of `s`, `m`, `h`, `d`, `w`, `y` or its
 * word (`10m`, `10 minutes`, `1 year`); without a unit, seconds. Case and surrounding blanks do not matter.
 *
 * @returns null if it is none of these. Seconds are at most 2^31.
 */
export function parseCacheSetting(words: string): CacheSetting | null {
  const text = words.trim().toLowerCase();
  if (text === "auto" || text === "off") return text;
  const match = DURATION.exec(text);
  if (match === null) return null;
  const [, digits = "", unit = ""] = match;
  const unitSeconds = SECONDS.get(unit) ?? secondsOfPlural(unit);
  return unitSeconds === null ? null : Math.min(Number(digits) * unitSeconds, MAX_DELTA_SECONDS);
}

/** `minutes` is as good as `minute`; `ms` is no plural of `m`. */
function secondsOfPlural(unit: string): number | null {
  if (unit.length < 4 || !unit.endsWith("s")) return null;
  return SECONDS.get(unit.slice(0, -1)) ?? null;
}

/**
 * The value of Cache-Control for a file.
 *
 * @param fileName of the file that is sent, not of the path asked for: a page that stands in for a missing `app.3f2a9c1b.js`
 *   must not be kept in its place. Folders before it and a coding's `.br` or `.gz` behind it are the caller's to take off.
 */
export function cacheControlFor(setting: CacheSetting, fileName: string): string {
  if (setting === "off") return STORE_NOTHING;
  if (setting === "auto") return isHashedName(fileName) ? HASHED : REVALIDATE;
  return setting === 0 ? REVALIDATE : `max-age=${setting}`;
}

/**
 * What bundlers put a hash on. A page is never among it, because its name is what people type; nor are documents, archives
 * and recordings, which get serial numbers of all kinds.
 */
const ASSET = /\.(?:js|mjs|cjs|css|wasm|woff2?|ttf|otf|eot|svg|png|jpe?g|gif|webp|avif|ico)$/i;
/** A source map is named after its script. */
const SOURCE_MAP = /\.map$/i;
/** What comes between the hash and the extension: `main.3f2a9c1b.chunk.js`. */
const STAGE = /\.(?:min|chunk|bundle|module|async)$/;

/** 8 to 128 hex digits of one case behind a delimiter: webpack, Parcel, Next.js, Rails, Django, Hugo. */
const HEX_HASH = /[.\-_]([0-9a-f]{8,128}|[0-9A-F]{8,128})$/;
/** 8 of base 64 (Vite, Rollup, Astro) or base 32 (esbuild, Angular, Bun) behind a delimiter. */
const SHORT_HASH = /[.\-_]([0-9A-Za-z_-]{8})$/;
/** Content-addressed: a name that is nothing but hex, of the length of MD5 or more. */
const WHOLE_HEX = /^[0-9a-f]{32,128}$/;

/** `20240115a1`, `2024Q1v2`: what starts with a year is a date or an edition. */
const YEAR = /^(?:19|20)\d\d/;
/** `64x64x2x`: a size. */
const DIMENSIONS = /\d+x\d+/i;
/** `9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d`: names a thing, not its content, and the thing may change. */
const UUID_END = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const BASE_32 = /^[A-Z2-7]{8}$/;

/**
 * Whether a file name holds a hash of the content, so that the name changes when the content does and a copy may be kept for
 * ever (RFC 8246 §2). In doubt no: a hash not seen costs a 304, a hash seen where none is hides a change for a year.
 *
 * @param fileName last segment of the path, decoded
 */
export function isHashedName(fileName: string): boolean {
  const name = fileName.replace(SOURCE_MAP, "");
  if (!ASSET.test(name)) return false;
  let stem = name.slice(0, name.lastIndexOf("."));
  while (STAGE.test(stem)) stem = stem.slice(0, stem.lastIndexOf("."));
  if (UUID_END.test(stem)) return false;
  const hex = HEX_HASH.exec(stem)?.[1] ?? WHOLE_HEX.exec(stem)?.[0];
  if (hex !== undefined) return isHexHash(hex);
  const short = SHORT_HASH.exec(stem)?.[1];
  return short !== undefined && isShortHash(short);
}

/** Digits alone are a date or a serial number, letters alone (`deadbeef`) a word. */
function isHexHash(text: string): boolean {
  return /\d/.test(text) && /[a-f]/i.test(text) && !YEAR.test(text);
}

/** Whether eight characters look drawn at random: words and versions change seldom between capitals, small letters and digits. */
function isShortHash(text: string): boolean {
  if (YEAR.test(text) || DIMENSIONS.test(text)) return false;
  const alphanumerics = text.replace(/[_-]/g, "");
  // Two or more delimiters are more likely between words than in a hash
  if (alphanumerics.length < text.length - 1) return false;
  // Base 32 has no small letters, so fewer changes to show
  return countChanges(alphanumerics) >= (BASE_32.test(text) ? 2 : 4);
}

/** How often a capital, a small letter and a digit follow another kind. */
function countChanges(text: string): number {
  let changes = 0;
  for (let at = 1; at < text.length; at++) {
    if (kindOf(text.charCodeAt(at)) !== kindOf(text.charCodeAt(at - 1))) changes++;
  }
  return changes;
}

const LOWER_CASE_BIT = 0x20;
const LETTERS = 0x40;

/** 0 for a digit, else its bits of letter and case. */
function kindOf(code: number): number {
  return code < LETTERS ? 0 : code & (LETTERS | LOWER_CASE_BIT);
}
