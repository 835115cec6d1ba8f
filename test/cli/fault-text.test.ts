import { describe, expect, it } from "vitest";
import { faultText } from "../../src/cli/fault-text.ts";

function throwing(): never {
  throw new Error("no");
}

describe("a failure of a handler as text", () => {
  it.each<[string, unknown]>([
    ["a stack that throws", Object.defineProperty(new Error("x"), "stack", { get: throwing })],
    ["a message that throws", Object.defineProperty(new Error("x"), "message", { get: throwing })],
    ["a proxy that throws", new Proxy({}, { get: throwing, getPrototypeOf: throwing, ownKeys: throwing })],
    ["an object without prototype", Object.create(null)],
    ["a text that throws", { [Symbol.for("nodejs.util.inspect.custom")]: throwing }],
  ])("has its id, for %s", (_what, error) => {
    expect(faultText({ id: "f-1", error, exchange: null }, 0)).toMatch(
      /^fairlead: 1970-.* (?:a handler|something) failed.* \(f-1\)\n {2}/,
    );
  });

  it("is not as long as a message that holds a whole content, and has the frames", () => {
    const text = faultText({ id: "f-1", error: new Error("x".repeat(5_000_000)), exchange: null }, 0);
    expect(text.length).toBeLessThan(300_000);
    expect(text).toMatch(/more characters left out\]\n {6}at /);
  });
});
