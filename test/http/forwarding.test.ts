import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  findClient,
  type ForwardingHop,
  readForwarded,
  readXForwarded,
  UNIDENTIFIED,
} from "../../src/http/forwarding.ts";

const node = (address: string, port = 0): { address: string; port: number } => ({ address, port });
const hop = (from: ForwardingHop["node"], scheme = "", authority = ""): ForwardingHop => ({
  node: from,
  scheme,
  authority,
});
const GARBLED = [hop(UNIDENTIFIED)];
const isProxy = (address: string): boolean => address.startsWith("10.");

describe("Forwarded", () => {
  it.each<[string, string[], ForwardingHop[]]>([
    ["an IPv4 address", ["for=192.0.2.43"], [hop(node("192.0.2.43"))]],
    [
      "all that one element may say",
      ["for=192.0.2.60;proto=https;by=203.0.113.43;host=a.example"],
      [hop(node("192.0.2.60"), "https", "a.example")],
    ],
    ["a port, which needs quotes", ['for="192.0.2.43:47011"'], [hop(node("192.0.2.43", 47_011))]],
    ["IPv6 in brackets and quotes", ['for="[2001:db8:cafe::17]"'], [hop(node("2001:db8:cafe::17"))]],
    ["IPv6 with a port", ['FOR="[2001:DB8:0:0::17]:4711"'], [hop(node("2001:db8::17", 4711))]],
    ["IPv4 inside of IPv6", ['for="[::ffff:192.0.2.1]"'], [hop(node("192.0.2.1"))]],
    ["an obfuscated port", ['for="192.0.2.43:_x.y-z"'], [hop(node("192.0.2.43"))]],
    ["several elements", ["for=192.0.2.43, for=198.51.100.17"], [hop(node("192.0.2.43")), hop(node("198.51.100.17"))]],
    ["several lines", ["for=192.0.2.43", "for=198.51.100.17"], [hop(node("192.0.2.43")), hop(node("198.51.100.17"))]],
    ["empty members and pairs", [", ;for=192.0.2.43; ,"], [hop(node("192.0.2.43"))]],
    ["names and schemes in any case", ["For=192.0.2.1;Proto=HTTPS"], [hop(node("192.0.2.1"), "https")]],
    [
      "a host with a port in quotes",
      ['host="a.example:8443";for=192.0.2.1'],
      [hop(node("192.0.2.1"), "", "a.example:8443")],
    ],
    ["quoted pairs", [String.raw`for="192\.0\.2\.1"`], [hop(node("192.0.2.1"))]],
    ["an unknown client", ["for=unknown;proto=https"], [hop(UNIDENTIFIED, "https")]],
    ["an obfuscated client", ["for=_gazonk"], [hop(UNIDENTIFIED)]],
    ["nobody", ["proto=https"], [hop(null, "https")]],
    ["nothing", [""], []],
  ])("tells of %s", (_, lines, expected) => {
    expect(readForwarded(lines)).toEqual(expected);
  });

  it.each<[string, string]>([
    ["a quote that is left open", 'for="192.0.2.1'],
    ["a quote that swallows what a proxy has added", 'for="_a, for=192.0.2.1;host="a.example"'],
    ["a quoted pair without character", 'for="192.0.2.1\\'],
    ["a port without quotes", "for=192.0.2.1:80"],
    ["IPv6 without quotes", "for=[2001:db8::1]"],
    ["a parameter twice", "for=192.0.2.1;for=192.0.2.2"],
    ["a name without value", "for"],
    ["white space around the equals sign", "for = 192.0.2.1"],
    ["two elements without comma", "for=192.0.2.1 for=192.0.2.2"],
    ["text behind a quoted string", 'for="192.0.2.1"x'],
  ])("believes nothing of a line with %s", (_, line) => {
    expect(readForwarded([line])).toEqual(GARBLED);
    expect(readForwarded([`for=198.51.100.1, ${line}`])).toEqual(GARBLED);
  });

  it.each([
    "",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3",
    "[::1",
    "[1.2.3.4]",
    "2001:db8::1",
    "[fe80::1%eth0]",
    "localhost",
    "[:::1]",
    "1.2.3.4:65536",
    "1.2.3.4:",
    "1.2.3.4:-1",
    "[v1.x]",
  ])("takes %j for nobody", (text) => {
    expect(readForwarded([`for=${JSON.stringify(text)}`])).toEqual(GARBLED);
  });

  it("leaves out what is no scheme of HTTP and no authority", () => {
    expect(readForwarded(['for=192.0.2.1;proto=gopher;host="a b"'])).toEqual([hop(node("192.0.2.1"))]);
    expect(readForwarded(['for=192.0.2.1;host="user@a.example"'])).toEqual([hop(node("192.0.2.1"))]);
  });
});

describe("the X-Forwarded fields", () => {
  it.each<[string, string, ForwardingHop["node"]]>([
    ["IPv4", "192.0.2.1", node("192.0.2.1")],
    ["IPv4 with a port", "192.0.2.1:4711", node("192.0.2.1", 4711)],
    ["bare IPv6", "2001:db8::0001", node("2001:db8::1")],
    ["IPv6 in brackets", "[2001:db8::1]", node("2001:db8::1")],
    ["IPv6 with a port", "[2001:db8::1]:4711", node("2001:db8::1", 4711)],
    ["IPv4 inside of IPv6", "::ffff:192.0.2.1", node("192.0.2.1")],
    ["a word", "unknown", UNIDENTIFIED],
    ["garbage", '"><script>', UNIDENTIFIED],
    ["a zone", "fe80::1%eth0", UNIDENTIFIED],
    ["colons alone", ":::", UNIDENTIFIED],
  ])("tell of %s", (_, text, expected) => {
    expect(readXForwarded([text], [], [])).toEqual([hop(expected)]);
  });

  it("join several lines, and pass over empty members", () => {
    expect(readXForwarded(["192.0.2.1,", " , 192.0.2.2"], [], [])).toEqual([
      hop(node("192.0.2.1")),
      hop(node("192.0.2.2")),
    ]);
  });

  it.each<[string, string, string[]]>([
    ["one value for the whole way", "https", ["https", "https"]],
    ["a value per step", "https, http", ["https", "http"]],
    ["more values than steps: those of the near end", "https, http, http", ["http", "http"]],
    ["the scheme of a WebSocket", "wss", ["https", "https"]],
    ["none", "", ["", ""]],
    ["something else", "gopher", ["", ""]],
  ])("align the scheme with the steps: %s", (_, schemes, expected) => {
    const hops = readXForwarded(["192.0.2.1, 10.0.0.1"], [schemes], []);
    expect(hops.map(({ scheme }) => scheme)).toEqual(expected);
  });

  it("align the host with the steps", () => {
    const hops = readXForwarded(["192.0.2.1, 10.0.0.1"], [], ["a.example:8443, inner"]);
    expect(hops.map(({ authority }) => authority)).toEqual(["a.example:8443", "inner"]);
  });

  it("may tell of the scheme alone", () => {
    expect(readXForwarded([], ["https"], [])).toEqual([hop(null, "https")]);
    expect(readXForwarded([], [], [])).toEqual([]);
  });
});

describe("the client", () => {
  it.each<[string, string, string, string]>([
    [
      "is the nearest who is not trusted",
      "for=192.0.2.9, for=192.0.2.1;proto=https, for=10.0.0.1;proto=http",
      "192.0.2.1",
      "https",
    ],
    ["is the farthest where all are trusted", "for=10.0.0.3;proto=https, for=10.0.0.1", "10.0.0.3", "https"],
    ["is nobody where it is hidden", "for=192.0.2.9, for=_hidden;proto=https, for=10.0.0.1", "", "https"],
    ["is nobody where it is unknown", "for=10.0.0.9, for=unknown", "", ""],
    [
      "is the last that is named where a proxy names nobody",
      "for=192.0.2.9, proto=https, for=10.0.0.1",
      "10.0.0.1",
      "https",
    ],
  ])("%s", (_, line, address, scheme) => {
    const { node: client, hop: step } = findClient(readForwarded([line]), isProxy);
    expect([client?.address, step.scheme]).toEqual([address, scheme]);
  });

  it("is not named where the nearest proxy names nobody", () => {
    expect(findClient(readForwarded(["for=192.0.2.9, proto=https"]), isProxy).node).toBeNull();
  });

  it("is nobody where the nearest line is garbled, whatever the others say", () => {
    expect(findClient(readForwarded(["for=192.0.2.9", 'for="']), isProxy).node).toBe(UNIDENTIFIED);
  });
});

/** Field values as the wire lets them pass, with a liking for what means something here. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        "\\",
        ",",
        ";",
        "=",
        "for=",
        "for",
        "proto=https",
        "10.0.0.1",
        "127.0.0.1",
        "[::1]",
        " ",
        "\t",
        "_x",
        "unknown",
      ),
      fc.string({
        unit: fc
          .integer({ min: 0x20, max: 0xff })
          .filter((code) => code !== 0x7f)
          .map((code) => String.fromCharCode(code)),
        maxLength: 8,
      }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("what a client sends itself", () => {
  const clientAddress = fc.ipV4().filter((address) => !isProxy(address));

  it("never names another client in X-Forwarded-For that a proxy has added to", () => {
    fc.assert(
      fc.property(hostile, hostile, clientAddress, fc.boolean(), (sent, scheme, address, isOwnLine) => {
        const lines = isOwnLine ? [sent, address] : [`${sent}, ${address}`];
        const { node: client, hop: step } = findClient(readXForwarded(lines, [`${scheme}, https`], []), isProxy);
        expect(client?.address).toBe(address);
        expect(step.scheme).toBe("https");
      }),
      { numRuns: 2000 },
    );
  });

  it("never names another client in Forwarded that a proxy has added to; at worst none", () => {
    fc.assert(
      fc.property(hostile, clientAddress, fc.boolean(), fc.boolean(), (sent, address, isOwnLine, isQuoted) => {
        const added = isQuoted ? `for="${address}:80";host="a.example";proto=http` : `for=${address};proto=http`;
        const hops = readForwarded(isOwnLine ? [sent, added] : [`${sent}, ${added}`]);
        const { node: client, hop: step } = findClient(hops, isProxy);
        expect(isOwnLine ? [address] : [address, ""]).toContain(client?.address);
        expect(step.scheme).not.toBe("https");
      }),
      { numRuns: 5000 },
    );
  });

  it("never makes a reader fail, or give what is neither an address nor nothing", () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 4 }), (lines) => {
        for (const { node: named, authority } of [...readForwarded(lines), ...readXForwarded(lines, lines, lines)]) {
          if (named !== null && named.address !== "") {
            const host = named.address.includes(":") ? `[${named.address}]` : named.address;
            expect(new URL(`http://${host}`).hostname).toBe(host);
            expect(named.port).toBeLessThanOrEqual(65_535);
          }
          if (authority !== "") expect(URL.canParse(`http://${authority}`)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
