import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { addMember, discardResponse, editAnswer, LineEdit, setLine } from "../../src/middleware/edit-response.ts";
import { Context } from "../../src/web/context.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Request } from "../../src/web/request.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";
import { MemoryExchange } from "../web/support/memory-exchange.ts";

const request = new Request("http://a.example/");
const context = new Context(new MemoryExchange(), () => {});
const mark = new LineEdit((lines) => setLine(lines, "x-mark", "1"));

/** What becomes of an answer. */
async function edited(next: Handler): Promise<Response> {
  return (await editAnswer(next, request, context, mark)) as Response;
}

describe("an answer with other fields", () => {
  it.each([
    ["text", () => new Response("ok"), "text/plain;charset=UTF-8", "ok"],
    ["octets", () => new Response(new Uint8Array([111, 107])), null, "ok"],
    ["nothing", () => new Response(null, { status: 204 }), null, ""],
    ["a stream", () => new Response(new Blob(["ok"]).stream()), null, "ok"],
    ["a platform's response", () => new globalThis.Response("ok"), "text/plain;charset=UTF-8", "ok"],
    ["a redirect, whose headers are fixed", () => globalThis.Response.redirect("http://b.example/", 302), null, ""],
  ])("keeps status and content: %s", async (_what, make, contentType, text) => {
    const before = make();
    const { status } = before;
    const after = await edited(() => before);
    expect(after.headers.get("x-mark")).toBe("1");
    expect([after.status, after.headers.get("content-type"), await after.text()]).toEqual([status, contentType, text]);
  });

  it("leaves alone the one that a handler gives to many", async () => {
    const constant = new Response("ok");
    const [one, two] = [await edited(() => constant), await edited(() => constant)];
    expect([await one.text(), await two.text()]).toEqual(["ok", "ok"]);
    expect(constant.headers.has("x-mark")).toBe(false);
  });

  it("hands a part of a file on as it is", async () => {
    const slice = { fd: 0, start: 0, length: 3, release: () => {} };
    const after = await edited(() => new Response(slice, { headers: { "content-length": "3" } }));
    expect(takeAnswer(after)).toEqual({
      head: { status: 200, reason: "", fields: ["content-length", "3", "x-mark", "1"] },
      content: slice,
    });
  });

  it("adds no type to text that has none", async () => {
    const bare = new Response("ok");
    bare.headers.delete("content-type");
    expect((await edited(() => bare)).headers.has("content-type")).toBe(false);
  });

  it("does not wait for what is there at once", () => {
    expect(editAnswer(() => new Response("ok"), request, context, mark)).not.toBeInstanceOf(Promise);
    expect(editAnswer(() => undefined, request, context, mark)).toBeUndefined();
  });
});

describe("an error", () => {
  it.each([
    ["thrown", false],
    ["rejected", true],
  ])("goes its way as it is, and its answer gets the fields: %s", async (_how, isLater) => {
    const own = new Context(new MemoryExchange(), () => {});
    const thrown = new HttpError(404, "gone", { headers: { "x-own": "2" } });
    const next: Handler = () => {
      if (isLater) return Promise.reject(thrown);
      throw thrown;
    };
    const passed = async (): Promise<unknown> => editAnswer(next, request, own, mark);
    await expect(passed()).rejects.toBe(thrown);
    expect(own.failureEdit(thrown)?.apply(["x-own", "2"])).toEqual(["x-own", "2", "x-mark", "1"]);
    expect(thrown.headers).toEqual({ "x-own": "2" });
  });
});

/** As node-fetch has it. */
function foreign(body: PassThrough): globalThis.Response {
  const like = { status: 200, statusText: "OK", headers: new Headers(), body, bodyUsed: false };
  return Object.assign(like, { [Symbol.toStringTag]: "Response" }) as unknown as globalThis.Response;
}

describe("a response that nobody will send", () => {
  it("lets go of its stream, and of its part of a file once", () => {
    const gone: string[] = [];
    discardResponse(new Response(new ReadableStream({ cancel: () => void gone.push("stream") })));
    discardResponse(new globalThis.Response(new ReadableStream({ cancel: () => void gone.push("platform") })));
    discardResponse(new Response({ fd: 0, start: 0, length: 1, release: () => void gone.push("file") }));
    expect(gone).toEqual(["stream", "platform", "file"]);
  });

  it.each(["ours", "another implementation's"])("lets go of a Node stream: %s", async (whose) => {
    const stream = new PassThrough();
    stream.write("begun");
    discardResponse(whose === "ours" ? new Response(stream) : foreign(stream));
    await turn();
    expect(stream.destroyed).toBe(true);
  });

  it("may be anything", async () => {
    const read = new Response(new Blob(["x"]).stream());
    await read.text();
    const all = [undefined, Response.error(), new Response("x"), new Response(null), read];
    expect(() => all.forEach((one) => discardResponse(one))).not.toThrow();
  });
});

describe("lines", () => {
  it("that are shared are changed once, and the result is shared", () => {
    const shared = Object.freeze(["a", "1"]);
    expect(mark.apply(shared)).toBe(mark.apply(shared));
    expect(Object.isFrozen(mark.apply(shared))).toBe(true);
    expect(mark.apply(shared)).toEqual(["a", "1", "x-mark", "1"]);
    const own = ["a", "1"];
    expect(mark.apply(own)).not.toBe(mark.apply(own));
    expect(own).toEqual(["a", "1"]);
  });

  it("are set in place of all of that name", () => {
    const lines = ["X-A", "1", "b", "2", "x-a", "3"];
    setLine(lines, "x-a", "4");
    expect(lines).toEqual(["b", "2", "x-a", "4"]);
  });

  it.each([
    [[], ["vary", "origin"]],
    [
      ["Vary", "accept"],
      ["Vary", "accept, origin"],
    ],
    [
      ["vary", "accept, Origin"],
      ["vary", "accept, Origin"],
    ],
    [
      ["vary", "*"],
      ["vary", "*"],
    ],
  ])("have a member once: %j", (lines: string[], expected) => {
    const changed = [...lines];
    addMember(changed, "vary", "origin");
    expect(changed).toEqual(expected);
  });
});
