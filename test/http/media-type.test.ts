import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { charsetOf, formatMediaType, parameterOf, parseMediaType } from "../../src/http/media-type.ts";

const SEED = { seed: 2046, numRuns: 1000 };
const token = fc.string({ unit: fc.constantFrom(..."abz019!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 8 });
const value = fc.string({ unit: fc.constantFrom(...'aZ0 \t";\\=,/\u00e9\u00ff'), maxLength: 12 });

describe("parseMediaType", () => {
  it.each<[string, string, string, [string, string][]]>([
    ["text/html", "text", "html", []],
    [" Text/HTML ", "text", "html", []],
    ["text/html;charset=utf-8", "text", "html", [["charset", "utf-8"]]],
    ['Text/HTML; Charset="UTF-8"', "text", "html", [["charset", "UTF-8"]]],
    ["text/html ; charset=utf-8 ;", "text", "html", [["charset", "utf-8"]]],
    ['multipart/form-data; boundary="a b;c"', "multipart", "form-data", [["boundary", "a b;c"]]],
    [
      "application/vnd.api+json;v=1;v=2",
      "application",
      "vnd.api+json",
      [
        ["v", "1"],
        ["v", "2"],
      ],
    ],
  ])("reads %s", (text, type, subtype, parameters) => {
    expect(parseMediaType(text)).toEqual({ type, subtype, parameters });
  });

  it.each([
    "",
    "text",
    "text/",
    "/html",
    "text /html",
    "text/ html",
    "text/html/x",
    "text/html,text/plain",
    "te xt/html",
    "text/html charset=utf-8",
    "text/html;charset",
    "text/html;charset=",
    "text/html;charset =a",
    'text/html;a="b',
    'text/html;a="b"c',
    "text/h\u00e9",
    "text/html;a=b\0",
  ])("refuses %j", (text) => {
    expect(parseMediaType(text)).toBeNull();
  });
});

describe("formatMediaType", () => {
  it("writes what reads back the same", () => {
    fc.assert(
      fc.property(token, token, fc.array(fc.tuple(token, value), { maxLength: 4 }), (type, subtype, parameters) => {
        const mediaType = { type, subtype, parameters };
        expect(parseMediaType(formatMediaType(mediaType))).toEqual(mediaType);
      }),
      SEED,
    );
  });

  it("quotes only what is no token", () => {
    const parameters: [string, string][] = [
      ["a", "b"],
      ["c", ""],
      ["d", 'e "f\\'],
    ];
    expect(formatMediaType({ type: "x", subtype: "y", parameters })).toBe('x/y;a=b;c="";d="e \\"f\\\\"');
  });

  it.each<[string, string, [string, string][]]>([
    ["", "a", []],
    ["a", "b c", []],
    ["a", "b\r\n", []],
    ["a", "b", [["c d", "e"]]],
    ["a", "b", [["c", "d\r\ne: f"]]],
    ["a", "b", [["c", "\u0100"]]],
  ])("throws for %j/%j %j", (type, subtype, parameters) => {
    expect(() => formatMediaType({ type, subtype, parameters })).toThrow(TypeError);
  });
});

describe("parameters of a media type", () => {
  const read = (text: string): NonNullable<ReturnType<typeof parseMediaType>> => parseMediaType(text)!;

  it("count by their first value", () => {
    expect(parameterOf(read("a/b;c=1;C=2"), "c")).toBe("1");
    expect(parameterOf(read("a/b;c=1"), "d")).toBeNull();
  });

  it.each([
    ["text/plain", null],
    ["text/plain;charset=UTF-8", "utf-8"],
    ['text/plain;format=flowed;Charset="ISO-8859-1"', "iso-8859-1"],
  ])("tell the charset of %s: %s", (text, charset) => {
    expect(charsetOf(read(text))).toBe(charset);
  });
});
