/**
 * What proxies say of the client that they forward for: Forwarded (RFC 7239) and the X-Forwarded fields before it.
 *
 * Either reader gives hops, the nearest proxy's last: each says who made the request to the proxy that wrote it, and, of that
 * same step, the scheme and the authority. {@link findClient} walks them from the near end over proxies that are trusted.
 * Anybody may have written what lies behind the first one who is not, so it is never looked at. What is garbled, hidden or
 * unknown ends the walk: nobody is taken for somebody else (address spoofing). It must never decide whom to trust.
 */

import { trimWhiteSpace } from "./fields.ts";
import { isIpv4, isValidAuthority } from "./target.ts";
import { ValueReader } from "./value-reader.ts";

/** An address and port as a proxy wrote them: IPv4, or IPv6 without brackets in the form of RFC 5952 §4. */
export interface ForwardedNode {
  readonly address: string;
  /** 0 where none was said, or a name stands in its place (RFC 7239 §6.2). */
  readonly port: number;
}

/**
 * Somebody, but it cannot be said who: `unknown`, an obfuscated identifier (RFC 7239 §6.2, §6.3), or what follows no grammar.
 */
export const UNIDENTIFIED: ForwardedNode = Object.freeze({ address: "", port: 0 });

/** One step of the way, as the proxy at its end saw it. */
export interface ForwardingHop {
  /** Who made the request to that proxy; null where it does not say. */
  readonly node: ForwardedNode | null;
  /** `http` or `https`, `""` where it does not say. */
  readonly scheme: string;
  /** Valid `uri-host [ ":" port ]` of the request as it came to that proxy, `""` where it does not say. */
  readonly authority: string;
}

const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const MAX_PORT = 65_535;
/** RFC 7239 §6: `nodename [ ":" node-port ]`, a port being digits or an obfuscated one. */
const NODE = /^(\[[0-9a-f:.]+\]|[0-9.]+)(?::(?:(\d{1,5})|_[\w.-]+))?$/i;
/** Two colons at least. What stands before them holds none, so that there is one way to match and no time to be lost (ReDoS). */
const BARE_IPV6 = /^[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*$/i;

/** A line of which nothing can be believed: a quote that was left open on its left would hide what a proxy has added. */
const GARBLED: ForwardingHop = Object.freeze({ node: UNIDENTIFIED, scheme: "", authority: "" });

/**
 * Reads Forwarded (RFC 7239 §4).
 *
 * @param lines values of all its field lines, in order
 */
export function readForwarded(lines: readonly string[]): ForwardingHop[] {
  const hops: ForwardingHop[] = [];
  for (const line of lines) {
    const before = hops.length;
    if (readForwardedLine(line, hops)) continue;
    hops.length = before;
    hops.push(GARBLED);
  }
  return hops;
}

/** RFC 7239 §4: `Forwarded = 1#forwarded-element`. False: the line is none. */
function readForwardedLine(line: string, hops: ForwardingHop[]): boolean {
  const reader = new ValueReader(line);
  for (;;) {
    reader.skipWhiteSpace();
    // RFC 9110 §5.6.1: empty members of a list are passed over
    if (reader.isAtEnd) return true;
    if (reader.skip(COMMA)) continue;
    const hop = readElement(reader);
    if (hop === null || !reader.isAtMemberEnd) return false;
    hops.push(hop);
  }
}

/** `forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )`; null if it is none. */
function readElement(reader: ValueReader): ForwardingHop | null {
  let node: ForwardedNode | null = null;
  let scheme = "";
  let authority = "";
  const seen: string[] = [];
  for (;;) {
    const name = reader.token().toLowerCase();
    if (name !== "") {
      // RFC 7239 §4: each parameter MUST NOT occur more than once per element
      if (seen.includes(name) || !reader.skip(EQUALS)) return null;
      seen.push(name);
      const value = reader.quotedString() ?? reader.token();
      if (name === "for") node = readNode(value, false);
      else if (name === "proto") scheme = readScheme(value);
      else if (name === "host") authority = readAuthority(value);
    }
    reader.skipWhiteSpace();
    if (!reader.skip(SEMICOLON)) return { node, scheme, authority };
    reader.skipWhiteSpace();
  }
}

/**
 * Reads X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host as proxies write them: a list that each one appends to, or
 * one value that the first one has set.
 *
 * @param clients values of all lines of X-Forwarded-For, in order; those of the others likewise
 */
export function readXForwarded(
  clients: readonly string[],
  schemes: readonly string[],
  authorities: readonly string[],
): ForwardingHop[] {
  const nodes = listOf(clients);
  const schemeList = listOf(schemes);
  const authorityList = listOf(authorities);
  // A proxy that says only by which scheme it was asked still speaks of the step before it
  const count = nodes.length === 0 && schemeList.length + authorityList.length > 0 ? 1 : nodes.length;
  const hops: ForwardingHop[] = [];
  for (let fromEnd = count - 1; fromEnd >= 0; fromEnd--) {
    const node = nodes[nodes.length - 1 - fromEnd];
    hops.push({
      node: node === undefined ? null : readNode(node, true),
      scheme: readScheme(atStep(schemeList, fromEnd)),
      authority: readAuthority(atStep(authorityList, fromEnd)),
    });
  }
  return hops;
}

/** The value for the step `fromEnd` before the last: lists are aligned at the near end, the only one that is known. */
function atStep(list: readonly string[], fromEnd: number): string {
  return list[Math.max(0, list.length - 1 - fromEnd)] ?? "";
}

function listOf(lines: readonly string[]): string[] {
  const members: string[] = [];
  for (const line of lines) {
    for (const part of line.split(",")) {
      const member = trimWhiteSpace(part);
      if (member !== "") members.push(member);
    }
  }
  return members;
}

/** The client, and the step by which it asked. */
export interface ForwardedClient {
  /** Null: the nearest proxy does not say, so that nobody but itself can be named. */
  readonly node: ForwardedNode | null;
  readonly hop: ForwardingHop;
}

/**
 * The first from the near end who is not trusted, or the last there is. Scheme and authority are those of its step.
 *
 * @param hops written by a proxy that is trusted; not empty
 * @param isTrusted whether what the proxy with this address says is believed too
 */
export function findClient(hops: readonly ForwardingHop[], isTrusted: (address: string) => boolean): ForwardedClient {
  let i = hops.length - 1;
  let hop = hops[i] as ForwardingHop;
  let node = hop.node;
  while (i > 0 && hop.node !== null && hop.node !== UNIDENTIFIED && isTrusted(hop.node.address)) {
    hop = hops[--i] as ForwardingHop;
    // Where a proxy does not say by whom it was asked, it is the last that can be named
    node = hop.node ?? node;
  }
  return { node, hop };
}

/**
 * RFC 7239 §6.
 *
 * @param isBareAllowed IPv6 may stand without brackets, as X-Forwarded-For has it
 */
function readNode(text: string, isBareAllowed: boolean): ForwardedNode {
  if (isBareAllowed && BARE_IPV6.test(text)) return nodeOf(`[${text}]`, "0");
  const match = NODE.exec(text);
  return match === null ? UNIDENTIFIED : nodeOf(match[1] as string, match[2] ?? "0");
}

function nodeOf(host: string, portText: string): ForwardedNode {
  const port = Number(portText);
  if (port > MAX_PORT) return UNIDENTIFIED;
  if (!host.startsWith("[")) return isIpv4(host) ? { address: host, port } : UNIDENTIFIED;
  // The URL parser writes all spellings of an address alike, so that a client has one name in logs and limits
  if (!URL.canParse(`http://${host}`)) return UNIDENTIFIED;
  const address = new URL(`http://${host}`).hostname.slice(1, -1);
  return { address: mappedIpv4(address) ?? address, port };
}

/** IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2), which the URL parser writes as `::ffff:c000:201`. */
function mappedIpv4(address: string): string | null {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (match === null) return null;
  const high = Number.parseInt(match[1] as string, 16);
  const low = Number.parseInt(match[2] as string, 16);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** RFC 3986 §3.1: schemes are case-insensitive. Some proxies name that of a WebSocket, which is asked for over the same two. */
function readScheme(text: string): string {
  switch (text.toLowerCase()) {
    case "https":
    case "wss":
      return "https";
    case "http":
    case "ws":
      return "http";
    default:
      return "";
  }
}

function readAuthority(text: string): string {
  return isValidAuthority(text) ? text : "";
}
