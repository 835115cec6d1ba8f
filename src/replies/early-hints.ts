/**
 * Early hints (RFC 8297): 103 with Link fields, so that a browser fetches what a page needs while the page is still made.
 *
 * Links are written by RFC 8288 §3. A client that speaks HTTP/1.0 is sent nothing; browsers follow hints only of navigations,
 * and most only over HTTP/2. It must never hint what the final response will not use: hints cost the client's bandwidth.
 */

import { findMistakes, mistakeIn, oneOf, type OptionRules, TEXT, throwMistakes } from "../server/option-rules.ts";
import type { Context } from "../web/context.ts";
import { isToken } from "../http/fields.ts";
import { encodeReference } from "./reference.ts";

/** Something that the page will need. */
export interface HintLink {
  /** Path or URL. */
  readonly href: string;
  /** Default `"preload"`. */
  readonly rel?: "preload" | "modulepreload" | "preconnect" | "dns-prefetch" | "prefetch" | undefined;
  /** What it is used as: `"style"`, `"script"`, `"font"`, `"image"`, `"fetch"`. A preload without it is fetched twice. */
  readonly as?: string | undefined;
  /** Media type: what a browser cannot use it does not fetch. */
  readonly type?: string | undefined;
  /** As in the page itself; fonts always need `"anonymous"`. */
  readonly crossorigin?: "anonymous" | "use-credentials" | undefined;
  readonly fetchpriority?: "high" | "low" | "auto" | undefined;
  readonly integrity?: string | undefined;
  readonly media?: string | undefined;
  readonly imagesrcset?: string | undefined;
  readonly imagesizes?: string | undefined;
  readonly referrerpolicy?: string | undefined;
}

const RULES: OptionRules<HintLink> = {
  href: { allowed: "a path or URL without white space", isAllowed: isReference },
  rel: oneOf("preload", "modulepreload", "preconnect", "dns-prefetch", "prefetch"),
  as: { allowed: "a word", isAllowed: (value) => typeof value === "string" && isToken(value) },
  type: TEXT,
  crossorigin: oneOf("anonymous", "use-credentials"),
  fetchpriority: oneOf("high", "low", "auto"),
  integrity: TEXT,
  media: TEXT,
  imagesrcset: TEXT,
  imagesizes: TEXT,
  referrerpolicy: TEXT,
};

/** RFC 8288 §3: in the order in which they are written. */
const PARAMETERS = [
  "as",
  "type",
  "crossorigin",
  "fetchpriority",
  "integrity",
  "media",
  "imagesrcset",
  "imagesizes",
  "referrerpolicy",
] as const;

/**
 * Sends 103 (Early Hints) now.
 *
 * @returns the value of Link, to be repeated in the final response (RFC 8297 §2): caches and clients that pass over 103 have
 *   it from there
 * @throws TypeError that tells every mistake in `links`; HandlerError ERR_RESPONSE_TWICE after the final response
 */
export function earlyHints(context: Pick<Context, "sendInformational">, links: readonly HintLink[]): string {
  const value = linkField(links);
  context.sendInformational(103, [["link", value]]);
  return value;
}

/** The value of a Link field (RFC 8288 §3). @throws TypeError that tells every mistake, and for no links at all */
export function linkField(links: readonly HintLink[]): string {
  if (links.length === 0) throw new TypeError("there is no link to hint");
  const mistakes = links.flatMap((link, index) =>
    findMistakes({ ...link, href: link.href ?? null }, RULES).map((mistake) => ({
      ...mistake,
      path: `links[${index}].${mistake.path}`,
    })),
  );
  for (const [index, link] of links.entries()) {
    for (const name of PARAMETERS) {
      if (!isQuotable(link[name] ?? ""))
        mistakes.push(mistakeIn(`links[${index}].${name}`, "must be visible US-ASCII and spaces"));
    }
    if ((link.rel ?? "preload") === "preload" && link.as === undefined)
      mistakes.push(mistakeIn(`links[${index}].as`, "a preload needs it"));
  }
  throwMistakes("earlyHints", mistakes);
  return links.map(renderLink).join(", ");
}

function renderLink(link: HintLink): string {
  let text = `<${encodeReference(link.href)}>; rel=${link.rel ?? "preload"}`;
  for (const name of PARAMETERS) {
    const value = link[name];
    if (value !== undefined)
      text += `; ${name}=${isToken(value) ? value : `"${value.replace(/["\\]/g, String.raw`\$&`)}"`}`;
  }
  return text;
}

/** What stays between `<` and `>`. */
function isReference(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !/[\s\p{Cc}\p{Cs}<>"\\]/u.test(value);
}

function isQuotable(value: unknown): boolean {
  return typeof value !== "string" || /^[\x20-\x7e]*$/.test(value);
}
