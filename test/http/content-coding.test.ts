import { describe, expect, it } from "vitest";
import { CodingPreferences, essenceOf, isCompressible } from "../../src/http/content-coding.ts";

describe("codings that a request takes", () => {
  const preferences = new CodingPreferences(["br", "zstd", "gzip"]);

  it.each([
    [null, ["identity"]],
    ["", ["identity"]],
    ["gzip, deflate, br, zstd", ["br", "zstd", "gzip", "identity"]],
    ["gzip;q=1, br;q=0.5", ["gzip", "br", "identity"]],
    ["br;q=0, gzip", ["gzip", "identity"]],
    ["x-gzip", ["gzip", "identity"]],
    ["identity;q=0, gzip", ["gzip"]],
    ["*;q=0", []],
    ["*", ["br", "zstd", "gzip", "identity"]],
  ])("%j: %j", (acceptEncoding, order) => {
    expect(preferences.of(acceptEncoding)).toEqual(order);
  });

  it("are worked out once for one value", () => {
    expect(preferences.of("gzip, br")).toBe(preferences.of("gzip, br"));
  });

  it("are remembered for no more values than browsers send", () => {
    const bounded = new CodingPreferences(["gzip"]);
    for (let i = 0; i < 256; i++) bounded.of(`gzip, made-up-${i}`);
    expect(bounded.of("gzip, one-more")).not.toBe(bounded.of("gzip, one-more"));
    const long = `gzip, ${"x".repeat(300)}`;
    expect(new CodingPreferences(["gzip"]).of(long)).toEqual(["gzip", "identity"]);
  });
});

describe("a media type", () => {
  it.each([
    ["application/json", true],
    ["Text/HTML; charset=utf-8", true],
    ["text/event-stream", true],
    ["application/problem+json", true],
    ["image/svg+xml", true],
    ["image/png", false],
    ["application/zip", false],
    ["application/octet-stream", false],
    ["", false],
  ])("%s is worth a coding: %s", (mediaType, isWorth) => {
    expect(isCompressible(mediaType)).toBe(isWorth);
  });

  it("has an essence", () => {
    expect(essenceOf(" Text/HTML ;charset=x")).toBe("text/html");
  });
});
