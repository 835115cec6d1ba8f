import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentDisposition } from "../../src/http/content-disposition.ts";
import { isFieldValue } from "../../src/http/fields.ts";

describe("contentDisposition", () => {
  it.each([
    ["report.pdf", 'attachment; filename="report.pdf"'],
    ["my report (1).pdf", 'attachment; filename="my report (1).pdf"'],
    ["", "attachment"],
    ["naïve.txt", "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt"],
    ["日本.txt", "attachment; filename=\"__.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"],
    ["😀.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%F0%9F%98%80.txt"],
    ["100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"],
    ["it's (a) *.txt", 'attachment; filename="it\'s (a) _.txt"'],
    ['a"; filename="b.exe', 'attachment; filename="a_; filename=_b.exe"'],
    ["../../etc/passwd", 'attachment; filename="passwd"'],
    ["C:\\Windows\\system.ini", 'attachment; filename="system.ini"'],
    ["photo\u202Egpj.exe", 'attachment; filename="photo_gpj.exe"'],
    ["a\uD800b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%EF%BF%BDb"],
    [".env", 'attachment; filename=".env"'],
  ])("writes %j", (name, expected) => {
    expect(contentDisposition("attachment", name)).toBe(expected);
  });

  it("writes inline", () => {
    expect(contentDisposition("inline", "a.png")).toBe('inline; filename="a.png"');
  });

  it.each(["a\r\nset-cookie: b=c", "a\nb", "a\0b", "a\x7fb", "a\u0085b", ".", "..", "a/", "a/..", "/", "\\", " "])(
    "throws for %j",
    (name) => {
      expect(() => contentDisposition("attachment", name)).toThrow(TypeError);
    },
  );

  it("throws for another type", () => {
    expect(() => contentDisposition("form-data" as "inline", "a")).toThrow("form-data");
  });

  it("gives a valid value whose names are no path, or throws, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        let value: string;
        try {
          value = contentDisposition("attachment", name);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(isFieldValue(value)).toBe(true);
        expect(value).toMatch(
          /^attachment(?:; filename="[^"\\/%]+"(?:; filename\*=UTF-8''(?:[\w!#$&+.^`|~-]|%[0-9A-F]{2})+)?)?$/,
        );
        const extended = /filename\*=UTF-8''(.*)$/.exec(value)?.[1];
        if (extended !== undefined) expect(decodeURIComponent(extended)).not.toMatch(/[/\\]/);
      }),
    );
  });
});
