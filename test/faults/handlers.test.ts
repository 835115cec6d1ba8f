/** Handlers that fail, at every stage: one answer or a visibly broken one, one report with its id, and a server that goes on. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { App } from "../../src/app/app.ts";
import { nodeHandler } from "../../src/node/node-handler.ts";
import type { Fault } from "../../src/server/hooks.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { type Said, say } from "../hazards/support/asked.ts";
import { startVictim, until, type Victim } from "../hazards/support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const MISTAKE = new Error("a secret of the handler");
let victim: Victim;
let faults: Fault[] = [];

afterEach(async () => victim[Symbol.asyncDispose]());

/** Asks a handler once, and another thing after it. */
async function ask(fetch: Handler): Promise<Said> {
  faults = [];
  victim = await startVictim({
    fetch: (request, context) =>
      context.exchange.request.target === "/ask" ? new Response("fine") : fetch(request, context),
    hooks: { onFault: (fault) => void faults.push(fault) },
  });
  const said = await say(victim.server.port, GET, ["GET"]);
  expect(await victim.ask()).toBe("200");
  return said;
}

/** Behaves as a promise until it is asked for what it holds. */
const thenable: never = new Proxy(
  {},
  {
    get: () => () => {
      throw MISTAKE;
    },
  },
) as never;

const thrown: ReadonlyArray<readonly [string, unknown]> = [
  ["an Error", MISTAKE],
  ["text", "a secret of the handler"],
  ["a number", 42],
  ["null", null],
  ["undefined", undefined],
  ["a symbol", Symbol("secret")],
  ["an object without prototype", Object.create(null)],
  [
    "an Error whose message throws",
    Object.defineProperty(new Error("x"), "message", {
      get: () => {
        throw MISTAKE;
      },
    }),
  ],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        get: () => {
          throw MISTAKE;
        },
        getPrototypeOf: () => {
          throw MISTAKE;
        },
      },
    ),
  ],
];

describe("before the head", () => {
  it.each(thrown)("%s that is thrown is answered 500 with an id", async (_, value) => {
    const { responses, text } = await ask(() => {
      throw value;
    });
    expect(responses.map(({ status }) => status)).toEqual([500]);
    expect(faults).toHaveLength(1);
    expect(text).toContain(faults[0]?.id);
    expect(text).not.toContain("secret");
  });

  it.each(thrown)("%s that a promise rejects with is answered 500 with an id", async (_, value) => {
    const { responses, text } = await ask(async () => {
      throw value;
    });
    expect(responses.map(({ status }) => status)).toEqual([500]);
    expect(text).toContain(faults[0]?.id);
    expect(text).not.toContain("secret");
  });

  it.each<[string, Handler]>([
    [
      "in middleware",
      new App()
        .use(() => {
          throw MISTAKE;
        })
        .get("/", () => new Response("a")).fetch,
    ],
    [
      "in middleware after next",
      new App()
        .use(async (request, context, next) => {
          await next(request, context);
          throw MISTAKE;
        })
        .get("/", () => new Response("a")).fetch,
    ],
    [
      "in onError",
      new App()
        .onError(() => {
          throw MISTAKE;
        })
        .get("/", () => {
          throw new Error("first");
        }).fetch,
    ],
    [
      "in onError, later",
      new App()
        .onError(() => Promise.reject(MISTAKE))
        .get("/", () => {
          throw new Error("first");
        }).fetch,
    ],
    [
      "in notFound",
      new App().notFound(() => {
        throw MISTAKE;
      }).fetch,
    ],
    ["in a thenable", () => thenable],
    [
      "in a member of the response",
      () =>
        new Proxy(new globalThis.Response(""), {
          get: () => {
            throw MISTAKE;
          },
        }),
    ],
  ])("an error %s is answered 500, and told", async (_, fetch) => {
    const { responses, text } = await ask(fetch);
    expect(responses.map(({ status }) => status)).toEqual([500]);
    expect(faults).toHaveLength(1);
    expect(text).not.toContain("secret");
  });
});

describe("after the head", () => {
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("begun");
    await new Promise((resolve) => setImmediate(resolve));
    throw MISTAKE;
  };

  it.each<[string, Handler]>([
    ["an iterator", () => new Response(parts() as never)],
    [
      "a stream",
      () => {
        let pulls = 0;
        const pull = async (controller: ReadableStreamDefaultController): Promise<void> => {
          if (pulls++ > 0) {
            await new Promise((resolve) => setImmediate(resolve));
            throw MISTAKE;
          }
          controller.enqueue(Buffer.from("begun"));
        };
        return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
      },
    ],
    [
      "a stream of the platform's",
      () =>
        new globalThis.Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(Buffer.from("begun"));
              setImmediate(() => controller.error(MISTAKE));
            },
          }),
        ),
    ],
    [
      "a stream of what is no octets",
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(Buffer.from("begun"));
              controller.enqueue(42);
            },
          }) as never,
        ),
    ],
  ])("%s that fails breaks the message visibly off", async (_, fetch) => {
    const { responses } = await ask(fetch);
    expect([responses[0]?.status, responses[0]?.isWhole]).toEqual([200, false]);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.id).not.toBe("");
    expect(victim.outcomes).toEqual([]);
  });

  it("work that was given to waitUntil and fails is told, and changes no answer", async () => {
    const { responses } = await ask((_, context) => {
      context.waitUntil(Promise.reject(MISTAKE));
      return new Response("fine");
    });
    await until(() => faults.length === 1);
    expect([responses[0]?.status, responses[0]?.isWhole]).toEqual([200, true]);
    expect(faults[0]?.error).toBe(MISTAKE);
  });
});

it("a promise that never settles holds nobody else up, and is given up by timeouts.handlerMs", async () => {
  victim = await startVictim({
    fetch: (_, context) =>
      context.exchange.request.target === "/ask" ? new Response("fine") : new Promise<Response>(() => {}),
    timeouts: { handlerMs: 5000 },
  });
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  const peer = victim.dial();
  await peer.send(GET);
  await until(() => victim.exchanges.length === 1);
  expect(await victim.ask()).toBe("200");
  victim.time.advance(6000);
  await peer.closed;
  spy.mockRestore();
  expect([peer.status, victim.refusals]).toEqual(["503", ["ERR_HANDLER_TIMEOUT"]]);
  const id = /^ +id +(\S+)$/m.exec(peer.text)?.[1];
  expect(id).toBeDefined();
  expect(written).toEqual([expect.stringContaining(`a handler failed at GET / (${id})`)]);
  expect(written[0]).toContain("timeouts.handlerMs");
});

it.each<[string, Handler]>([
  ["reads all of it", async (request) => new Response(await request.text())],
  [
    "waits for the next piece",
    async (request) => {
      for await (const piece of request.body ?? []) void piece;
      return new Response("never");
    },
  ],
  [
    "is a listener that waits for data",
    nodeHandler((incoming, response) => void incoming.on("data", () => {}).on("end", () => response.end("never"))),
  ],
])(
  "a client whose content has not come when timeouts.handlerMs is over gets 408: the handler %s",
  async (_how, read) => {
    const told: Fault[] = [];
    victim = await startVictim({
      fetch: (request, context) =>
        context.exchange.request.target === "/ask" ? new Response("fine") : read(request, context),
      timeouts: { handlerMs: 5000 },
      hooks: { onFault: (fault) => void told.push(fault) },
    });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(2_000)}`);
    await until(() => victim.server.stats.requests === 1);
    // A stream of Node begins to flow in the next turn
    await new Promise(setImmediate);
    victim.time.advance(6000);
    await peer.closed;
    expect(peer.status).toBe("408");
    expect(peer.text).toContain("timeouts.handlerMs would allow it");
    expect(await victim.ask()).toBe("200");
    expect(told).toEqual([]);
  },
);

it("a client that sends nothing is late by timeouts.minContentRate where timeouts.handlerMs is over at the same moment", async () => {
  const told: Fault[] = [];
  victim = await startVictim({
    fetch: async (request) => new Response(await request.text()),
    timeouts: { handlerMs: 5000, contentGraceMs: 5000 },
    hooks: { onFault: (fault) => void told.push(fault) },
  });
  const peer = victim.dial();
  await peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  await until(() => victim.server.stats.requests === 1);
  // One look at deadlines in each turn, as timers do
  for (let looks = 0; looks < 12; looks++) {
    victim.time.advance(500);
    await new Promise(setImmediate);
  }
  await peer.closed;
  expect([peer.status, told]).toEqual(["408", []]);
});

it.each<[string, Handler]>([
  [
    "has taken a piece and asks for no more",
    async (request) => {
      await request.body?.getReader().read();
      return new Promise<Response>(() => {});
    },
  ],
  ["is a listener that lets content flow away unheard", nodeHandler((incoming) => void incoming.resume())],
])("a handler is late itself that %s", async (_how, fetch) => {
  victim = await startVictim({
    fetch,
    timeouts: { handlerMs: 5000 },
  });
  const peer = victim.dial();
  await peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(2_000));
  await until(() => victim.server.stats.requests === 1);
  await new Promise(setImmediate);
  victim.time.advance(6000);
  await peer.closed;
  expect(peer.status).toBe("503");
});

it.each([true, false])(
  "the 503 of timeouts.handlerMs has the id that observers get (explaining: %s)",
  async (explain) => {
    const told: Fault[] = [];
    victim = await startVictim({
      fetch: () => new Promise<Response>(() => {}),
      timeouts: { handlerMs: 5000 },
      explainRefusals: explain,
      hooks: { onFault: (fault) => void told.push(fault) },
    });
    const peer = victim.dial();
    await peer.send(GET);
    await until(() => victim.server.stats.requests === 1);
    victim.time.advance(6000);
    await peer.closed;
    expect(told[0]).toMatchObject({ error: { code: "ERR_HANDLER_TIMEOUT" } });
    expect(told[0]?.id).toMatch(/./);
    expect(told[0]?.exchange?.status).toBe(503);
    expect(peer.text).toContain(told[0]?.id);
  },
);
