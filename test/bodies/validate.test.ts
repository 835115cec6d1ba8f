/** validate, readQuery, readParams: any Standard Schema, the value typed, a path per mistake. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { readParams, readQuery, validate, ValidationError } from "../../src/bodies/index.ts";
import { createExchangeHandler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { MemoryExchange } from "../web/support/memory-exchange.ts";
import { failureOf, requestWithout } from "./support/content-request.ts";

const ORDER = { id: 7, items: [{ name: "Emma", count: 2 }] };
const WRONG = {
  id: "7",
  items: [
    { name: "Emma", count: 2 },
    { name: 3, count: 1 },
  ],
};

const byZod = z.object({ id: z.number(), items: z.array(z.object({ name: z.string(), count: z.number() })) });
const byValibot = v.object({ id: v.number(), items: v.array(v.object({ name: v.string(), count: v.number() })) });
const byArktype = type({ id: "number", items: type({ name: "string", count: "number" }).array() });

describe("validate", () => {
  it.each([
    ["zod", byZod],
    ["valibot", byValibot],
    ["arktype", byArktype],
  ])("takes schemas of %s", async (_, schema) => {
    expect(await validate(schema as StandardSchemaV1, ORDER)).toEqual(ORDER);
    const error = await failureOf(validate(schema as StandardSchemaV1, WRONG));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ status: 422, code: "ERR_VALIDATION" });
    expect((error["errors"] as { path: string }[]).map(({ path }) => path)).toEqual(["/id", "/items/1/name"]);
  });

  it("gives what the schema makes, typed", async () => {
    const zod = await validate(byZod, ORDER);
    expectTypeOf(zod).toEqualTypeOf<{ id: number; items: { name: string; count: number }[] }>();
    const valibot = await validate(byValibot, ORDER);
    expectTypeOf(valibot).toEqualTypeOf<{ id: number; items: { name: string; count: number }[] }>();
    const arktype = await validate(byArktype, ORDER);
    expectTypeOf(arktype).toEqualTypeOf<{ id: number; items: { name: string; count: number }[] }>();
    const made = await validate(v.pipe(v.string(), v.transform(Number)), "12");
    expectTypeOf(made).toEqualTypeOf<number>();
    expect(made).toBe(12);
  });

  it("waits for asynchronous schemas", async () => {
    const schema = z.string().refine(async (name) => name !== "taken", "is taken");
    expect(await validate(schema, "free")).toBe("free");
    const error = await failureOf(validate(schema, "taken"));
    expect(error["errors"]).toEqual([{ path: "", message: "is taken" }]);
  });

  it("writes paths as JSON pointers", async () => {
    const symbol = Symbol("s");
    const paths: StandardSchemaV1.Issue["path"][] = [
      undefined,
      [],
      ["a/b", "c~d"],
      [{ key: "e" }, 0, { key: 1 }],
      [symbol, ""],
    ];
    const schema: StandardSchemaV1 = {
      "~standard": {
        version: 1,
        vendor: "x",
        validate: () => ({ issues: paths.map((path) => ({ message: "m", ...(path && { path }) })) }),
      },
    };
    const error = await failureOf(validate(schema, 1));
    expect((error["errors"] as { path: string }[]).map(({ path }) => path)).toEqual([
      "",
      "",
      "/a~1b/c~0d",
      "/e/0/1",
      "/Symbol(s)/",
    ]);
  });

  it("lists a bounded number, and says how many there are", async () => {
    const many = Array.from({ length: 1000 }, () => "x");
    const error = await failureOf(validate(z.array(z.number()), many));
    expect(error["errors"]).toHaveLength(20);
    expect(error.message).toBe("what was sent is not valid: 1000 mistakes");
    expect((await failureOf(validate(z.array(z.number()), many, { maxErrors: 3 })))["errors"]).toHaveLength(3);
  });

  it("lets through what a schema throws, and refuses what is no schema", async () => {
    const broken = z.string().transform(() => {
      throw new RangeError("mine");
    });
    expect(await failureOf(validate(broken, "a"))).toBeInstanceOf(RangeError);
    for (const none of [null, {}, "string", { "~standard": {} }]) {
      expect(await failureOf(validate(none as unknown as StandardSchemaV1, 1))).toBeInstanceOf(TypeError);
    }
  });

  it("is answered as problem details", async () => {
    const exchange = new MemoryExchange({ fields: [["accept", "application/problem+json"]] });
    const handle = createExchangeHandler(async () => Response.json(await validate(byZod, WRONG)), {
      maxBufferedBytes: 1,
      onFault: () => {},
      waitUntil: () => {},
    });
    handle(exchange);
    await exchange.answered;
    expect(JSON.parse(exchange.body as string)).toEqual({
      type: "about:blank",
      title: "Unprocessable Content",
      status: 422,
      detail: "what was sent is not valid: 2 mistakes",
      code: "ERR_VALIDATION",
      rule: "RFC 9110 §15.5.21",
      errors: [
        { path: "/id", message: expect.stringContaining("number") as string },
        { path: "/items/1/name", message: expect.stringContaining("string") as string },
      ],
    });
  });
});

describe("readQuery", () => {
  const query = (target: string): ReturnType<typeof requestWithout> => requestWithout(null, { method: "GET", target });
  const any = z.record(z.string(), z.unknown());

  it.each([
    ["/", {}],
    ["/?", {}],
    ["/?a=1&b=2", { a: "1", b: "2" }],
    ["/?a=1&a=2&a=3", { a: ["1", "2", "3"] }],
    ["/?a", { a: "" }],
    ["/?=b", { "": "b" }],
    ["/?a=b=c", { a: "b=c" }],
    ["/?a+b=c+d%20e", { "a b": "c d e" }],
    ["/?a=%zz&b=%&c=%E9", { a: "%zz", b: "%", c: "\ufffd" }],
    ["/?&&a=1&&", { a: "1" }],
    ["/?constructor=1&toString=2", { constructor: "1", toString: "2" }],
    ["/?a[b]=1", { "a[b]": "1" }],
  ])("%s", async (target, expected) => {
    expect({ ...(await readQuery(query(target), any)) }).toEqual(expected);
  });

  it("types and coerces", async () => {
    const schema = z.object({ page: z.coerce.number<string>().int().min(1).default(1), tag: z.array(z.string()) });
    const value = await readQuery(query("/?page=3&tag=a"), schema, { arrays: ["tag"] });
    expectTypeOf(value).toEqualTypeOf<{ page: number; tag: string[] }>();
    expect(value).toEqual({ page: 3, tag: ["a"] });
    expect(await readQuery(query("/"), schema, { arrays: ["tag"] })).toEqual({ page: 1, tag: [] });
    const error = await failureOf(readQuery(query("/?page=0&tag=a"), schema));
    expect(error.message).toContain("the query has 2 mistakes");
    expect((error["errors"] as { path: string }[]).map(({ path }) => path)).toEqual(["/page", "/tag"]);
  });

  it.each([
    ["zod", z.object({ a: z.string() })],
    ["valibot", v.object({ a: v.string() })],
    ["arktype", type({ a: "string" })],
  ])("gives %s an object that it takes", async (_, schema) => {
    expect(await readQuery(query("/?a=1"), schema as StandardSchemaV1)).toEqual({ a: "1" });
  });

  it("bounds the number of parameters", async () => {
    await readQuery(query(`/?${"a&".repeat(1000)}`), any);
    const error = await failureOf(readQuery(query(`/?${"a&".repeat(100_000)}`), any));
    expect(error).toMatchObject({ status: 400, code: "ERR_TOO_MANY_PAIRS" });
  });

  it("has no name that would change a prototype", async () => {
    const error = await failureOf(readQuery(query("/?__proto__=1"), any));
    expect(error).toMatchObject({ status: 400, code: "ERR_PROTOTYPE_NAME" });
    expect(await failureOf(readQuery(query("/?__prot%6f__=1"), any))).toMatchObject({ code: "ERR_PROTOTYPE_NAME" });
  });
});

describe("readParams", () => {
  it("types what the path matched", async () => {
    const schema = z.object({ id: z.coerce.number<string>() });
    const value = await readParams({ params: { id: "12" } }, schema);
    expectTypeOf(value).toEqualTypeOf<{ id: number }>();
    expect(value).toEqual({ id: 12 });
    const error = await failureOf(readParams({ params: { id: "x" } }, schema));
    expect(error).toMatchObject({ status: 422, errors: [{ path: "/id" }] });
    expect(error.message).toContain("the path has one mistake");
  });
});
