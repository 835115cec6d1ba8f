/**
 * Fuzz target: the header of the PROXY protocol, versions 1 and 2 (server/proxy-protocol.ts).
 *
 * Invariants:
 * - Octets are a whole header, the beginning of one, or none: never an exception.
 * - What is refused stays refused, and what is whole stays the same, whatever comes behind it; more octets never turn the
 *   beginning of one that was refused into a header.
 * - A line of version 1 has at most 107 octets with its CRLF (§2.1), a header of version 2 the length that it says (§2.2).
 * - An address is one that the platform reads, and its port 0 to 65535.
 */

import { isIP } from "node:net";
import { readProxyHeader } from "../../src/server/proxy-protocol.ts";
import { join, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const WORDS = [
  "PROXY ",
  "TCP4 ",
  "TCP6 ",
  "UNKNOWN",
  SIGNATURE,
  "\x21\x11\x00\x0c",
  "\x20\x00\x00\x00",
  "::1",
  "127.0.0.1",
  "\r\n",
];
const address = wordsOf("127.0.0.1 1.2.3.4 256.1.1.1 01.2.3.4 ::1 2001:db8::1 ::ffff:1.2.3.4 fe80::1%eth0 a");
const port = wordsOf("0 80 65535 65536 080 -1 8e1");
const line = join(
  "PROXY ",
  wordsOf("TCP4 TCP6 UNKNOWN TCP5"),
  " ",
  address,
  " ",
  address,
  " ",
  port,
  " ",
  port,
  "\r\n",
);
const octets = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => latin1(bytes));
const tlv = fc
  .tuple(fc.nat(255), fc.string({ maxLength: 6 }))
  .map(([type, value]) => `${String.fromCharCode(type)}\0${String.fromCharCode(value.length)}${value}`);
const binary = fc
  .tuple(
    fc.constantFrom(0x20, 0x21, 0x21, 0x21, 0x22, 0x11),
    fc.constantFrom(0x00, 0x11, 0x21, 0x12, 0x31, 0x41, 0x13),
    octets(36),
    fc.array(tlv, { maxLength: 2 }),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([command, family, addresses, tlvs, error]) => {
    const lengths = [0, 12, 36, 216];
    const body = addresses.repeat(6).slice(0, lengths[family >> 4] ?? 0) + tlvs.join("");
    const size = Math.max(0, body.length + (tlvs.length === 0 ? 0 : error));
    return `${SIGNATURE}${String.fromCharCode(command, family, size >> 8, size & 0xff)}${body}`;
  });

/** The target. */
export const proxyProtocolTarget: FuzzTarget = {
  name: "proxy-protocol",
  about: "octets are a PROXY header, the beginning of one or none, whatever comes behind them",
  arbitrary: orMutated(fc.oneof(line, binary), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY UNKNOWN\r\n",
      "PROXY TCP6 ::1 ::2 0 65535\r\nGET",
      `${SIGNATURE}\x20\0\0\0`,
      `${SIGNATURE}\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51`,
      "GET / HTTP/1.1\r\n",
    ),
  run(input) {
    const bytes = Buffer.from(input.subarray(0, 600));
    const whole = attempt(() => readProxyHeader(bytes)).value;
    if (whole === null) return;
    for (let end = 0; end < bytes.length; end++) {
      const part = readProxyHeader(bytes.subarray(0, end));
      if (part.kind !== "more") same(part, whole, "stays what it is, whatever comes behind");
    }
    if (whole.kind !== "whole") return;
    hold(bytes[0] === 0x0d || whole.length <= 107, "a line of version 1 has at most 107 octets");
    hold(whole.length <= bytes.length, "a header is no longer than what has come");
    if (bytes[0] === 0x0d)
      same(whole.length, 16 + bytes.readUInt16BE(14), "a header of version 2 is as long as it says");
    for (const end of whole.client === null ? [] : [whole.client.source, whole.client.destination]) {
      hold(end.port >= 0 && end.port <= 65_535, "a port is 0 to 65535");
      if (end.family !== "unix")
        hold(isIP(end.address) !== 0 && !end.address.includes("%"), "an address is one", () => end.address);
    }
  },
};
