/**
 * The PROXY protocol, versions 1 and 2, read from the first octets of a connection: who the client of a proxy is.
 *
 * Pure: octets in, one of three outcomes out, the same however the octets were split. Follows HAProxy's "The PROXY protocol,
 * Versions 1 & 2" (sections 2.1 and 2.2). It must never guess: what is not exactly a header is refused, because a header that
 * two programs read differently gives a client the address of another (address spoofing).
 */

import { isIPv4, isIPv6, SocketAddress as NodeAddress } from "node:net";
import type { SocketAddress } from "../http/exchange.ts";
import { socketAddress } from "./connection-info.ts";

/** What the first octets are. */
export type ProxyReading =
  /** A header; what comes behind it is the client's. */
  | { readonly kind: "whole"; readonly length: number; readonly client: ProxiedEnds | null }
  /** The beginning of one. */
  | { readonly kind: "more" }
  /** None, and none can become of it. */
  | { readonly kind: "refused"; readonly reason: string };

/** Both ends of the client's own connection, which ends at the proxy. */
export interface ProxiedEnds {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

/** Longest line of version 1 with its CRLF (§2.1). */
const MAX_LINE_BYTES = 107;
const V2_HEAD_BYTES = 16;
/** Longest header of version 2 taken in. A load balancer's runs to a few hundred octets, a client certificate to 2 KiB. */
const MAX_V2_BYTES = 16 * 1024;
/** §2.2: octets that no protocol begins with. */
const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V1_BEGIN = Buffer.from("PROXY ", "latin1");
const CR = 0x0d;
const LF = 0x0a;

/** Commands of version 2. */
const LOCAL = 0x20;
const PROXY = 0x21;

/** Address families, the high half of the octet. */
const UNSPEC = 0;
const INET = 1;
const INET6 = 2;
const UNIX = 3;

/** Octets of the addresses of a family. */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];
const UNIX_PATH_BYTES = 108;

const MORE: ProxyReading = Object.freeze({ kind: "more" });

function refused(reason: string): ProxyReading {
  return { kind: "refused", reason };
}

/**
 * Reads a header from the beginning of `bytes`.
 *
 * @param bytes all that has come of the connection so far
 */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  if (bytes.length === 0) return MORE;
  return bytes[0] === CR ? readVersion2(bytes) : readVersion1(bytes);
}

function hasPrefix(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function readVersion1(bytes: Buffer): ProxyReading {
  if (!hasPrefix(bytes, V1_BEGIN)) return refused("it begins with no PROXY header");
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf(LF);
  if (end === -1) return bytes.length < MAX_LINE_BYTES ? MORE : refused("the line is longer than 107 octets");
  if (bytes[end - 1] !== CR) return refused("the line does not end in CRLF");
  const client = readLine(bytes.toString("latin1", V1_BEGIN.length, end - 1));
  return typeof client === "string" ? refused(client) : { kind: "whole", length: end + 1, client };
}

/** What stands behind `PROXY `: two ends, null where the proxy does not say, or what is wrong with it. */
function readLine(text: string): ProxiedEnds | null | string {
  // §2.1: whatever follows UNKNOWN is to be ignored
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN ")) return null;
  const words = text.split(" ");
  const [family, source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  if (family !== "TCP4" && family !== "TCP6") return "the family is none of TCP4, TCP6 and UNKNOWN";
  if (words.length !== 5) return "the line has not two addresses and two ports";
  // A zone (fe80::1%eth0) means nothing on another machine
  const isAddress = family === "TCP4" ? isIPv4 : (word: string) => isIPv6(word) && !word.includes("%");
  if (!isAddress(source) || !isAddress(destination)) return `an address is none of ${family}`;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return "a port is no number from 0 to 65535";
  return {
    source: addressOf(source, Number(sourcePort), family === "TCP6"),
    destination: addressOf(destination, Number(destinationPort), family === "TCP6"),
  };
}

function isPort(word: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(word) && Number(word) <= 65_535;
}

/** In the form in which the system writes it, or one client would have two names in limits and logs. */
function addressOf(address: string, port: number, isVersion6: boolean): SocketAddress {
  if (!isVersion6) return socketAddress(address, port, "IPv4");
  return socketAddress(new NodeAddress({ address, family: "ipv6" }).address, port, "IPv6");
}

function readVersion2(bytes: Buffer): ProxyReading {
  if (!hasPrefix(bytes, SIGNATURE)) return refused("it begins with no PROXY header");
  if (bytes.length < V2_HEAD_BYTES) return bytes.length > SIGNATURE.length ? checkCommand(bytes) : MORE;
  const command = checkCommand(bytes);
  if (command.kind === "refused") return command;
  const length = V2_HEAD_BYTES + bytes.readUInt16BE(14);
  if (length > MAX_V2_BYTES) return refused("the header is too long");
  const family = (bytes[13] as number) >> 4;
  const addressBytes = bytes[12] === LOCAL ? 0 : (ADDRESS_BYTES[family] as number);
  if (length < V2_HEAD_BYTES + addressBytes) return refused("the header is too short for its addresses");
  if (bytes.length < length) return MORE;
  // §2.2: of LOCAL, and of a family that is not specified, all that follows is to be skipped
  if (bytes[12] === LOCAL || family === UNSPEC) return { kind: "whole", length, client: null };
  if (!areWholeTlvs(bytes, V2_HEAD_BYTES + addressBytes, length)) return refused("its TLVs do not fit into the header");
  return { kind: "whole", length, client: readAddresses(bytes, family) };
}

/** Version, command, family and transport (§2.2), as far as they have come. All other values "must be rejected". */
function checkCommand(bytes: Buffer): ProxyReading {
  const command = bytes[12];
  if (command !== LOCAL && command !== PROXY) return refused("version or command is unknown");
  const family = bytes[13];
  if (family === undefined || command === LOCAL) return MORE;
  const isKnown = family >> 4 <= UNIX && (family & 0x0f) <= 2;
  return isKnown ? MORE : refused("the address family is unknown");
}

/** Type, length of two octets, value: one after the other up to the very end (§2.2.1). */
function areWholeTlvs(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 3) return false;
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  return at === end;
}

function readAddresses(bytes: Buffer, family: number): ProxiedEnds {
  const at = V2_HEAD_BYTES;
  if (family === INET) {
    const ports = at + 8;
    return {
      source: socketAddress(bytes.subarray(at, at + 4).join("."), bytes.readUInt16BE(ports), "IPv4"),
      destination: socketAddress(bytes.subarray(at + 4, ports).join("."), bytes.readUInt16BE(ports + 2), "IPv4"),
    };
  }
  if (family === INET6) {
    const ports = at + 32;
    return {
      source: addressOf(groupsOf(bytes, at), bytes.readUInt16BE(ports), true),
      destination: addressOf(groupsOf(bytes, at + 16), bytes.readUInt16BE(ports + 2), true),
    };
  }
  return { source: pathOf(bytes, at), destination: pathOf(bytes, at + UNIX_PATH_BYTES) };
}

function groupsOf(bytes: Buffer, at: number): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index).toString(16)).join(":");
}

function pathOf(bytes: Buffer, at: number): SocketAddress {
  const field = bytes.subarray(at, at + UNIX_PATH_BYTES);
  const end = field.indexOf(0);
  const address = field.toString("utf8", 0, end === -1 ? UNIX_PATH_BYTES : end);
  return Object.freeze({ address, port: 0, family: "unix" });
}
