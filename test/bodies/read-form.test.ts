/** readForm: names and values, however they were encoded; and formData(), which has its bounds too. */
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { readForm } from "../../src/bodies/index.ts";
import { failureOf, requestWith, requestWithout } from "./support/content-request.ts";
import { formOf, MULTIPART_TYPE, part } from "./support/multipart.ts";

const TYPE = "application/x-www-form-urlencoded";

describe("a form", () => {
  it.each([
    ["a=1&b=2&a=3", ["a=1", "b=2", "a=3"]],
    ["", []],
    ["a", ["a="]],
    ["a+b=%E2%82%AC%", ["a b=€%"]],
    ["\uFEFFa=1", ["a=1"]],
    ["a=%00%FF", ["a=\0\ufffd"]],
    ["&&&", []],
  ])("%j", async (content, expected) => {
    const form = await readForm(requestWith(TYPE, content));
    expect([...form].map(([name, value]) => `${name}=${value}`)).toEqual(expected);
  });

  it("in parts is the same form", async () => {
    const content = formOf([part("a", "1"), part("none", "", ""), part("a", "é"), part("b", "")]);
    const form = await readForm(requestWith(MULTIPART_TYPE, content));
    expect([...form]).toEqual([
      ["a", "1"],
      ["a", "é"],
      ["b", ""],
    ]);
    expect(form.getAll("a")).toEqual(["1", "é"]);
  });

  it("has no files", async () => {
    for (const file of [part("a", "1", "a.txt"), part("a", "1", "")]) {
      const error = await failureOf(readForm(requestWith(MULTIPART_TYPE, formOf([file]))));
      expect(error).toMatchObject({ status: 400, code: "ERR_MULTIPART" });
    }
  });

  it.each([
    ["text/plain", "ERR_CONTENT_TYPE", 415],
    ["application/json", "ERR_CONTENT_TYPE", 415],
    [null, "ERR_CONTENT_TYPE", 415],
    [`${TYPE};charset=iso-8859-1`, "ERR_CONTENT_CHARSET", 415],
  ])("is declared one, not %s", async (type, code, status) => {
    const error = await failureOf(readForm(requestWith(type, "a=1")));
    expect(error).toMatchObject({ code, status });
    if (code === "ERR_CONTENT_TYPE") {
      expect(error["headers"]).toMatchObject({ accept: `${TYPE}, multipart/form-data` });
    }
  });

  it("may be without content, if it is declared", async () => {
    expect([...(await readForm(requestWithout(TYPE)))]).toEqual([]);
    expect(await failureOf(readForm(requestWithout(null)))).toMatchObject({ code: "ERR_CONTENT_MISSING" });
  });

  it.each([
    ["urlencoded", TYPE, "a=1&".repeat(1001)],
    ["a hundred thousand", TYPE, "a&".repeat(100_000)],
    ["multipart", MULTIPART_TYPE, formOf(Array.from({ length: 1001 }, () => part("a", "")))],
  ])("has at most 1,000 fields: %s", async (_, type, content) => {
    const error = await failureOf(readForm(requestWith(type, content)));
    expect(error).toMatchObject({ status: 400, code: "ERR_TOO_MANY_PAIRS" });
  });

  it("may have other bounds", async () => {
    const size = { maxFields: 2 };
    await readForm(requestWith(TYPE, "a&b"), size);
    expect(await failureOf(readForm(requestWith(TYPE, "a&b&c"), size))).toMatchObject({ code: "ERR_TOO_MANY_PAIRS" });
    for (const [type, content] of [
      [TYPE, "a=12345678901"],
      [MULTIPART_TYPE, formOf([part("a", "1")])],
    ] as const) {
      const error = await failureOf(readForm(requestWith(type, content), { maxBytes: 10 }));
      expect(error).toMatchObject({ status: 413, code: "ERR_UPLOAD_TOO_LARGE" });
    }
  });
});

describe("a schema", () => {
  const schema = z.object({ title: z.string().min(1), year: z.coerce.number<string>(), tag: z.array(z.string()) });

  it.each([
    ["urlencoded", TYPE, "title=Emma&year=1815&tag=a"],
    ["multipart", MULTIPART_TYPE, formOf([part("title", "Emma"), part("year", "1815"), part("tag", "a")])],
  ])("types a form: %s", async (_, type, content) => {
    const value = await readForm(requestWith(type, content), { schema, arrays: ["tag"] });
    expectTypeOf(value).toEqualTypeOf<{ title: string; year: number; tag: string[] }>();
    expect(value).toEqual({ title: "Emma", year: 1815, tag: ["a"] });
  });

  it("answers 422, and sees repeated names as arrays", async () => {
    const error = await failureOf(readForm(requestWith(TYPE, "title=a&title=b&year=x&tag=a&tag=b"), { schema }));
    expect(error).toMatchObject({ status: 422, errors: [{ path: "/title" }, { path: "/year" }] });
  });

  it("gets no name that would change a prototype", async () => {
    const error = await failureOf(readForm(requestWith(TYPE, "__proto__=1"), { schema: z.looseObject({}) }));
    expect(error).toMatchObject({ status: 400, code: "ERR_PROTOTYPE_NAME" });
  });
});

describe("formData()", () => {
  it("names the reader for larger forms", async () => {
    const content = formOf([part("a", "x".repeat(100), "a.bin")]);
    for (const length of [true, false]) {
      const request = requestWith(MULTIPART_TYPE, content, { length, maxBufferedBytes: 50 });
      const error = await failureOf(request.formData());
      expect(error).toMatchObject({ status: 413, code: "ERR_BUFFERED_CONTENT_TOO_LARGE" });
      expect(error.message).toContain("readMultipart of fairlead/bodies");
    }
    const other = await failureOf(requestWith(null, "123456", { maxBufferedBytes: 5 }).text());
    expect(other.message).not.toContain("readMultipart");
  });

  it("takes a mebibyte of nothing but fields", async () => {
    const form = await requestWith(TYPE, "a&".repeat(500_000)).formData();
    expect(form.getAll("a")).toHaveLength(500_000);
  });
});
