/** The header of a part: names as browsers and others write them, file names that are safe, and what is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMultipart, safeFileName } from "../../src/bodies/index.ts";
import { requestWith } from "./support/content-request.ts";
import { formOf, MULTIPART_TYPE, readParts } from "./support/multipart.ts";

const read = (head: string): ReturnType<typeof readParts> => readParts(formOf([{ head, content: "x" }]));

describe("Content-Disposition", () => {
  it.each([
    ['form-data; name="a"', "a", null],
    ["form-data; name=a", "a", null],
    ["Form-Data;NAME=a", "a", null],
    ['form-data ; name = "a" ; ', "a", null],
    ['form-data; name=""', "", null],
    ['form-data; name="a;b=c"; filename="d;e.txt"', "a;b=c", "d;e.txt"],
    ['form-data; filename="b"; name="a"', "a", "b"],
    ['form-data; name="a"; x=y', "a", null],
    ['form-data; name="a"; filename=""', "a", ""],
    // HTML: quotes and line ends are percent-encoded, a backslash is not escaped
    ['form-data; name="a%22b%0D%0Ac%41"', 'a"b\r\nc%41', null],
    ['form-data; name="a\\"; filename="b\\"', "a\\", "b\\"],
    ['form-data; name="C:\\dir\\a\\\\b"', "C:\\dir\\a\\\\b", null],
    // curl before 7.81, and others that write quoted strings
    ['form-data; name="a\\"b"', 'a"b', null],
    ['form-data; name="a"; filename="say \\"hi\\".txt"', "a", 'say "hi".txt'],
    ['form-data; name="日本"; filename="é.txt"', "日本", "é.txt"],
    // RFC 7578 §4.2: not to be sent, and understood where it is alone
    ["form-data; name=a; filename*=UTF-8''%e2%82%ac.txt", "a", "€.txt"],
    ["form-data; name=a; filename*=iso-8859-1'en'%A3.txt", "a", "£.txt"],
    ["form-data; name=a; filename=plain.txt; filename*=UTF-8''other.txt", "a", "plain.txt"],
  ])("%s", async (value, name, original) => {
    const { parts, message } = await read(`Content-Disposition: ${value}`);
    expect(message).toBe("");
    expect(parts).toMatchObject([{ name, original, content: "x" }]);
  });

  it.each([
    "form-data",
    "form-data; filename=a",
    "attachment; name=a",
    "form-dataX; name=a",
    "form-data name=a",
    'form-data; name="a',
    "form-data; name=a; name=b",
    'form-data; name="a"; filename="b"; filename="c"',
    'form-data; name="a" x',
    'form-data; name="a\\";b"',
    "form-data; name=a; filename*=utf-16''a",
    'form-data; name="a\0b"',
    'form-data; name="a\x7fb"',
    'form-data; name="a\rb"',
    'form-data; name="a\nb"',
    'form-data; name="a"; filename="b\r\nX-Injected: c"',
    "form-data; name=a\r\nContent-Disposition: form-data; name=b",
    "form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: c/d",
    "form-data; name=a\r\nContent-Transfer-Encoding: base64",
    "form-data; name=a\r\nContent-Transfer-Encoding: quoted-printable",
    "form-data; name=a\r\nX A: b",
    "form-data; name=a\r\nX-A: b\0",
  ])("is refused: %j", async (value) => {
    expect(await read(`Content-Disposition: ${value}`)).toMatchObject({ parts: [], error: "ERR_MULTIPART" });
  });

  it("of any text gives a part or a refusal, in linear time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary-ascii", maxLength: 100 }), async (text) => {
        expect(["", "ERR_MULTIPART"]).toContain((await read(`Content-Disposition: form-data; ${text}`)).error);
      }),
    );
    await read(`Content-Disposition: form-data; name="${'\\"'.repeat(3000)}`);
    await read(`Content-Disposition: form-data${" ".repeat(7000)}x`);
    await read(`Content-Disposition: form-data${";".repeat(7000)}`);
  });
});

describe("the other lines", () => {
  it.each([
    ["", "text/plain"],
    ["; filename=a", "application/octet-stream"],
    ["\r\nContent-Type: text/csv;charset=utf-8", "text/csv;charset=utf-8"],
    ["\r\nContent-Type: rubbish", "application/octet-stream"],
    ["\r\nContent-Type:", "application/octet-stream"],
    ["\r\nContent-Transfer-Encoding: 8bit", "text/plain"],
  ])("say the type: %j", async (rest, type) => {
    expect(await read(`Content-Disposition: form-data; name=a${rest}`)).toMatchObject({ parts: [{ type }] });
  });

  it("are there as headers", async () => {
    const head = "Content-Disposition: form-data; name=a\r\nX-One: 1\r\nx-one:  2 \r\nX-Folded: a\r\n b";
    for await (const part of readMultipart(requestWith(MULTIPART_TYPE, formOf([{ head, content: "" }])))) {
      expect([...part.headers]).toEqual([
        ["content-disposition", "form-data; name=a"],
        ["x-folded", "a b"],
        ["x-one", "1, 2"],
      ]);
      expect(part.headers).toBe(part.headers);
    }
  });
});

describe("safe file names", () => {
  it.each([
    ["emma.txt", "emma.txt"],
    ["C:\\fakepath\\emma.txt", "emma.txt"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["/etc/shadow", "shadow"],
    ["a/", "unnamed"],
    ["", "unnamed"],
    [".", "unnamed"],
    ["..", "unnamed"],
    ["...", "unnamed"],
    [" . ", "unnamed"],
    [".htaccess", "htaccess"],
    ["..env", "env"],
    ["a.txt.", "a.txt"],
    ["a.txt ", "a.txt"],
    ["a\0.txt", "a.txt"],
    ["a\r\nb", "ab"],
    ["gpj.\u202eexe", "gpj.exe"],
    ["a\u200b.txt", "a.txt"],
    ["a.txt:stream", "a.txt_stream"],
    ['<a>|b?*"', "_a__b___"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["COM1.log", "_COM1.log"],
    ["console.log", "console.log"],
    ["\ud800.txt", "txt"],
    ["e\u0301.txt", "\u00e9.txt"],
    ["e\t\u0301.txt", "\u00e9.txt"],
    ["日本語.pdf", "日本語.pdf"],
    ["%2e%2e%2fa", "%2e%2e%2fa"],
  ])("%j: %j", (original, safe) => {
    expect(safeFileName(original)).toBe(safe);
  });

  it("keep the extension of a long one", () => {
    expect(safeFileName(`${"a".repeat(300)}.tar.gz`)).toBe(`${"a".repeat(197)}.gz`);
    expect(safeFileName(`${"é".repeat(300)}.txt`)).toBe(`${"é".repeat(98)}.txt`);
    expect(Buffer.byteLength(safeFileName(`a.${"😀".repeat(300)}`))).toBeLessThanOrEqual(200);
  });

  it("end in no dot where a long one is cut", () => {
    expect(safeFileName(`${"a".repeat(199)}.${"b".repeat(60)}`)).toBe("a".repeat(199));
    expect(safeFileName(`${"a".repeat(195)}. b${"c".repeat(60)}.txt`)).toBe(`${"a".repeat(195)}.txt`);
  });

  it("are one name that stays in its folder, whatever the original", () => {
    const evil = fc.constantFrom("..", "/", "\\", ".", "\0", " ", "con", "a", "\u202e", ":", "\ud800", ".part");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(evil).map((all) => all.join("")),
        ),
        (original) => {
          const name = safeFileName(original);
          expect(name).toMatch(/^[^./\\\0:][^/\\\0:]*$/);
          expect(name).not.toMatch(/[.\s]$/);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
