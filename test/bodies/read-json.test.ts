/** readJson: content that is declared JSON and is JSON, or an answer that says what is wrong and where. */
import { performance } from "node:perf_hooks";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { readJson } from "../../src/bodies/index.ts";
import { HttpError } from "../../src/http/errors.ts";
import { failureOf, requestWith, requestWithout } from "./support/content-request.ts";

const JSON_TYPE = "application/json";

describe("what is declared JSON", () => {
  it.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json;charset=us-ascii",
    "application/merge-patch+json",
    "application/vnd.api+json;profile=x",
  ])("is taken: %s", async (type) => {
    expect(await readJson(requestWith(type, '{"a":[1,"é"]}'))).toEqual({ a: [1, "é"] });
  });

  it.each([
    ["text/plain", "ERR_CONTENT_TYPE"],
    ["application/x-www-form-urlencoded", "ERR_CONTENT_TYPE"],
    ["application/jsonp", "ERR_CONTENT_TYPE"],
    ["application", "ERR_CONTENT_TYPE"],
    ["json", "ERR_CONTENT_TYPE"],
    [null, "ERR_CONTENT_TYPE"],
    ["application/json;charset=iso-8859-1", "ERR_CONTENT_CHARSET"],
    ["application/json;charset=utf-16", "ERR_CONTENT_CHARSET"],
  ])("is not %s: 415", async (type, code) => {
    const error = await failureOf(readJson(requestWith(type, "{}")));
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ status: 415, code });
  });

  it("is asked for where it is something else", async () => {
    const post = await failureOf(readJson(requestWith("text/plain", "{}")));
    expect(post["headers"]).toEqual({ "accept": JSON_TYPE, "accept-post": JSON_TYPE });
    expect(post.message).toContain("it is declared text/plain, and application/json is taken");
    const patch = await failureOf(readJson(requestWith("text/plain", "{}", { method: "PATCH" })));
    expect(patch["headers"]).toEqual({ "accept": JSON_TYPE, "accept-patch": JSON_TYPE });
  });

  it("may be of further types", async () => {
    expect(await readJson(requestWith("text/plain", "1"), { types: ["text/plain"] })).toBe(1);
  });
});

describe("the text", () => {
  it.each([
    ["no content", requestWithout(JSON_TYPE)],
    ["no content and no type", requestWithout(null)],
    ["empty content", requestWith(JSON_TYPE, "")],
    ["empty content and a limit", requestWith(JSON_TYPE, "")],
  ])("of %s is 400", async (_, request) => {
    expect(await failureOf(readJson(request))).toMatchObject({ status: 400, code: "ERR_CONTENT_MISSING" });
  });

  it("may begin with a byte order mark", async () => {
    expect(await readJson(requestWith(JSON_TYPE, "\uFEFF[1]"))).toEqual([1]);
  });

  it("tells where it stops being JSON", async () => {
    const error = await failureOf(readJson(requestWith(JSON_TYPE, '\uFEFF{\n "é": x}')));
    expect(error).toMatchObject({ status: 400, code: "ERR_JSON", line: 2, column: 7, offset: 8, byteOffset: 12 });
    expect(error.message).not.toContain("x}");
  });

  it.each([
    [Buffer.from([0x22, 0xff, 0x22])],
    [Buffer.from([0x22, 0xc3, 0x22])],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    [Buffer.from("{}", "utf16le")],
  ])("that is no UTF-8 is no text: %j", async (bytes) => {
    const error = await failureOf(readJson(requestWith(JSON_TYPE, bytes)));
    expect([400, 415]).toContain(error["status"]);
  });

  it("has the last of equal names", async () => {
    expect(await readJson(requestWith(JSON_TYPE, '{"a":1,"a":2}'))).toEqual({ a: 2 });
  });

  it("that is valid is what JSON.parse makes of it, however it is split", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(), async (value, at) => {
        fc.pre(!JSON.stringify(value).includes("__proto__"));
        const bytes = Buffer.from(JSON.stringify(value));
        const split = at % (bytes.length + 1);
        const pieces = [bytes.subarray(0, split), bytes.subarray(split)];
        expect(await readJson(requestWith(JSON_TYPE, pieces))).toEqual(JSON.parse(bytes.toString()));
        expect(await readJson(requestWith(JSON_TYPE, pieces), { maxBytes: bytes.length })).toEqual(
          JSON.parse(bytes.toString()),
        );
      }),
    );
  });
});

describe("the size", () => {
  it("is the server's limit by default", async () => {
    const request = requestWith(JSON_TYPE, '"12345"', { maxBufferedBytes: 6 });
    expect(await failureOf(readJson(request))).toMatchObject({ status: 413, code: "ERR_BUFFERED_CONTENT_TOO_LARGE" });
  });

  it("may be less, and may be more", async () => {
    const options = { maxBufferedBytes: 6 };
    expect(await readJson(requestWith(JSON_TYPE, '"12345"', options), { maxBytes: 7 })).toBe("12345");
    for (const length of [true, false]) {
      const request = requestWith(JSON_TYPE, ['"12', '345"'], { length });
      const error = await failureOf(readJson(request, { maxBytes: 6 }));
      expect(error).toMatchObject({ status: 413, code: "ERR_UPLOAD_TOO_LARGE" });
    }
  });
});

describe("nesting", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  it("is bounded at 128", async () => {
    await readJson(requestWith(JSON_TYPE, nested(128)));
    const error = await failureOf(readJson(requestWith(JSON_TYPE, nested(129))));
    expect(error).toMatchObject({ status: 400, code: "ERR_JSON_TOO_DEEP" });
    await readJson(requestWith(JSON_TYPE, nested(129)), { maxDepth: 129 });
  });

  it.each([
    ["arrays left open", "[".repeat(1024 * 1024)],
    ["arrays", nested(512 * 1024)],
    ["objects", '{"a":'.repeat(200_000)],
    ["both, in space", '[ {"a" :\n'.repeat(100_000)],
  ])("of a mebibyte of %s is refused, not walked", async (_, text) => {
    const error = await failureOf(readJson(requestWith(JSON_TYPE, text)));
    expect(error).toMatchObject({ status: 400, code: "ERR_JSON_TOO_DEEP" });
  });

  it("is none in strings, and ends where it is closed", async () => {
    const text = JSON.stringify([`\\"${"[".repeat(500)}`, "\\", Array.from({ length: 500 }, () => [])]);
    expect(await readJson(requestWith(JSON_TYPE, text), { maxDepth: 3 })).toEqual(JSON.parse(text));
  });

  it("is what it is for any value", async () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member)))
        : 0;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1), async (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!text.includes("__proto__"));
        const depth = depthOf(value);
        await readJson(requestWith(JSON_TYPE, text), { maxDepth: Math.max(1, depth) });
        if (depth < 2) return;
        const error = await failureOf(readJson(requestWith(JSON_TYPE, text), { maxDepth: depth - 1 }));
        expect(error["code"]).toBe("ERR_JSON_TOO_DEEP");
      }),
    );
  });

  it("of many quotes and backslashes is measured in linear time", async () => {
    const text = `[[${'"\\\\\\"",'.repeat(120_000)}"${"\\\\".repeat(50_000)}"]]`;
    const start = performance.now();
    await readJson(requestWith(JSON_TYPE, text));
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("left unmeasured does not crash JSON.parse either", async () => {
    const open = "[".repeat(1024 * 1024 - 1);
    const reading = readJson(requestWith(JSON_TYPE, open), { maxDepth: Infinity });
    await expect(reading).rejects.toMatchObject({ code: "ERR_JSON", status: 400 });
    const asStandard = requestWith(JSON_TYPE, open).json();
    await expect(asStandard).rejects.toMatchObject({ code: "ERR_JSON_TOO_DEEP", status: 400 });
  });
});

describe("names of the prototype", () => {
  it.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"__proto__":1}',
    String.raw`{"\u005f_proto__":1}`,
    String.raw`{"__pr\u006Fto__":1}`,
    '[[{"a":{"b":[{"__proto__":null}]}}]]',
    '{"constructor":{"prototype":{"isAdmin":true}}}',
    String.raw`{"c\u006fnstructor":{"prototype":1}}`,
    String.raw`{"constructor":{"prototyp\u0065":1}}`,
  ])("are refused: %s", async (text) => {
    const error = await failureOf(readJson(requestWith(JSON_TYPE, text)));
    expect(error).toMatchObject({ status: 400, code: "ERR_PROTOTYPE_NAME" });
  });

  it("are plain members where they are kept", async () => {
    const text = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
    const value = (await readJson(requestWith(JSON_TYPE, text), { prototypeNames: "keep" })) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(value["isAdmin"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
  });

  it.each(['{"a":"__proto__"}', '{"constructor":"Brunel"}', '["constructor","prototype"]', '{"prototype":1}'])(
    "are no others: %s",
    async (text) => {
      expect(await readJson(requestWith(JSON_TYPE, text))).toEqual(JSON.parse(text));
    },
  );
});

describe("coded content", () => {
  it.each(["gzip", "br", "deflate", "x-gzip", "zstd", "gzip, gzip", "nonsense"])(
    "in %s is refused rather than parsed",
    async (coding) => {
      const request = requestWith(JSON_TYPE, gzipSync("{}"), { fields: [["content-encoding", coding]] });
      const error = await failureOf(readJson(request));
      expect(error).toMatchObject({
        status: 415,
        code: "ERR_CONTENT_CODING",
        headers: { "accept-encoding": "identity" },
      });
    },
  );

  it("in identity is not coded", async () => {
    expect(await readJson(requestWith(JSON_TYPE, "1", { fields: [["content-encoding", "identity"]] }))).toBe(1);
  });
});

describe("a schema", () => {
  const book = z.object({ title: z.string(), year: z.coerce.number<string>() });

  it("types and makes the value", async () => {
    const value = await readJson(requestWith(JSON_TYPE, '{"title":"Emma","year":"1815","x":1}'), { schema: book });
    expectTypeOf(value).toEqualTypeOf<{ title: string; year: number }>();
    expect(value).toEqual({ title: "Emma", year: 1815 });
  });

  it("refuses with 422 and a path for each mistake", async () => {
    const error = await failureOf(readJson(requestWith(JSON_TYPE, '{"title":1,"year":"x"}'), { schema: book }));
    expect(error).toMatchObject({ status: 422, code: "ERR_VALIDATION" });
    expect(error["errors"]).toMatchObject([{ path: "/title" }, { path: "/year" }]);
    expect(error["extensions"]).toEqual({ errors: error["errors"] });
    expect(error.message).toBe("what was sent is not valid: the content has 2 mistakes");
  });

  it("need not be", () => {
    expectTypeOf(readJson(requestWith(JSON_TYPE, "1"))).resolves.toBeUnknown();
  });
});

describe("the caller's mistakes", () => {
  it("in options are told at once, with the name that was meant", async () => {
    const options = { maxByte: 1, maxDepth: 0, prototypeNames: "remove" } as object;
    const error = await failureOf(readJson(requestWith(JSON_TYPE, "1"), options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain("readJson: 3 options are invalid");
    expect(error.message).toContain("did you mean maxBytes?");
    expect(error.message).toContain("maxDepth: 0 was given, whole levels from 1, or Infinity is allowed");
    expect(error.message).toContain('"refuse" or "keep"');
  });

  it("are a second reading, and a schema that is none", async () => {
    const request = requestWith(JSON_TYPE, "1");
    await readJson(request);
    for (const options of [{}, { maxBytes: 10 }]) {
      expect(await failureOf(readJson(request, options))).toBeInstanceOf(TypeError);
    }
    const options = { schema: {} as unknown as z.ZodNumber };
    expect(await failureOf(readJson(requestWith(JSON_TYPE, "1"), options))).toBeInstanceOf(TypeError);
  });
});
