import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Fields } from "../../src/http/fields.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import type { StaticHandler, StaticOptions } from "../../src/static/serve-static.ts";
import { Context } from "../../src/web/context.ts";
import { requestOf } from "../../src/web/request.ts";
import { takeAnswer } from "../../src/web/response.ts";
import { StaticSite } from "./support/static-site.ts";

let site: StaticSite;
let nowMs = 0;
/** A time that stands still until it is moved. */
const time = { nowMs: () => nowMs, elapsedMs: () => nowMs, after: () => (): void => {} };

beforeEach(() => {
  nowMs = Date.parse("2026-11-21T08:00:00Z");
  site = new StaticSite({ "page.html": "<p>page</p>", "a b.html": "space", "large.bin": Buffer.alloc(3_000_000) });
});

afterEach(() => site[Symbol.asyncDispose]());

function make(options: StaticOptions = {}): StaticHandler {
  return serveStatic(site.www, { time, ...options });
}

/** Asks as a server would, with the target as it came. */
function ask(
  handler: StaticHandler,
  target: string,
  fields: [string, string][] = [],
  method = "GET",
): Response | Promise<Response> {
  const context = contextOf(target, fields, method);
  return handler(requestOf(context.exchange, 1), context);
}

function contextOf(target: string, fields: [string, string][] = [], method = "GET"): Context {
  const request = {
    method,
    target,
    version: "1.1",
    scheme: "http",
    authority: "localhost",
    fields: Fields.from(fields),
  };
  return new Context({ request } as unknown as Exchange, () => {});
}

describe("a path that was looked at within the second", () => {
  it.each(["/page.html", "/page.html?v=2", "/a%20b.html", "//page.html"])(
    "is answered without a promise: %s",
    async (target) => {
      const handler = make();
      expect(ask(handler, target)).toBeInstanceOf(Promise);
      await ask(handler, target);
      for (const method of ["GET", "HEAD"]) expect(ask(handler, target, [], method)).not.toBeInstanceOf(Promise);
    },
  );

  it("is answered so with 304, ranges and codings too, of the same frozen lines", async () => {
    const handler = make();
    const first = await ask(handler, "/page.html");
    const tag = first.headers.get("etag") ?? "";
    const lines = [1, 2].map(() => {
      const answer = ask(handler, "/page.html", [["If-None-Match", tag]]) as Response;
      expect(answer.status).toBe(304);
      return takeAnswer(answer as Parameters<typeof takeAnswer>[0]).head.fields;
    });
    expect(lines[0]).toBe(lines[1]);
    expect(Object.isFrozen(lines[0])).toBe(true);
    const part = ask(handler, "/page.html", [["Range", "bytes=1-2"]]) as Response;
    expect([part.status, await part.text()]).toEqual([206, "p>"]);
  });

  it("is answered so under rules too, unless one is forced, and hides the rules' files all the same", async () => {
    site.write("_headers", "/*\n  X-Rule: yes\n");
    site.write("_redirects", "/gone /page.html 302\n/page.html /gone 301\n");
    const handler = make({ rules: true });
    await ask(handler, "/page.html");
    const answer = ask(handler, "/page.html") as Response;
    expect([answer instanceof Promise, answer.status, answer.headers.get("x-rule")]).toEqual([false, 200, "yes"]);
    for (const path of ["/_headers", "/_redirects", "/_Headers"]) {
      for (let i = 0; i < 2; i++) expect((await ask(handler, path)).status).toBe(404);
    }
    site.write("_redirects", "/page.html /gone 301!\n", new Date("2025-01-01"));
    nowMs += 950;
    const moved = await ask(handler, "/page.html");
    expect([moved.status, moved.headers.get("location"), moved.headers.get("x-rule")]).toEqual([301, "/gone", "yes"]);
    expect((await ask(handler, "/page.html")).status).toBe(301);
  });

  it("is looked at again after a second", async () => {
    const handler = make();
    await ask(handler, "/page.html");
    nowMs += 999;
    expect(ask(handler, "/page.html")).not.toBeInstanceOf(Promise);
    nowMs += 1000;
    expect(ask(handler, "/page.html")).toBeInstanceOf(Promise);
  });

  it("is looked at again when the clock was put back", async () => {
    const handler = make();
    await ask(handler, "/page.html");
    nowMs -= 3_600_000;
    expect(ask(handler, "/page.html")).toBeInstanceOf(Promise);
  });

  it("is looked at ahead, so that a busy path never waits", async () => {
    const handler = make();
    await ask(handler, "/page.html");
    for (let i = 0; i < 20; i++) {
      nowMs += 500;
      expect(ask(handler, "/page.html")).not.toBeInstanceOf(Promise);
      nowMs += 300;
      expect(ask(handler, "/page.html")).not.toBeInstanceOf(Promise);
      const seen = handler.stats().hits;
      // The look goes through the thread pool
      await expect.poll(() => ask(handler, "/page.html") instanceof Promise).toBe(false);
      expect(handler.stats().hits).toBeGreaterThan(seen);
      await new Promise((resolve) => setImmediate(resolve));
      await handler.explain(new Request("http://localhost/page.html"));
    }
  });
});

describe("the bounds", () => {
  it("of octets hold, whatever is asked for", async () => {
    for (let i = 0; i < 40; i++) site.write(`file-${i}.txt`, "x".repeat(20_000));
    const handler = make({ maxCacheBytes: 200_000 });
    for (let i = 0; i < 40; i++) {
      expect(await (await ask(handler, `/file-${i}.txt`)).text()).toHaveLength(20_000);
      expect(handler.stats().bytes).toBeLessThanOrEqual(200_000);
    }
    expect(handler.stats().entries).toBeGreaterThan(3);
  });

  it("of entries hold", async () => {
    for (let i = 0; i < 40; i++) site.write(`file-${i}.txt`, "x");
    const handler = make({ maxCacheEntries: 10 });
    for (let i = 0; i < 40; i++) await ask(handler, `/file-${i}.txt`);
    expect(handler.stats().entries).toBe(10);
  });

  it.each<[string, StaticOptions]>([
    ["maxCacheBytes", { maxCacheBytes: 0 }],
    ["maxCacheEntries", { maxCacheEntries: 0 }],
  ])("of nothing keep nothing, and all is answered all the same: %s", async (_what, options) => {
    const handler = make(options);
    for (let i = 0; i < 3; i++) {
      const answers = await Promise.all([1, 2, 3].map(async () => ask(handler, "/page.html")));
      for (const answer of answers) expect(await answer.text()).toBe("<p>page</p>");
    }
    expect(handler.stats()).toMatchObject({ entries: 0, bytes: 0, hits: 0, hitRate: 0, openFiles: 0 });
  });

  it("are not filled by what is not there, nor by other spellings", async () => {
    const handler = make();
    for (let i = 0; i < 50; i++) expect((await ask(handler, `/missing-${i}`)).status).toBe(404);
    for (const target of ["/page.html", "//page.html", "/page.html?1", "/page%2Ehtml"]) await ask(handler, target);
    expect(handler.stats().entries).toBe(1);
  });
});

it("says how it is doing", async () => {
  const handler = make();
  expect(handler.stats()).toEqual({ hits: 0, misses: 0, hitRate: 0, entries: 0, bytes: 0, openFiles: 0 });
  for (let i = 0; i < 4; i++) await ask(handler, "/page.html");
  expect(handler.stats()).toMatchObject({ hits: 3, misses: 1, hitRate: 0.75, entries: 1 });
  await (await ask(handler, "/large.bin")).body?.cancel();
  expect(handler.stats().openFiles).toBe(1);
});

describe("explain", () => {
  it("runs the pipeline and tells its steps and where fields come from", async () => {
    const handler = make({ headers: { "X-Own": "yes" }, cacheControl: 600 });
    const request = new Request("http://localhost/page.html", {
      headers: { "if-none-match": '"x"', "range": "bytes=0-1" },
    });
    const { status, steps, fields } = await handler.explain(request);
    expect(status).toBe(206);
    expect(steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
      "permit GET",
      "resolve file",
      "find file",
      "contain inside",
      "range 206",
    ]);
    const originOf = (name: string): string | undefined =>
      fields.find((field) => field.name.toLowerCase() === name)?.origin;
    expect([originOf("x-own"), originOf("cache-control")]).toEqual(["option headers", "option cacheControl"]);
    expect(fields.filter(({ origin }) => origin === "")).toEqual([]);
  });

  it.each([
    [
      { range: "bytes=0-4" },
      /^octets 0-4 of \d+$/,
      "the length of the range",
      "the name's extension, option mediaTypes",
    ],
    [
      { range: "bytes=0-1,4-5" },
      /^2 parts: octets 0-1, 4-5 of \d+$/,
      "the parts and what divides them",
      "RFC 9110 §14.6",
    ],
    [{}, null, "the file's size", "the name's extension, option mediaTypes"],
  ])("tells what a range is, and whose length is sent: %j", async (headers, why, length, type) => {
    const { steps, fields } = await make().explain(new Request("http://localhost/page.html", { headers }));
    const range = steps.find(({ step }) => step === "range");
    if (why === null) expect(range).toBeUndefined();
    else expect(range?.why).toMatch(why);
    const originOf = (name: string): string | undefined => fields.find((field) => field.name === name)?.origin;
    expect([originOf("content-length"), originOf("content-type")]).toEqual([length, type]);
  });

  it.each([
    ["/nothing", 404],
    ["/.env", 404],
    ["/page.html", 200],
    ["/", 404],
    ["/large.bin", 200],
  ])("gives the status of the answer: %s %i", async (path, status) => {
    const handler = make();
    expect((await handler.explain(new Request(`http://localhost${path}`))).status).toBe(status);
    expect((await handler(new Request(`http://localhost${path}`))).status).toBe(status);
  });

  it.each([
    ["/.env", /leading dot/],
    ["/docs/.env", /leading dot/],
    ["/%2e%2e/etc/passwd", /\.\./],
    ["/elsewhere", /not below \/docs/],
  ])("tells the operator which refusal it is: %s", async (path, why) => {
    const { status, steps } = await make({ prefix: "/docs" }).explain(
      new Request("http://localhost/"),
      contextOf(path),
    );
    expect(status).toBe(404);
    expect(steps.find(({ step }) => step === "resolve")?.why).toMatch(why);
  });

  it.each([
    ["/nothing", {}, "content-type", /Accept/],
    ["/page.html", { "if-match": '"x"' }, "content-type", /Accept/],
    ["/page.html", { range: "bytes=999-" }, "content-type", /Accept/],
    ["/page.html", {}, "content-type", /extension/],
    ["/", {}, "cache-control", /option listing/],
    ["/", {}, "referrer-policy", /option listing/],
    ["/old", {}, "location", /^_redirects:1$/],
    ["/a/missing", {}, "cache-control", /error/],
  ])("tells where a field of this very answer is from: %s %o %s", async (path, headers, name, origin) => {
    site.write("_redirects", "/old /new");
    site.write("a/404.html", "none");
    const handler = make({ listing: true, rules: true });
    const { fields } = await handler.explain(new Request(`http://localhost${path}`, { headers }));
    expect(fields.find((field) => field.name.toLowerCase() === name)?.origin).toMatch(origin);
  });

  it("tells that OPTIONS is answered", async () => {
    const { status, steps } = await make().explain(new Request("http://localhost/page.html", { method: "OPTIONS" }));
    expect([status, steps[0]?.outcome]).toEqual([204, "OPTIONS"]);
  });

  it("tells why a method is refused", async () => {
    const { status, steps } = await make().explain(new Request("http://localhost/page.html", { method: "POST" }));
    expect([status, steps[0]?.outcome]).toEqual([405, "refused"]);
  });
});
