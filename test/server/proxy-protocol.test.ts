/** The PROXY protocol's two versions: what is a header, what is none, and that splits make no difference. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ProxyReading, readProxyHeader } from "../../src/server/proxy-protocol.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** A header of version 2. */
function version2(command: number, family: number, content: Buffer, length = content.length): Buffer {
  const head = Buffer.from(`${SIGNATURE}\0\0\0\0`, "latin1");
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(length, 14);
  return Buffer.concat([head, content]);
}

const V4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 9, 0xd4, 0x31, 0x01, 0xbb]);
const V6 = Buffer.from(`20010db8${"00".repeat(11)}07${"fe80"}${"00".repeat(13)}09d43101bb`, "hex");
const UNIX = Buffer.concat([Buffer.from("/run/a".padEnd(108, "\0")), Buffer.from("/run/b".padEnd(108, "\0"))]);
const AUTHORITY_TLV = Buffer.from([0x02, 0, 3, 0x61, 0x2e, 0x62]);

const HEADERS: ReadonlyArray<readonly [string, Buffer, string | null, number]> = [
  ["v1 TCP4", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 54321 443\r\n"), "192.0.2.7", 54_321],
  ["v1 TCP6", Buffer.from("PROXY TCP6 2001:db8::7 fe80::9 54321 443\r\n"), "2001:db8::7", 54_321],
  ["v1 TCP6 written out", Buffer.from("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 1 0\r\n"), "2001:db8::7", 1],
  ["v1 TCP6 of a mapped address", Buffer.from("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "192.0.2.7", 1],
  ["v1 UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), null, 0],
  ["v1 UNKNOWN with more", Buffer.from("PROXY UNKNOWN ffff::1 whatever 0 0\r\n"), null, 0],
  ["v1 of 107 octets", Buffer.from(`PROXY UNKNOWN ${"x".repeat(107 - 16)}\r\n`), null, 0],
  ["v2 IPv4", version2(0x21, 0x11, V4), "192.0.2.7", 54_321],
  ["v2 IPv4 of a datagram (HTTP/3 at the proxy)", version2(0x21, 0x12, V4), "192.0.2.7", 54_321],
  ["v2 IPv6", version2(0x21, 0x21, V6), "2001:db8::7", 54_321],
  ["v2 unix", version2(0x21, 0x31, UNIX), "/run/a", 0],
  ["v2 IPv4 with TLVs", version2(0x21, 0x11, Buffer.concat([V4, AUTHORITY_TLV, AUTHORITY_TLV])), "192.0.2.7", 54_321],
  ["v2 UNSPEC", version2(0x21, 0x00, Buffer.alloc(5)), null, 0],
  ["v2 LOCAL", version2(0x20, 0x00, Buffer.alloc(0)), null, 0],
  ["v2 LOCAL with addresses", version2(0x20, 0x11, V4), null, 0],
  ["v2 LOCAL of an unknown family", version2(0x20, 0xf7, Buffer.alloc(9)), null, 0],
];

const REFUSED: ReadonlyArray<readonly [string, Buffer]> = [
  ["a request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a TLS handshake", Buffer.from([0x16, 3, 1, 2, 0])],
  ["lower case", Buffer.from("proxy TCP4 192.0.2.7 198.51.100.9 54321 443\r\n")],
  ["two spaces", Buffer.from("PROXY TCP4  192.0.2.7 198.51.100.9 54321 443\r\n")],
  ["a space at the end", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 54321 443 \r\n")],
  ["LF alone", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 54321 443\n")],
  ["a family without CRLF behind it", Buffer.from("PROXY UNKNOWNX\r\n")],
  ["an unknown family", Buffer.from("PROXY UDP4 192.0.2.7 198.51.100.9 54321 443\r\n")],
  ["IPv6 in TCP4", Buffer.from("PROXY TCP4 ::1 ::1 54321 443\r\n")],
  ["a zone", Buffer.from("PROXY TCP6 fe80::1%eth0 ::1 54321 443\r\n")],
  ["an octet above 255", Buffer.from("PROXY TCP4 256.0.2.7 198.51.100.9 54321 443\r\n")],
  ["a leading zero in an address", Buffer.from("PROXY TCP4 192.0.02.7 198.51.100.9 54321 443\r\n")],
  ["a port above 65535", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 65536 443\r\n")],
  ["a port with a leading zero", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 0443 443\r\n")],
  ["a missing port", Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.9 443\r\n")],
  ["a line of 108 octets", Buffer.from(`PROXY UNKNOWN ${"x".repeat(108 - 16)}\r\n`)],
  ["a line without end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(200)}`)],
  ["half a signature", Buffer.from("\r\n\r\nGET / HTTP/1.1\r\n")],
  ["version 3", version2(0x31, 0x11, V4)],
  ["an unknown command", version2(0x22, 0x11, V4)],
  ["an unknown family in v2", version2(0x21, 0x41, V4)],
  ["an unknown transport", version2(0x21, 0x13, V4)],
  ["addresses that are cut short", version2(0x21, 0x11, V4.subarray(0, 11))],
  ["a TLV that is cut short", version2(0x21, 0x11, Buffer.concat([V4, AUTHORITY_TLV.subarray(0, 5)]))],
  ["a TLV without length", version2(0x21, 0x11, Buffer.concat([V4, Buffer.from([2, 0])]))],
  ["more than is taken in", version2(0x21, 0x11, V4, 0xffff)],
];

/** What comes of octets that arrive in pieces: the first outcome that is not "more". */
function readInPieces(bytes: Buffer, ends: readonly number[]): ProxyReading {
  for (const end of [...new Set(ends)].toSorted((a, b) => a - b)) {
    const reading = readProxyHeader(bytes.subarray(0, end));
    if (reading.kind !== "more") return reading;
  }
  return readProxyHeader(bytes);
}

describe("a PROXY header", () => {
  it.each(HEADERS)("is read: %s", (_, bytes, address, port) => {
    const reading = readProxyHeader(Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1\r\n")]));
    if (reading.kind !== "whole") throw new Error(JSON.stringify(reading));
    expect(reading.length).toBe(bytes.length);
    expect(reading.client?.source.address ?? null).toBe(address);
    expect(reading.client?.source.port ?? 0).toBe(port);
  });

  it.each(HEADERS)("is waited for octet by octet: %s", (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      expect(readProxyHeader(bytes.subarray(0, length)).kind).toBe("more");
    }
  });

  it("tells the end that the client spoke to", () => {
    const reading = readProxyHeader(version2(0x21, 0x11, V4));
    expect(reading).toMatchObject({ client: { destination: { address: "198.51.100.9", port: 443, family: "IPv4" } } });
  });
});

describe("what is no PROXY header", () => {
  it.each(REFUSED)("is refused: %s", (_, bytes) => {
    expect(readProxyHeader(bytes)).toMatchObject({ kind: "refused" });
  });

  it.each(REFUSED)("is refused however it is split: %s", (_, bytes) => {
    const everyOctet = Array.from({ length: bytes.length }, (_unused, index) => index);
    expect(readInPieces(bytes, everyOctet).kind).toBe("refused");
  });
});

describe("any octets", () => {
  const beginnings = fc.constantFrom("", "PROXY ", "PROXY TCP4 ", SIGNATURE, `${SIGNATURE}\x21\x11\0`);
  const octets = fc
    .tuple(beginnings, fc.uint8Array({ maxLength: 300 }))
    .map(([text, rest]) => Buffer.concat([Buffer.from(text, "latin1"), rest]));

  it("come to the same whether they arrive at once or in pieces", () => {
    const known = fc.constantFrom(...HEADERS.map(([, bytes]) => bytes), ...REFUSED.map(([, bytes]) => bytes));
    const ends = fc.array(fc.nat(300), { maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(octets, known), ends, (bytes, places) => {
        const inside = places.filter((end) => end < bytes.length);
        const whole = readProxyHeader(bytes);
        const pieces = readInPieces(bytes, inside);
        expect(pieces.kind).toBe(whole.kind);
        if (whole.kind === "whole") expect(pieces).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never make it claim more than there is", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const reading = readProxyHeader(bytes);
        return reading.kind !== "whole" || reading.length <= bytes.length;
      }),
    );
  });
});
