import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HandlerError } from "../../src/http/errors.ts";
import { CHUNKS, FIXED, lastChunk, NO_CONTENT, ResponseEncoder, UNKNOWN, UNTIL_CLOSE } from "../../src/http1/encode.ts";

const DATE = "Sat, 21 Nov 2026 08:00:00 GMT";
const encoder = new ResponseEncoder();

interface Situation {
  status?: number;
  reason?: string;
  fields?: string[];
  length?: number;
  isHead?: boolean;
  minor?: number;
  isPersistent?: boolean;
}

function encode(situation: Situation): ResponseEncoder {
  const {
    status = 200,
    reason = "",
    fields = [],
    length = 0,
    isHead = false,
    minor = 1,
    isPersistent = true,
  } = situation;
  encoder.encode({ status, reason, fields }, length, isHead, minor, isPersistent, DATE);
  return encoder;
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return (error as HandlerError).code;
  }
  return undefined;
}

describe("a response head", () => {
  it("has status line, the handler's fields, Date and Content-Length", () => {
    expect(encode({ fields: ["Content-Type", "text/plain", "x-a", "1"], length: 5 }).text).toBe(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-a: 1\r\nDate: ${DATE}\r\nContent-Length: 5\r\n\r\n`,
    );
  });

  it("keeps the handler's Date", () => {
    expect(encode({ fields: ["date", "Sun, 06 Nov 1994 08:49:37 GMT"] }).text.match(/date:/gi)).toHaveLength(1);
  });

  it("keeps the SP before an absent reason phrase (RFC 9112 §4)", () => {
    expect(encode({ status: 299 }).text).toMatch(/^HTTP\/1\.1 299 \r\n/);
  });

  it("takes the handler's reason phrase", () => {
    expect(encode({ status: 200, reason: "Fine" }).text).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
  });

  it.each([
    ["persistent 1.1", { minor: 1, isPersistent: true }, undefined],
    ["last 1.1", { minor: 1, isPersistent: false }, "close"],
    ["persistent 1.0", { minor: 0, isPersistent: true }, "keep-alive"],
    ["last 1.0", { minor: 0, isPersistent: false }, "close"],
  ])("says what becomes of the connection: %s", (_name, situation, value) => {
    const line = /\r\nConnection: ([^\r]*)\r\n/.exec(encode(situation).text);
    expect(line?.[1]).toBe(value);
  });

  it("closes when the handler says so, and drops hop-by-hop fields of an upstream (RFC 9110 §7.6.1)", () => {
    const { text, isPersistent } = encode({
      fields: [
        "Connection",
        "keep-alive, Close",
        "Keep-Alive",
        "timeout=5",
        "Transfer-Encoding",
        "chunked",
        "Proxy-Connection",
        "x",
      ],
    });
    expect(isPersistent).toBe(false);
    expect(text).toBe(`HTTP/1.1 200 OK\r\nDate: ${DATE}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  });

  it("announces Upgrade as a connection option (RFC 9110 §7.8)", () => {
    expect(encode({ status: 426, fields: ["Upgrade", "TLS/1.3"] }).text).toContain("\r\nConnection: upgrade\r\n");
    expect(encode({ status: 426, fields: ["Upgrade", "x"], isPersistent: false }).text).toContain(
      "Connection: close, upgrade\r\n",
    );
  });
});

describe("delimiting", () => {
  it.each([
    ["known length", { length: 7 }, FIXED, "Content-Length: 7"],
    ["no octets", { length: 0 }, FIXED, "Content-Length: 0"],
    ["a stream to 1.1", { length: UNKNOWN }, CHUNKS, "Transfer-Encoding: chunked"],
    ["a stream to 1.0", { length: UNKNOWN, minor: 0 }, UNTIL_CLOSE, ""],
    ["a stream of declared length", { length: UNKNOWN, fields: ["Content-Length", "9"] }, FIXED, "Content-Length: 9"],
    ["204", { status: 204, length: 3 }, NO_CONTENT, ""],
    ["204 with a declared length", { status: 204, length: 0, fields: ["Content-Length", "3"] }, NO_CONTENT, ""],
    ["304", { status: 304, length: 3 }, NO_CONTENT, ""],
    [
      "304 with the representation's length",
      { status: 304, fields: ["Content-Length", "3"] },
      NO_CONTENT,
      "Content-Length: 3",
    ],
    ["205", { status: 205, length: 3 }, NO_CONTENT, "Content-Length: 0"],
    ["HEAD of known length", { isHead: true, length: 7 }, NO_CONTENT, "Content-Length: 7"],
    [
      "HEAD of declared length",
      { isHead: true, length: 0, fields: ["content-length", "7"] },
      NO_CONTENT,
      "Content-Length: 7",
    ],
    ["HEAD of a stream", { isHead: true, length: UNKNOWN }, NO_CONTENT, ""],
    ["HEAD of nothing", { isHead: true, length: 0 }, NO_CONTENT, ""],
  ])("of %s", (_name, situation, delimiting, line) => {
    const { text, delimiting: chosen } = encode(situation);
    expect(chosen).toBe(delimiting);
    expect(/^(?:Content-Length|Transfer-Encoding).*$/m.exec(text)?.[0].trim() ?? "").toBe(line);
  });

  it("by the end of the connection is never persistent", () => {
    expect(encode({ length: UNKNOWN, minor: 0 }).isPersistent).toBe(false);
  });
});

describe("the law for responses", () => {
  it.each([
    ["CR in a value", { fields: ["a", "b\rc"] }, "ERR_RESPONSE_FIELD"],
    ["LF in a value", { fields: ["a", "b\nSet-Cookie: x=1"] }, "ERR_RESPONSE_FIELD"],
    ["NUL in a value", { fields: ["a", "\0"] }, "ERR_RESPONSE_FIELD"],
    ["a value beyond latin1", { fields: ["a", "\u0100"] }, "ERR_RESPONSE_FIELD"],
    ["an empty name", { fields: ["", "b"] }, "ERR_RESPONSE_FIELD"],
    ["a name with a colon", { fields: ["a:", "b"] }, "ERR_RESPONSE_FIELD"],
    ["an interim status", { status: 199 }, "ERR_RESPONSE_STATUS"],
    ["a status beyond 599", { status: 600 }, "ERR_RESPONSE_STATUS"],
    ["a status that is no number", { status: NaN }, "ERR_RESPONSE_STATUS"],
    ["CRLF in the reason", { reason: "OK\r\nX: y" }, "ERR_RESPONSE_STATUS"],
    ["a wrong Content-Length", { fields: ["Content-Length", "4"], length: 5 }, "ERR_RESPONSE_LENGTH"],
    ["a Content-Length that is no number", { fields: ["Content-Length", "5x"], length: 5 }, "ERR_RESPONSE_LENGTH"],
    [
      "two Content-Lengths",
      { fields: ["Content-Length", "5", "content-length", "6"], length: 5 },
      "ERR_RESPONSE_LENGTH",
    ],
  ])("refuses %s", (_name, situation, code) => {
    expect(codeOf(() => encode(situation))).toBe(code);
  });

  it("holds for interim responses and trailers too", () => {
    expect(codeOf(() => ResponseEncoder.interim(103, ["Link", "</a>\r\n\r\n"]))).toBe("ERR_RESPONSE_FIELD");
    expect(codeOf(() => lastChunk(["a", "\n"]))).toBe("ERR_RESPONSE_FIELD");
  });
});

describe("interim, switching, trailers", () => {
  it("renders 103", () => {
    expect(ResponseEncoder.interim(103, ["Link", "</a.css>; rel=preload", "Content-Length", "3"])).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n",
    );
  });

  it("renders 101 with the protocol and its connection option", () => {
    expect(ResponseEncoder.switching(["echo", "b"], [], DATE)).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\nDate: ${DATE}\r\n\r\n`,
    );
    expect(ResponseEncoder.switching(["echo", "B"], ["upgrade", "b"], DATE)).not.toContain("echo");
  });

  it("ends chunks with a trailer section, framing fields left out", () => {
    expect(lastChunk(["Digest", "abc", "Content-Length", "9"])).toBe("0\r\nDigest: abc\r\n\r\n");
    expect(lastChunk([])).toBe("0\r\n\r\n");
  });
});

describe("fields that many responses share", () => {
  it("are rendered once with a declared length, and each content is held against it all the same", () => {
    const fields = Object.freeze(["content-type", "text/plain", "content-length", "5"]);
    const say = (length: number, isHead: boolean, status = 200): string => {
      const own = new ResponseEncoder();
      const encodeOnce = (): string => {
        own.encode({ status, reason: "", fields }, length, isHead, 1, true, DATE);
        return own.text;
      };
      const first = encodeOnce();
      expect(encodeOnce()).toBe(first);
      return first;
    };
    expect(say(5, false)).toContain("Content-Length: 5\r\n");
    expect(say(0, true)).toContain("Content-Length: 5\r\n");
    expect(say(0, false, 304)).toContain("Content-Length: 5\r\n");
    const remembered = new ResponseEncoder();
    remembered.encode({ status: 200, reason: "", fields }, 5, false, 1, true, DATE);
    const again = (): void => remembered.encode({ status: 200, reason: "", fields }, 4, false, 1, true, DATE);
    expect(codeOf(again)).toBe("ERR_RESPONSE_LENGTH");
  });
});

describe("a head that was said before", () => {
  const SHARED = [
    Object.freeze(["content-type", "text/plain"]),
    Object.freeze(["content-length", "5"]),
    Object.freeze(["strict-transport-security", "max-age=9"]),
    Object.freeze(["connection", "close"]),
    Object.freeze(["upgrade", "x", "date", DATE]),
  ];
  const choices = {
    fields: fc.constantFrom(...SHARED),
    status: fc.constantFrom(200, 204, 205, 304, 404),
    reason: fc.constantFrom("", "Fine"),
    length: fc.constantFrom(5, 0, 7, UNKNOWN),
    isHead: fc.boolean(),
    minor: fc.constantFrom(1, 0),
    isPersistent: fc.boolean(),
    dateText: fc.constantFrom(DATE, "Sat, 21 Nov 2026 08:00:01 GMT"),
    security: fc.constantFrom("", "Strict-Transport-Security: max-age=1\r\n"),
  };
  const situation = fc.record(choices);
  const names = Object.keys(choices) as Array<keyof typeof choices>;

  it("is what somebody would say who remembers nothing, whatever was said between", () => {
    // The same again and again, and between it the same with one thing changed
    fc.assert(
      fc.property(situation, situation, fc.array(fc.constantFrom(...names)), (usual, other, changed) => {
        const remembering = new ResponseEncoder();
        const changes = changed.map((name) => ({ ...usual, [name]: other[name] }));
        for (const one of [usual, usual, usual, ...changes.flatMap((each) => [each, usual, each, each, usual])]) {
          const { status, reason, length, isHead, minor, isPersistent, dateText, security } = one;
          const say = (by: ResponseEncoder, fields: readonly string[]): unknown => {
            const head = { status, reason, fields };
            const code = codeOf(() => by.encode(head, length, isHead, minor, isPersistent, dateText, security));
            return code ?? [by.text, by.delimiting, by.length, by.isPersistent];
          };
          expect(say(remembering, one.fields)).toEqual(say(new ResponseEncoder(), [...one.fields]));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a field whose name is only as long as one that is ours", () => {
  it.each(["x-7long", "x-fourteenlong", "x-sixteen-longer", "x-seventeen-long0", "x-twenty-five-letters-long"])(
    "is sent as it is: %s",
    (name) => {
      const names = [name, name.slice(0, -1), `${name}0`];
      for (const one of names) {
        const { text, isPersistent } = encode({ fields: [one, "as it is"], length: 1 });
        expect(text).toContain(`\r\n${one}: as it is\r\n`);
        expect([text.includes("Connection"), isPersistent]).toEqual([false, true]);
      }
    },
  );
});

describe("Strict-Transport-Security (RFC 6797 §7.1)", () => {
  const LINE = "Strict-Transport-Security: max-age=1\r\n";

  it.each([
    ["the server's where the handler says none", [], "max-age=1"],
    ["the handler's where it says one", ["strict-transport-security", "max-age=9"], "max-age=9"],
    ["the server's beside a field of a name as long", ["x-twenty-five-letters-lon", "1"], "max-age=1"],
  ])("is %s, and never more than one", (_what, fields, value) => {
    const head = { status: 200, reason: "", fields: Object.freeze([...fields]) };
    const other = { ...head, fields: value === "max-age=9" ? [] : ["Strict-Transport-Security", "max-age=5"] };
    // Shared fields are remembered: the second time says the same, whatever others have said between
    for (let time = 0; time < 2; time++) {
      encoder.encode(head, 0, false, 1, true, DATE, LINE);
      const said = [...encoder.text.matchAll(/strict-transport-security: (.*)\r/gi)];
      expect(said.map((match) => match[1])).toEqual([value]);
      encoder.encode(other, 0, false, 1, true, DATE, LINE);
    }
  });
});

describe("fields shared by answers of different status", () => {
  it("keep each its own status line", () => {
    const fields = Object.freeze(["x-shared", "1"]);
    const firstLines = [
      { status: 200, reason: "" },
      { status: 404, reason: "" },
      { status: 404, reason: "Gone fishing" },
    ].map(({ status, reason }) => {
      encoder.encode({ status, reason, fields }, 0, false, 1, true, DATE);
      return encoder.text.slice(0, encoder.text.indexOf("\r"));
    });
    expect(firstLines).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 404 Gone fishing"]);
  });
});

describe("an answer over HTTP/1.0 that names an upgrade", () => {
  it("says keep-alive and upgrade in one field (RFC 9112 §9.3)", () => {
    expect(encode({ fields: ["Upgrade", "x"], minor: 0 }).text).toContain("\r\nConnection: keep-alive, upgrade\r\n");
  });
});
