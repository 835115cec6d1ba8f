import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMediaType } from "../../src/http/media-type.ts";
import {
  mediaTypeQuality,
  parseAccept,
  parseWeightedTokens,
  selectEncoding,
  selectMediaType,
  tokenQuality,
} from "../../src/http/negotiate.ts";

const SEED = { seed: 125, numRuns: 1000 };
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

describe("parseAccept", () => {
  it("reads ranges, parameters and weights, wherever the weight stands", () => {
    expect(parseAccept('Text/* ;Q=0.5, ,text/plain;format="flowed";q=1.000,*/*;q=0., a/b;q=0.123;c=d')).toEqual([
      { type: "text", subtype: "*", parameters: [], quality: 0.5 },
      { type: "text", subtype: "plain", parameters: [["format", "flowed"]], quality: 1 },
      { type: "*", subtype: "*", parameters: [], quality: 0 },
      { type: "a", subtype: "b", parameters: [["c", "d"]], quality: 0.123 },
    ]);
  });

  it.each([
    "",
    " , ,",
    "text",
    "text/",
    "*/html",
    "text/html;q=2",
    "text/html;q=1.1",
    "text/html;q=1.001",
    "text/html;q=0.1234",
    "text/html;q=-1",
    "text/html;q=",
    "text/html;q=.5",
    "text/html;q=1e0",
    "text/html;q",
    "text/html text/plain",
    'text/html;a="b',
  ])("finds no member in %j", (text) => {
    expect(parseAccept(text)).toEqual([]);
  });

  it("goes on behind a malformed member", () => {
    expect(parseAccept("text/html;q=9, a b, c/d").map(({ type }) => type)).toEqual(["c"]);
  });

  it("is bounded and linear", () => {
    expect(parseAccept("a/b,".repeat(20_000))).toHaveLength(100);
    expect(parseAccept(`${",".repeat(300_000)}a/b`)).toHaveLength(1);
    expect(parseAccept("!,".repeat(50_000))).toEqual([]);
  });
});

describe("mediaTypeQuality", () => {
  // RFC 9110 §12.5.1, table 5
  const example = parseAccept(
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5",
  );

  it.each([
    ["text/plain;format=flowed", 1],
    ["text/plain", 0.7],
    ["text/html", 0.3],
    ["image/jpeg", 0.5],
    ["text/plain;format=fixed", 0.4],
    // The table says 0.7 here, which no range of the example gives (an erratum of the RFC)
    ["text/html;level=3", 0.3],
    ["text/plain;format=flowed;x=y", 1],
  ])("%s: %d", (text, quality) => {
    expect(mediaTypeQuality(example, parseMediaType(text)!)).toBe(quality);
  });

  it("is 0 for what no range matches, and for what the most specific one excludes", () => {
    expect(mediaTypeQuality(parseAccept("text/*"), parseMediaType("image/png")!)).toBe(0);
    expect(mediaTypeQuality(parseAccept("*/*, text/html;q=0"), parseMediaType("text/html")!)).toBe(0);
  });

  it("does not depend on the order of the members", () => {
    const members = [
      "text/*;q=0.3",
      "text/plain;q=0.7",
      "text/plain;q=0.2",
      "*/*;q=0.5",
      "text/plain;format=flowed",
      "image/*;q=0",
    ];
    const types = ["text/plain", "text/html", "image/png", "text/plain;format=flowed", "a/b"].map((text) =>
      parseMediaType(text)!,
    );
    const expected = types.map((type) => mediaTypeQuality(parseAccept(members.join()), type));
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: members.length }), (shuffled) => {
        expect(types.map((type) => mediaTypeQuality(parseAccept(shuffled.join()), type))).toEqual(expected);
      }),
      { ...SEED, numRuns: 100 },
    );
  });
});

describe("selectMediaType", () => {
  it.each([
    [null, ["text/html", "application/json"], "text/html"],
    ["", ["text/html", "application/json"], "text/html"],
    ["rubbish", ["text/html"], "text/html"],
    ["*/*", ["text/html", "application/json"], "text/html"],
    ["application/json", ["text/html", "application/json"], "application/json"],
    [BROWSER, ["application/json", "text/html"], "text/html"],
    ["application/*;q=0.9, text/html;q=0.8", ["text/html", "application/json"], "application/json"],
    ["image/png", ["text/html"], null],
    ["*/*;q=0", ["text/html"], null],
    ["*/*", [], null],
    [null, [], null],
    ["text/plain;charset=UTF-8", ["text/html", "text/plain;charset=utf-8"], "text/plain;charset=utf-8"],
  ])("%j of %j: %s", (accept, offered, selected) => {
    expect(selectMediaType(accept, offered)).toBe(selected);
  });

  it("throws for an offer that is no media type", () => {
    expect(() => selectMediaType("*/*", ["html"])).toThrow(TypeError);
  });
});

describe("tokenQuality", () => {
  it.each([
    ["en-GB;q=0.8, *;q=0.1", "en-gb", 0.8],
    ["en-GB;q=0.8, *;q=0.1", "de", 0.1],
    ["en", "de", null],
    ["*;q=0, de", "de", 1],
    ["", "de", null],
  ])("%j, %s: %s", (text, token, quality) => {
    expect(tokenQuality(parseWeightedTokens(text), token)).toBe(quality);
  });
});

describe("selectEncoding", () => {
  it.each([
    [null, "identity"],
    ["", "identity"],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip, br", "br"],
    ["gzip;q=1.0, br;q=0.5", "gzip"],
    ["*", "br"],
    ["*, br;q=0", "gzip"],
    ["deflate", "identity"],
    ["gzip;q=0", "identity"],
    ["gzip;q=0, *", "br"],
    ["gzip;q=0.5, identity", "identity"],
    ["gzip, identity", "gzip"],
    ["gzip;q=0.5, identity;q=0.4, *;q=0", "gzip"],
    ["gzip;q=1.0, identity; q=0.5, *;q=0", "gzip"],
    ["identity;q=0", null],
    ["*;q=0", null],
    ["*;q=0, identity", "identity"],
    ["deflate, identity;q=0", null],
    ["gzip;q=7", "identity"],
    ["br;q=0.001", "br"],
  ])("%j: %s", (acceptEncoding, coding) => {
    expect(selectEncoding(acceptEncoding, ["br", "gzip"])).toBe(coding);
  });

  it("never throws, and selects what is offered", () => {
    const text = fc
      .array(fc.constantFrom("gzip", "br", "*", "identity", ";q=0", ";q=0.5", ",", " ", '"', ";", "="), {
        maxLength: 12,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (acceptEncoding) => {
        expect(["br", "gzip", "identity", null]).toContain(selectEncoding(acceptEncoding, ["br", "gzip"]));
      }),
      SEED,
    );
  });
});
