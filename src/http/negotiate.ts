/**
 * Proactive negotiation: what the Accept fields prefer, and which of the offered they select (RFC 9110 §12.4, §12.5).
 *
 * Lists are read in linear time and bounded; a member that is malformed counts as absent, since a preference that is not
 * understood is no reason to refuse a request (§12.5.1: a server may disregard the field). Quality is 0 to 1, and 0 means
 * "not acceptable". This file must never decide what is offered.
 */

import { type MediaType, parseMediaType } from "./media-type.ts";
import { type Parameter, ValueReader } from "./value-reader.ts";

/** A member of Accept (RFC 9110 §12.5.1). Type and subtype are in lower case or `*`. */
export interface MediaRange extends MediaType {
  readonly quality: number;
}

/** A member of Accept-Encoding, Accept-Language or Accept-Charset. */
export interface WeightedToken {
  /** In lower case; `*` for all that are not listed. */
  readonly token: string;
  readonly quality: number;
}

/** How well a range fits a media type: the more specific takes precedence (RFC 9110 §12.5.1). */
const NO_MATCH = -1;
const ANY = 0;
const ANY_SUBTYPE = 1;
/** Plus one for each parameter of the range. */
const EXACT = 2;

/** Members beyond these are ignored; browsers send at most ten. */
const MAX_MEMBERS = 100;
const SLASH = 0x2f;
/** RFC 9110 §12.4.2 */
const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** Reads an Accept field. Malformed members are left out. */
export function parseAccept(text: string): MediaRange[] {
  return parseMembers(text, (reader) => {
    const type = reader.token().toLowerCase();
    const subtype = reader.skip(SLASH) ? reader.token().toLowerCase() : "";
    const isRange = type !== "" && subtype !== "" && (type !== "*" || subtype === "*");
    const parameters = reader.parameters();
    const quality = parameters === null ? null : qualityIn(parameters);
    if (!isRange || parameters === null || quality === null) return null;
    return { type, subtype, parameters: parameters.filter(([name]) => name !== "q"), quality };
  });
}

/** Reads a list of tokens with weights: Accept-Encoding, Accept-Language, Accept-Charset. Malformed members are left out. */
export function parseWeightedTokens(text: string): WeightedToken[] {
  return parseMembers(text, (reader) => {
    const token = reader.token().toLowerCase();
    const parameters = reader.parameters();
    const quality = parameters === null ? null : qualityIn(parameters);
    return token === "" || quality === null ? null : { token, quality };
  });
}

/** RFC 9110 §5.6.1: members are separated by commas, empty ones are passed over. */
function parseMembers<Member>(text: string, parseMember: (reader: ValueReader) => Member | null): Member[] {
  const reader = new ValueReader(text);
  const members: Member[] = [];
  while (members.length < MAX_MEMBERS && !reader.isAtEnd) {
    reader.skipWhiteSpace();
    const member = parseMember(reader);
    if (member !== null && reader.isAtMemberEnd) members.push(member);
    reader.skipPastComma();
  }
  return members;
}

/** The weight, 1 if none is given, null if it is malformed. Any parameter named q is the weight (RFC 9110 §12.5.1). */
function qualityIn(parameters: readonly Parameter[]): number | null {
  const weight = parameters.find(([name]) => name === "q");
  if (weight === undefined) return 1;
  return QVALUE.test(weight[1]) ? Number(weight[1]) : null;
}

/**
 * The quality of a media type: that of the most specific range that matches it, 0 if none does (RFC 9110 §12.5.1).
 * Of equally specific ones the highest counts.
 */
export function mediaTypeQuality(ranges: readonly MediaRange[], mediaType: MediaType): number {
  let best = NO_MATCH;
  let quality = 0;
  for (const range of ranges) {
    const precedence = precedenceOf(range, mediaType);
    if (precedence > best || (precedence === best && best !== NO_MATCH && range.quality > quality)) {
      best = precedence;
      quality = range.quality;
    }
  }
  return quality;
}

function precedenceOf(range: MediaRange, mediaType: MediaType): number {
  const isMatch =
    (range.type === "*" || range.type === mediaType.type) &&
    (range.subtype === "*" || range.subtype === mediaType.subtype) &&
    range.parameters.every((wanted) => mediaType.parameters.some((given) => isSame(wanted, given)));
  if (!isMatch) return NO_MATCH;
  if (range.type === "*") return ANY;
  return range.subtype === "*" ? ANY_SUBTYPE : EXACT + range.parameters.length;
}

/** Whether values are case-sensitive depends on the parameter; of those that are negotiated (charset, version, level) none is. */
function isSame([name, value]: Parameter, [otherName, otherValue]: Parameter): boolean {
  return name === otherName && value.toLowerCase() === otherValue.toLowerCase();
}

/**
 * Selects the offered media type of the highest quality; of equal ones the first.
 *
 * @param accept the Accept field; null if there was none. Without it, or without a member in it, all are acceptable alike.
 * @param offered media types in the server's order of preference
 * @returns one of `offered`, or null if none is acceptable
 */
export function selectMediaType(accept: string | null, offered: readonly string[]): string | null {
  const ranges = accept === null ? [] : parseAccept(accept);
  if (ranges.length === 0) return offered[0] ?? null;
  let selected: string | null = null;
  let highest = 0;
  for (const text of offered) {
    const mediaType = parseMediaType(text);
    if (mediaType === null) throw new TypeError(`no media type is offered: ${JSON.stringify(text)}`);
    const quality = mediaTypeQuality(ranges, mediaType);
    if (quality > highest) {
      highest = quality;
      selected = text;
    }
  }
  return selected;
}

/** The quality of `token` (lower case): its own, else that of `*`, else null: not mentioned. */
export function tokenQuality(members: readonly WeightedToken[], token: string): number | null {
  let ofAny: number | null = null;
  for (const member of members) {
    if (member.token === token) return member.quality;
    if (member.token === "*" && ofAny === null) ofAny = member.quality;
  }
  return ofAny;
}

/** RFC 9110 §8.4.1.1, §8.4.1.3: these are to be considered equivalent. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["x-gzip", "gzip"],
  ["x-compress", "compress"],
]);

/**
 * Selects a content coding (RFC 9110 §12.5.3): the offered one of the highest quality, of equal ones the first, unless
 * `identity` is explicitly preferred to it.
 *
 * @param acceptEncoding the field; null if there was none. Any coding would do then, and we send none, because clients that
 *   do not ask are often those that cannot decode.
 * @param offered codings in the server's order of preference, in lower case, without `identity`
 * @returns one of `offered`, `identity`, or null if not even that is acceptable
 */
export function selectEncoding(acceptEncoding: string | null, offered: readonly string[]): string | null {
  if (acceptEncoding === null) return "identity";
  const members = parseWeightedTokens(acceptEncoding).map(({ token, quality }) => ({
    token: ALIASES.get(token) ?? token,
    quality,
  }));
  let selected: string | null = null;
  let highest = 0;
  for (const coding of offered) {
    const quality = tokenQuality(members, coding) ?? 0;
    if (quality > highest) {
      highest = quality;
      selected = coding;
    }
  }
  const ofIdentity = members.find((member) => member.token === "identity")?.quality;
  if (selected !== null && (ofIdentity ?? 0) <= highest) return selected;
  // RFC 9110 §12.5.3: no coding at all is acceptable unless excluded by identity;q=0, or by *;q=0 without identity
  return (ofIdentity ?? tokenQuality(members, "identity")) === 0 ? null : "identity";
}
