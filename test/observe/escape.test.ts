import { describe, expect, it } from "vitest";
import { escapeText, escapeWord } from "../../src/observe/escape.ts";

describe("escaping", () => {
  it.each([
    ["/caf\xe9", "/caf\\xe9"],
    ["tab\there", "tab\\x09here"],
    ["a\\x09b", "a\\\\x09b"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["📖", "\\u{1f4d6}"],
    ["\x7f\x9b", "\\x7f\\x9b"],
  ])("writes %j as %s", (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
    expect(escapeWord(text)).toBe(escaped);
  });

  it("escapes spaces where they separate", () => {
    expect([escapeText("a b"), escapeWord("a b")]).toEqual(["a b", "a\\x20b"]);
  });
});
