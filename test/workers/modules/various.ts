/** What the tests of workers ask for, by path. It runs in a thread. */
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";
import { HttpError } from "../../../src/http/errors.ts";
import { cors } from "../../../src/middleware/cors.ts";
import type { Context } from "../../../src/web/context.ts";
import type { Request } from "../../../src/web/request.ts";
import { Response } from "../../../src/web/response.ts";

const readable = cors({ origins: ["https://a.example"] });

const encoder = new TextEncoder();

/** Streams of answers that could not be sent. */
let letGo = 0;

/** Keeps the thread busy: nothing else runs in it meanwhile. */
function spin(durationMs: number): void {
  const until = performance.now() + durationMs;
  while (performance.now() < until);
}

async function* lines(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    await Promise.resolve();
    yield encoder.encode(`line ${i}\n`);
  }
}

/** Pieces of 16 KiB, as many as make so many octets. */
async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= 16_384) {
    await Promise.resolve();
    yield new Uint8Array(Math.min(left, 16_384));
  }
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield encoder.encode("half of");
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw new Error("the other half is missing");
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield encoder.encode("more\n");
  }
}

type Answer = (request: Request, context: Context) => unknown;

const ANSWERS: Readonly<Record<string, Answer>> = {
  "/first": async (request) => {
    await request.body?.getReader().read();
    return new Promise<never>(() => {});
  },
  "/hello": () => new Response("hello from a thread", { headers: { "x-thread": String(threadId) } }),
  "/native": () => globalThis.Response.json({ platform: true }),
  "/facts": (request, context) =>
    Response.json({
      method: request.method,
      url: request.url,
      cookie: request.headers.get("cookie"),
      params: context.params,
      remote: context.remoteAddress.address,
      thread: threadId > 0,
    }),
  "/spin": (request) => {
    spin(Number(new URL(request.url).searchParams.get("ms")));
    return new Response("spun");
  },
  "/echo": (request) => new Response(request.body, { headers: { "content-type": "application/octet-stream" } }),
  "/json": async (request) => Response.json({ got: await request.json() }),
  "/count": async (request) => {
    let bytes = 0;
    for await (const piece of request.body ?? []) bytes += (piece as Uint8Array).length;
    return new Response(String(bytes));
  },
  "/lines": () => new Response(lines(1000)),
  "/much": (request) => new Response(pieces(Number(new URL(request.url).searchParams.get("bytes")))),
  "/broken": () => new Response(broken()),
  "/endless": () => new Response(endless()),
  "/file": () =>
    new Response({ fd: openSync(fileURLToPath(import.meta.url), "r"), start: 0, length: 30, release: () => {} }),
  "/empty": () => new Response(null, { status: 204 }),
  "/cookies": () =>
    new Response("ok", {
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    }),
  "/hints": (_request, context) => {
    context.sendInformational(103, { link: "</style.css>; rel=preload" });
    return new Response("hinted");
  },
  "/teapot": () => {
    throw new HttpError(418, "short and stout", { headers: { "x-handle": "yes" } });
  },
  "/fault": () => {
    throw new RangeError("secret of the thread");
  },
  "/fields": (request, context) =>
    readable(request, context, () => {
      throw request.url.endsWith("?mine") ? new HttpError(409, "taken") : new Error("secret of the thread");
    }),
  "/unsent": (request, context) =>
    readable(request, context, () => {
      const pull = (controller: ReadableStreamDefaultController): void => controller.error(new Error("secret"));
      return new Response(new ReadableStream({ pull }));
    }),
  "/length": (request, context) =>
    readable(request, context, () => new Response("three", { headers: { "content-length": "3" } })),
  "/nothing": () => {},
  "/background": (_request, context) => {
    context.waitUntil(Promise.reject(new Error("afterwards")));
    return new Response("done");
  },
  "/background-fault": (_request, context) => {
    context.waitUntil(
      new Promise((resolve) => setTimeout(resolve, 20)).then(() => {
        throw new Error("after the fault");
      }),
    );
    throw new HttpError(409, "taken");
  },
  "/let-go": () => {
    const content = new ReadableStream({ cancel: () => void letGo++ });
    return new Response(content, { headers: { "content-length": "x" } });
  },
  "/let-go-count": () => new Response(`${letGo}`),
  "/exit": () => process.exit(3),
  "/heap": () => {
    const hoard: unknown[] = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, i) => `${i}-${hoard.length}`));
  },
  "/later": () => {
    setTimeout(() => {
      throw new Error("nobody catches this");
    }, 5);
    return new Promise(() => {});
  },
  "/wait": (request) =>
    new Promise((resolve) => {
      request.signal.addEventListener("abort", () => resolve(new Response("left")));
    }),
};

export default function answer(request: Request, context: Context): unknown {
  const { pathname } = new URL(request.url);
  return (ANSWERS[pathname] ?? (() => new Response("no such page", { status: 404 })))(request, context);
}
