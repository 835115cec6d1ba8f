import * as fc from "fast-check";
import { PassThrough } from "node:stream";
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { compress, type CompressOptions } from "../../src/middleware/compress.ts";
import { CODINGS } from "../../src/middleware/content-coder.ts";
import type { FileSlice } from "../../src/http/exchange.ts";
import type { TimeSource } from "../../src/web/clock.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";
import { ManualTime } from "./support/manual-time.ts";
import { arrive, ask, type Asked, type AskOptions, bytesOf, fieldsOf } from "./support/ask.ts";

const TEXT = "All at once the sea was still, and nobody said a word. ".repeat(40);
const LARGE = TEXT.repeat(40);
const GZIP: AskOptions = { headers: { "accept-encoding": "gzip" } };

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => (zlib as unknown as { zstdDecompressSync: (bytes: Buffer) => Buffer }).zstdDecompressSync(bytes),
};

function text(init: Record<string, string> = {}, content: string | ReadableStream = TEXT): Response {
  return new Response(content, { headers: { "content-type": "text/plain", ...init } });
}

async function decoded(response: Response): Promise<string> {
  const decode = DECODERS[response.headers.get("content-encoding") ?? ""];
  const bytes = await bytesOf(response);
  return (decode === undefined ? bytes : decode(bytes)).toString();
}

describe("content that is whole", () => {
  it.each(CODINGS)("is coded in %s, at once where it is small", async (coding) => {
    const result = compress()(...askedWith(coding), () => text());
    expect(result).toBeInstanceOf(Response);
    const response = result as Response;
    expect(fieldsOf(response)).toEqual({
      "content-type": "text/plain",
      "content-encoding": coding,
      "vary": "accept-encoding",
    });
    expect(await decoded(response)).toBe(TEXT);
  });

  it.each(CODINGS)("is coded in %s on a thread where it is large", async (coding) => {
    const result = compress()(...askedWith(coding), () => text({}, LARGE));
    expect(result).toBeInstanceOf(Promise);
    const response = (await result) as Response;
    expect(takeAnswer(response).content).toBeInstanceOf(Uint8Array);
    expect(await decoded(response)).toBe(LARGE);
  });

  it("may be octets", async () => {
    const bytes = Buffer.from(TEXT);
    const response = await ask(
      compress(),
      () =>
        new Response(bytes, {
          headers: { "content-type": "application/json", "content-length": String(bytes.length) },
        }),
      GZIP,
    );
    expect(response.headers.has("content-length")).toBe(false);
    expect(await decoded(response)).toBe(TEXT);
  });

  it("is measured in octets, not in characters", async () => {
    const coding = async (content: string): Promise<string | null> =>
      (await ask(compress(), () => text({}, content), GZIP)).headers.get("content-encoding");
    expect([await coding("é".repeat(511)), await coding("é".repeat(512))]).toEqual([null, "gzip"]);
  });

  it("is sent as it is where coding makes it no smaller", async () => {
    const noise = Buffer.from(Array.from({ length: 2048 }, (_, i) => ((i * 7919) ^ (i * i * 104_729)) & 0xff));
    const make = (): Response => new Response(noise, { headers: { "content-type": "text/plain", "etag": '"a"' } });
    const response = await ask(compress({ brotliQuality: 0, gzipLevel: 0 }), make, GZIP);
    expect(fieldsOf(response)).toEqual({ "content-type": "text/plain", "etag": '"a"', "vary": "accept-encoding" });
    expect(await bytesOf(response)).toEqual(noise);
  });

  it("comes out as it went in, whatever it is", async () => {
    const whole = fc.asyncProperty(
      fc.string({ unit: "binary", maxLength: 3000 }),
      fc.constantFrom(...CODINGS),
      async (content, coding) => {
        const middleware = compress({ minBytes: 0 });
        const response = (await middleware(...askedWith(coding), () => text({}, content))) as Response;
        expect(await decoded(response)).toBe(Buffer.from(content).toString());
      },
    );
    await fc.assert(whole, { seed: 7, numRuns: 100 });
  });

  it("of a response that is given to many is coded for each", async () => {
    const constant = text();
    const middleware = compress();
    const [one, two] = [await ask(middleware, () => constant, GZIP), await ask(middleware, () => constant)];
    expect(await decoded(one)).toBe(TEXT);
    expect(fieldsOf(two)).toEqual({ "content-type": "text/plain", "vary": "accept-encoding" });
    expect(fieldsOf(constant)).toEqual({ "content-type": "text/plain" });
  });

  it("keeps sharing lines that are shared, for the wire to render once", async () => {
    const middleware = compress();
    const lines = await Promise.all(
      [1, 2].map(async () => takeAnswer(await ask(middleware, () => Response.json([TEXT]), GZIP)).head.fields),
    );
    expect(Object.isFrozen(lines[0])).toBe(true);
    expect(lines[0]).toBe(lines[1]);
  });
});

describe("the choice", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["gzip;q=0", null],
    ["deflate", null],
    ["identity, gzip;q=0.5", null],
    ["gzip, deflate, br", "br"],
    ["gzip;q=1, br;q=0.5", "gzip"],
    ["identity;q=0", null],
    ["*;q=0", null],
  ])("for %j is %s", async (acceptEncoding, coding) => {
    const headers: Record<string, string> = acceptEncoding === undefined ? {} : { "accept-encoding": acceptEncoding };
    const response = await ask(compress(), () => text(), { headers });
    expect(response.headers.get("content-encoding")).toBe(coding);
    expect(response.headers.get("vary")).toBe("accept-encoding");
  });

  it("is the server's where the client takes several alike", async () => {
    const middleware = compress({ codings: ["gzip", "br"] });
    const response = await ask(middleware, () => text(), { headers: { "accept-encoding": "br, gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
  });
});

describe("what is left alone", () => {
  const slice: FileSlice = { fd: 0, start: 0, length: 5000, release: () => {} };
  it.each<[string, () => globalThis.Response]>([
    ["small content", () => text({}, "short")],
    ["content that declares to be small", () => text({ "content-length": "5" }, new Blob(["short"]).stream())],
    ["a small text of the platform's", () => new globalThis.Response("short")],
    ["pictures", () => text({ "content-type": "image/png" })],
    ["content without type", () => new Response(Buffer.from(TEXT))],
    ["what is coded", () => text({ "content-encoding": "br" })],
    ["no-transform", () => text({ "cache-control": "public, no-transform" })],
    ["what was negotiated inside", () => text({ vary: "origin, Accept-Encoding" })],
    ["what offers ranges, as files do", () => text({ "accept-ranges": "bytes" })],
    ["what has a digest of its octets", () => text({ "content-digest": "sha-256=:AAAA:" })],
    ["parts", () => new Response(TEXT, { status: 206, headers: { "content-range": "bytes 0-1/2" } })],
    ["nothing", () => new Response(null, { status: 204 })],
    ["an empty answer", () => new Response(null, { headers: { "content-type": "text/plain" } })],
    ["a part of a file", () => new Response(slice, { headers: { "content-type": "text/plain" } })],
    ["a network error", () => Response.error()],
  ])("%s", async (_what, make) => {
    const before = fieldsOf(make());
    const response = await ask(compress(), make, GZIP);
    expect(fieldsOf(response)).toEqual(before);
  });

  it("is not even copied", async () => {
    const response = new Response("short");
    expect(await ask(compress(), () => response, GZIP)).toBe(response);
    expect(await ask(compress(), () => undefined, GZIP)).toBeUndefined();
  });
});

describe("HEAD", () => {
  it("has the fields of GET and no content", async () => {
    const response = await ask(compress(), () => text({ etag: '"a"' }), { ...GZIP, method: "HEAD" });
    expect(fieldsOf(response)).toEqual({
      "content-type": "text/plain",
      "content-encoding": "gzip",
      "etag": 'W/"a"',
      "vary": "accept-encoding",
    });
    expect(takeAnswer(response).content).toBeNull();
  });

  it("knows by the length that is declared what GET would do", async () => {
    const make = (length: number) => (): Response =>
      new Response(null, { headers: { "content-type": "text/plain", "content-length": String(length) } });
    const small = await ask(compress(), make(5), { ...GZIP, method: "HEAD" });
    expect(fieldsOf(small)).toMatchObject({ "content-length": "5" });
    const large = await ask(compress(), make(5000), { ...GZIP, method: "HEAD" });
    expect(fieldsOf(large)).toMatchObject({ "content-encoding": "gzip" });
    expect(large.headers.has("content-length")).toBe(false);
  });
});

describe("HEAD of what is not at hand", () => {
  it.each([
    ["a text of the platform's", 5000, "gzip"],
    ["a short one", 5, undefined],
  ])("has the fields of GET: %s", async (_what, length, coding) => {
    const make = (): globalThis.Response => new globalThis.Response("x".repeat(length));
    const [head, get] = [await ask(compress(), make, { ...GZIP, method: "HEAD" }), await ask(compress(), make, GZIP)];
    expect(fieldsOf(head)).toEqual(fieldsOf(get));
    expect(head.headers.get("content-encoding") ?? undefined).toBe(coding);
    // Of coded content nobody knows the length without coding it: the wire must not take that of what it was
    expect(takeAnswer(head).content === null).toBe(coding !== undefined);
  });

  it("lets go of a stream", async () => {
    const tap = new Tap();
    const make = (): Response => new Response(tap.stream, { headers: { "content-type": "text/event-stream" } });
    const response = await ask(compress(), make, { ...GZIP, method: "HEAD" });
    expect([response.headers.get("content-encoding"), takeAnswer(response).content]).toEqual(["gzip", null]);
    expect(tap.isCancelled).toBe(true);
  });
});

describe("a 304", () => {
  it.each([
    [{}, "accept-encoding"],
    [{ vary: "origin" }, "origin, accept-encoding"],
    [{ "content-type": "image/png" }, null],
  ])("varies as 200 does (RFC 9110 §15.4.5): %j", async (fields, vary) => {
    const make = (): Response => new Response(null, { status: 304, headers: { etag: '"a"', ...fields } });
    expect((await ask(compress(), make, GZIP)).headers.get("vary")).toBe(vary);
  });
});

describe("an entity tag", () => {
  it.each([
    ['"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"'],
  ])("%s of coded content becomes %s", async (etag, expected) => {
    const response = await ask(compress(), () => text({ etag }), GZIP);
    expect(response.headers.get("etag")).toBe(expected);
  });

  it.each([
    ['W/"a"', 'W/"a"'],
    ['"a"', '"a"'],
    ['W/"b", W/"a"', 'W/"a"'],
    ['W/"a", "a"', '"a"'],
  ])("of a 304 to %s is %s: the one that the client has", async (ifNoneMatch, expected) => {
    const headers = { "accept-encoding": "gzip", "if-none-match": ifNoneMatch };
    const make = (): Response => new Response(null, { status: 304, headers: { etag: '"a"' } });
    expect((await ask(compress(), make, { headers })).headers.get("etag")).toBe(expected);
  });
});

/** A stream that is fed by hand. */
class Tap {
  readonly stream: ReadableStream<Uint8Array>;
  isCancelled = false;
  pulls = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.pulls++;
        },
        cancel: () => {
          this.isCancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  }
  give(content: string): void {
    this.#controller?.enqueue(Buffer.from(content));
  }
  end(): void {
    this.#controller?.close();
  }
  fail(error: Error): void {
    this.#controller?.error(error);
  }
}

/** The coded content of a stream, and what of it can be read so far. */
async function tapped(coding: string, mediaType: string, options: CompressOptions = {}): Promise<Tapped> {
  const tap = new Tap();
  const response = (await compress(options)(...askedWith(coding), () =>
    text({ "content-type": mediaType }, tap.stream),
  )) as Response;
  const { content } = takeAnswer(response);
  return { tap, response, pieces: (content as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]() };
}

interface Tapped {
  readonly tap: Tap;
  readonly response: Response;
  readonly pieces: AsyncIterator<Uint8Array>;
}

/** Decodes what has come of a gzip stream that goes on. */
function decodePart(bytes: Buffer): string {
  return zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString();
}

describe("a stream", () => {
  it.each(CODINGS)("is coded in %s as it comes", async (coding) => {
    const pieces = Array.from({ length: 300 }, (_, i) => `${i} ${TEXT}`);
    const source = (async function* give() {
      for (const piece of pieces) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        yield piece;
      }
    })();
    const response = (await compress()(
      ...askedWith(coding),
      () => new Response(source, { headers: { "content-type": "text/plain" } }),
    )) as Response;
    expect(await decoded(response)).toBe(pieces.join(""));
  });

  it("that gives a large piece is coded in slices", async () => {
    const large = Buffer.alloc(3_000_000, "sea ");
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(large),
      pull: (controller) => controller.close(),
    });
    const response = await ask(compress(), () => text({}, stream), GZIP);
    expect(await decoded(response)).toBe(large.toString());
  });

  it("that ends at once is as good as whole", async () => {
    const response = await ask(compress(), () => new globalThis.Response(TEXT), GZIP);
    expect(takeAnswer(response).content).toBeInstanceOf(Uint8Array);
    expect(await decoded(response)).toBe(TEXT);
  });

  it("without content stays without", async () => {
    const response = await ask(compress(), () => text({}, new Blob([]).stream()), GZIP);
    expect(await bytesOf(response)).toHaveLength(0);
    expect(response.headers.has("content-encoding")).toBe(false);
  });

  it("is held back no longer than a blink when its source pauses", async () => {
    const time = new ManualTime();
    const { tap, pieces } = await tapped("gzip", "text/plain", { time });
    const first = pieces.next();
    tap.give("one");
    // The frame of gzip comes at once, the text when it has waited long enough
    const head = await first;
    const second = pieces.next();
    await time.waiting();
    time.move(20);
    expect(decodePart(Buffer.concat([head.value as Buffer, (await second).value as Buffer]))).toBe("one");
    await pieces.return?.();
  });

  it("that never pauses is not held back either", async () => {
    let nowMs = 0;
    const time: TimeSource = { nowMs: () => nowMs, elapsedMs: () => (nowMs += 5), after: () => () => {} };
    let given = 0;
    const source = (async function* give() {
      for (;;) {
        given++;
        yield "tick ";
      }
    })();
    const make = (): Response => new Response(source, { headers: { "content-type": "text/plain" } });
    const { content } = takeAnswer((await compress({ time })(...askedWith("gzip"), make)) as Response);
    const pieces = (content as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const seen: Buffer[] = [];
    while (seen.length === 0 || decodePart(Buffer.concat(seen)) === "") {
      seen.push((await pieces.next()).value as Buffer);
    }
    expect(given).toBeLessThan(20);
    await pieces.return?.();
  });

  it("of events says each at once", async () => {
    const { tap, response, pieces } = await tapped("gzip", "text/event-stream");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const seen: Buffer[] = [];
    for (const event of ["data: one\n\n", "data: two\n\n"]) {
      tap.give(event);
      const already = seen.length === 0 ? "" : decodePart(Buffer.concat(seen));
      while (seen.length === 0 || decodePart(Buffer.concat(seen)) === already) {
        seen.push((await pieces.next()).value as Buffer);
      }
      expect(decodePart(Buffer.concat(seen)).endsWith(event)).toBe(true);
    }
    await pieces.return?.();
  });

  it("asks its source only when its reader asks", async () => {
    const { tap, pieces } = await tapped("gzip", "text/event-stream");
    expect(tap.pulls).toBe(0);
    const step = pieces.next();
    expect(tap.pulls).toBe(1);
    tap.give("data: 1\n\n");
    await step;
    expect(tap.pulls).toBe(1);
    await pieces.return?.();
  });

  it.each(["while it is waited for", "before anything was read"])(
    "is cancelled when the client leaves %s",
    async (when) => {
      const { tap, pieces } = await tapped("br", "text/plain");
      const step = when.startsWith("while") ? pieces.next() : null;
      await pieces.return?.();
      expect(tap.isCancelled).toBe(true);
      expect(await step).toEqual(step === null ? null : { done: true, value: undefined });
      expect(await pieces.next()).toEqual({ done: true, value: undefined });
    },
  );

  it("of another implementation's response, a Node stream, is destroyed at once when the client leaves", async () => {
    const body = new PassThrough();
    const headers = new Headers({ "content-type": "text/event-stream" });
    const like = { status: 200, statusText: "OK", headers, body, bodyUsed: false };
    const foreign = Object.assign(like, { [Symbol.toStringTag]: "Response" }) as unknown as globalThis.Response;
    const { content } = takeAnswer(await ask(compress(), () => foreign, GZIP));
    const pieces = (content as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const step = pieces.next();
    await pieces.return?.();
    expect(body.destroyed).toBe(true);
    expect(await step).toEqual({ done: true, value: undefined });
  });

  it("that breaks breaks what is sent", async () => {
    const { tap, pieces } = await tapped("gzip", "text/event-stream");
    tap.give("data: 1\n\n");
    await pieces.next();
    const step = pieces.next();
    const rest = step.then(() => pieces.next());
    tap.fail(new Error("broken"));
    await expect(rest).rejects.toThrow("broken");
  });

  it("that breaks at once leaves time for a 500", async () => {
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error("broken")), pull: () => {} });
    await expect(ask(compress(), () => text({}, toLater(broken)), GZIP)).rejects.toThrow("broken");
  });
});

/** Fails with its first read, not before. */
function toLater(stream: ReadableStream): ReadableStream {
  return new ReadableStream({ pull: async () => void (await stream.getReader().read()) }, { highWaterMark: 0 });
}

describe("options", () => {
  it("are checked whole", () => {
    const wrong = { minByte: 3, codings: ["deflate"], gzipLevel: 11, brotliQuality: "4" } as unknown as CompressOptions;
    expect(() => compress(wrong)).toThrow(/minByte: .*minBytes\?[^]*codings: [^]*gzipLevel: 11[^]*brotliQuality: "4"/);
  });

  it("decide what is small and worth it", async () => {
    const middleware = compress({ minBytes: 10, isCompressible: (mediaType) => mediaType === "x/y" });
    const make = (type: string) => (): Response => text({ "content-type": type }, "a".repeat(100));
    expect((await ask(middleware, make("x/y"), GZIP)).headers.get("content-encoding")).toBe("gzip");
    expect((await ask(middleware, make("text/plain"), GZIP)).headers.get("content-encoding")).toBeNull();
  });
});

function askedWith(acceptEncoding: string): [request: Asked["request"], context: Asked["context"]] {
  const { request, context } = arrive({ headers: { "accept-encoding": acceptEncoding } });
  return [request, context];
}
