import { describe, expect, it } from "vitest";
import { compress } from "../../src/middleware/compress.ts";
import { etag, type EtagOptions } from "../../src/middleware/etag.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";
import { ask, type AskOptions, bytesOf, fieldsOf } from "./support/ask.ts";

const TEXT = "All at once the sea was still. ".repeat(100);
const text: Handler = () => new Response(TEXT, { headers: { "x-a": "1", "set-cookie": "a=b", "vary": "cookie" } });

async function tagOf(next: Handler, options: EtagOptions = {}, asked: AskOptions = {}): Promise<string | null> {
  return (await ask(etag(options), next, asked)).headers.get("etag");
}

describe("a tag", () => {
  it("is the same for the same content, and another for other content", async () => {
    const tag = await tagOf(text);
    expect(tag).toMatch(/^"[\w-]{20,}"$/);
    expect(await tagOf(text)).toBe(tag);
    expect(await tagOf(() => new Response(Buffer.from(TEXT)))).toBe(tag);
    expect(await tagOf(async () => new Response(TEXT))).toBe(tag);
    expect(await tagOf(text, {}, { method: "HEAD" })).toBe(tag);
    expect(await tagOf(() => new Response(`${TEXT}.`))).not.toBe(tag);
    expect(await tagOf(text, { weak: true })).toBe(`W/${tag}`);
  });

  it.each<[string, Handler, AskOptions, EtagOptions]>([
    ["a stream", () => new Response(new Blob([TEXT]).stream()), {}, {}],
    ["nothing", () => new Response(null), {}, {}],
    ["an error", () => new Response(TEXT, { status: 500 }), {}, {}],
    ["a POST", text, { method: "POST" }, {}],
    ["too much", text, {}, { maxBytes: TEXT.length - 1 }],
    ["too many octets for its characters", () => new Response("ééé"), {}, { maxBytes: 5 }],
  ])("is not made for %s", async (_what, next, asked, options) => {
    expect(await tagOf(next, options, asked)).toBeNull();
  });

  it("is made for just as much as the option says", async () => {
    expect(await tagOf(() => new Response("ééé"), { maxBytes: 6 })).not.toBeNull();
  });

  it("of the handler's own is left alone", async () => {
    expect(await tagOf(() => new Response(TEXT, { headers: { ETag: 'W/"own"' } }))).toBe('W/"own"');
  });

  it("never gets onto a response that is given to many", async () => {
    const constant = new Response(TEXT);
    await tagOf(() => constant);
    expect(constant.headers.has("etag")).toBe(false);
  });

  it("leaves content as it was", async () => {
    expect((await bytesOf(await ask(etag(), text))).toString()).toBe(TEXT);
    const stream = await ask(etag(), () => new Response(new Blob([TEXT]).stream()));
    expect((await bytesOf(stream)).toString()).toBe(TEXT);
  });
});

describe("a conditional request", () => {
  it("is answered 304 where the client has it, without what describes content", async () => {
    const headers = { "if-none-match": `"other", ${await tagOf(text)}` };
    const response = await ask(etag(), text, { headers });
    expect([response.status, takeAnswer(response).content]).toEqual([304, null]);
    expect(fieldsOf(response)).toEqual({
      "x-a": "1",
      "set-cookie": "a=b",
      "vary": "cookie",
      "etag": await tagOf(text),
    });
  });

  it.each<[number, string, string, Record<string, string>]>([
    [200, "GET", '"other"', {}],
    [304, "GET", '"own"', {}],
    [304, "HEAD", 'W/"own"', {}],
    [304, "GET", "*", {}],
    [200, "POST", '"own"', {}],
  ])("gets %i to %s with If-None-Match: %s and a tag of the handler's", async (status, method, list) => {
    const next: Handler = () => new Response(new Blob(["x"]).stream(), { headers: { etag: '"own"' } });
    expect((await ask(etag(), next, { method, headers: { "if-none-match": list } })).status).toBe(status);
  });

  it("may be by date", async () => {
    const date = "Sat, 21 Nov 2026 10:00:00 GMT";
    const next: Handler = () => new Response(new Blob(["x"]).stream(), { headers: { "last-modified": date } });
    const response = await ask(etag(), next, { headers: { "if-modified-since": date } });
    expect(response.status).toBe(304);
    expect(response.headers.get("last-modified")).toBe(date);
  });

  it("for a version that is gone is 412", async () => {
    const response = await ask(etag(), text, { headers: { "if-match": '"old"' } });
    expect(response.status).toBe(412);
    expect(response.headers.get("etag")).toBe(await tagOf(text));
  });

  it("lets go of a stream that is not sent", async () => {
    let isCancelled = false;
    const stream = new ReadableStream({ cancel: () => void (isCancelled = true) });
    const next: Handler = () => new Response(stream, { headers: { etag: '"own"' } });
    await ask(etag(), next, { headers: { "if-none-match": '"own"' } });
    expect(isCancelled).toBe(true);
  });

  it("goes through compress as it should", async () => {
    const both: Handler = (request, context) => compress()(request, context, (...given) => etag()(...given, text));
    const direct = (headers: Record<string, string>): Promise<Response> =>
      ask((request, context) => both(request, context), text, { headers: { "accept-encoding": "gzip", ...headers } });
    const first = await direct({});
    const tag = first.headers.get("etag") ?? "";
    expect([first.headers.get("content-encoding"), tag.startsWith('W/"')]).toEqual(["gzip", true]);
    const second = await direct({ "if-none-match": tag });
    expect([second.status, second.headers.get("etag")]).toEqual([304, tag]);
  });
});

it.each([{ maxBytes: -1 }, { weak: "yes" }, { week: true }])("options: refuses %j", (options) => {
  expect(() => etag(options as EtagOptions)).toThrow(TypeError);
});
