import { EventEmitter } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EventInput,
  type EventSink,
  type EventSource,
  eventStream,
  type EventStreamOptions,
} from "../../src/replies/index.ts";
import { renderEvent } from "../../src/replies/event-text.ts";
import { request, startTestServer, type TestRequestInit, type TestResponse } from "../../src/testing/index.ts";
import { ManualTime } from "./support/manual-time.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function ask(source: EventSource, options: EventStreamOptions = {}, init: TestRequestInit = {}): Promise<TestResponse> {
  return request((asked) => eventStream(asked, source, options), "/events", init);
}

/** Reads a stream piece by piece. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(response: Response) {
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  async read(): Promise<string | null> {
    const { done, value } = await this.#reader.read();
    return done ? null : Buffer.from(value).toString();
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

interface Received {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/** A client by the letter of the HTML Standard (§9.2.6): what listeners would be told. */
function interpret(text: string): Received[] {
  const events: Received[] = [];
  let [data, type, id] = ["", "", ""];
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    if (line === "") {
      if (data !== "") events.push({ type: type === "" ? "message" : type, data: data.replace(/\n$/, ""), id });
      [data, type] = ["", ""];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data += `${value}\n`;
    if (field === "event") type = value;
    if (field === "id" && !value.includes("\0")) id = value;
  }
  return events;
}

describe("an event as text", () => {
  it.each<[EventInput, string]>([
    ["hello", "data: hello\n\n"],
    ["", "data: \n\n"],
    ["a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"],
    [{ data: { a: 1 } }, 'data: {"a":1}\n\n'],
    [{ data: null }, "data: null\n\n"],
    [{ data: " x" }, "data:  x\n\n"],
    [{ event: "add", id: "7", data: "x" }, "event: add\nid: 7\ndata: x\n\n"],
    [{ id: "" }, "id: \n\n"],
    [{ retryMs: 0 }, "retry: 0\n\n"],
    [{ comment: "a\nb\r\n\r\ndata: c" }, ": a\n: b\n:\n: data: c\n\n"],
  ])("writes %j", (event, text) => {
    expect(renderEvent(event)).toBe(text);
  });

  it.each<[string, unknown, string]>([
    ["LF in a name", { event: "a\ndata: b", data: "" }, "CR, LF or NUL"],
    ["CR in an id", { id: "1\rdata: b" }, "CR, LF or NUL"],
    ["NUL in an id", { id: "1\0" }, "CR, LF or NUL"],
    ["an id that is a number", { id: 1 }, "text"],
    ["a broken retry", { retryMs: 1.5 }, "whole number"],
    ["data that JSON cannot say", { data: () => {} }, "JSON"],
    ["an unknown member", { data: "", retry: 5 }, '"retry"'],
    ["nothing", {}, "nothing in it"],
    ["null", null, "text or an object"],
  ])("throws for %s", (_, event, message) => {
    expect(() => renderEvent(event as EventInput)).toThrow(message);
  });

  it("is one event whatever the text in it, and gives it back", () => {
    const text = fc.string({ unit: fc.constantFrom("\r", "\n", ":", " ", "a", "data", "id", "\0", "é", "\u2028") });
    fc.assert(
      fc.property(text, text, text, (data, comment, id) => {
        const before = renderEvent({ id: "before", data: "before" });
        let written: string;
        try {
          written = renderEvent({ data: `x${data}`, comment, id });
        } catch {
          expect(id).toMatch(/[\r\n\0]/);
          return;
        }
        const seen = interpret(before + written + renderEvent("after"));
        expect(seen).toHaveLength(3);
        expect(seen[1]).toEqual({
          type: "message",
          data: `x${data}`.replace(/\r\n|\r/g, "\n"),
          id: id.replace(/^ {0}/, ""),
        });
      }),
    );
  });
});

describe("the response", () => {
  it("has the fields of an event stream", async () => {
    const response = await ask(async () => {});
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
  });

  it("takes other fields in place of ours", async () => {
    const response = await ask(async () => {}, { headers: { "cache-control": "no-store", "x-a": "1" } });
    expect([response.headers.get("cache-control"), response.headers.get("x-a")]).toEqual(["no-store", "1"]);
  });

  it("answers HEAD without asking the source", async () => {
    let isAsked = false;
    const source = async (): Promise<void> => void (isAsked = true);
    const response = await ask(source, {}, { method: "HEAD" });
    expect([response.headers.get("content-type"), isAsked]).toEqual(["text/event-stream", false]);
  });

  it.each<[string, EventStreamOptions, string]>([
    ["a short heartbeat", { heartbeatMs: 10 }, "heartbeatMs"],
    ["an unknown option", { heartbeat: 15 } as EventStreamOptions, "did you mean heartbeatMs"],
    [
      "two mistakes",
      { overflow: "wait" as "drop", retryMs: -1 },
      'overflow: "wait" was given, "close" or "drop" is allowed\n  retryMs',
    ],
  ])("throws for %s", (_, options, message) => {
    const asked = new Request("http://localhost/");
    expect(() => eventStream(asked, async () => {}, options)).toThrow(message);
  });

  it("throws for CR LF in a field", () => {
    const asked = new Request("http://localhost/");
    expect(() => eventStream(asked, async () => {}, { headers: { "x-a": "1\r\nx-b: 2" } })).toThrow(TypeError);
  });
});

describe("sources", () => {
  it.each<[string, EventSource]>([
    [
      "a generator",
      (async function* () {
        yield "a";
        yield { data: "b" };
      })(),
    ],
    [
      "a generator function",
      async function* () {
        yield "a";
        yield { data: "b" };
      },
    ],
    [
      "an async function",
      async ({ send }) => {
        await send("a");
        await send({ data: "b" });
      },
    ],
    [
      "a function that closes",
      ({ send, close }) => {
        void send("a");
        void send({ data: "b" });
        close();
      },
    ],
  ])("sends the events of %s and ends", async (_, source) => {
    const response = await ask(source);
    expect(interpret(await response.text()).map(({ data }) => data)).toEqual(["a", "b"]);
    expect(response.faults).toEqual([]);
  });

  it("is open until the client leaves for a function that subscribes, and cleans up then", async () => {
    const emitter = new EventEmitter();
    const response = await ask(({ send }) => {
      const listener = (data: string): void => void send(data);
      emitter.on("news", listener);
      return () => emitter.off("news", listener);
    });
    const reader = new Reader(response);
    const first = reader.read();
    await turn();
    emitter.emit("news", "a");
    expect(await first).toBe("data: a\n\n");
    expect(emitter.listenerCount("news")).toBe(1);
    await reader.cancel();
    await turn();
    expect([emitter.listenerCount("news"), response.faults]).toEqual([0, []]);
  });

  it("begins with what the client has seen last, in UTF-8", async () => {
    const source = async ({ send, lastEventId }: EventSink): Promise<void> => void (await send(lastEventId));
    expect(await (await ask(source)).text()).toBe("data: \n\n");
    const known = await ask(source, {}, { headers: { "last-event-id": "42" } });
    expect(await known.text()).toBe("data: 42\n\n");
    const latin1 = Buffer.from("ключ").toString("latin1");
    const unicode = await ask(source, {}, { headers: { "last-event-id": latin1 } });
    expect(await unicode.text()).toBe("data: ключ\n\n");
  });

  it("tells the client when to come back", async () => {
    const response = await ask(async ({ send }) => void (await send("a")), { retryMs: 2500 });
    expect(await response.text()).toBe("retry: 2500\n\ndata: a\n\n");
  });

  it("is not started by a response that nobody sends", async () => {
    let isStarted = false;
    const source = async (): Promise<void> => void (isStarted = true);
    const response = await request((asked) => {
      eventStream(asked, source);
      return new Response("another");
    }, "/");
    await response.text();
    expect(isStarted).toBe(false);
  });

  it.each<[string, EventSource]>([
    [
      "throws at once",
      () => {
        throw new Error("no source");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("no source");
      },
    ],
    [
      "throws between events",
      async function* () {
        yield "a";
        await turn();
        throw new Error("no source");
      },
    ],
  ])("breaks the stream off where the source %s, and tells the observer", async (_, source) => {
    const app = (asked: Request): Response => eventStream(asked, source);
    const outcome = await request(app, "/").then(
      async (response) => {
        await response.text().catch(() => "");
        await response.finished;
        return response.faults;
      },
      () => [],
    );
    expect(outcome.map(({ error }) => (error as Error).message)).toEqual(["no source"]);
  });

  it("throws where an event is sent that cannot be written", async () => {
    let thrown: unknown = null;
    const response = await ask(async ({ send }) => {
      try {
        await send({ id: "a\nb" });
      } catch (error) {
        thrown = error;
      }
    });
    await response.text();
    expect(thrown).toBeInstanceOf(TypeError);
  });
});

describe("a client that leaves", () => {
  it.each(["cancel", "abort"] as const)("ends generator, signal and timer by %s", async (way) => {
    const time = new ManualTime();
    const controller = new AbortController();
    const seen: string[] = [];
    const response = await ask(
      async function* ({ signal }) {
        signal.addEventListener("abort", () => seen.push("signal"));
        try {
          for (;;) {
            yield "tick";
            await turn();
          }
        } finally {
          seen.push("generator");
        }
      },
      { time },
      { signal: controller.signal },
    );
    const reader = new Reader(response);
    await reader.read();
    expect(time.timerCount).toBe(1);
    if (way === "cancel") await reader.cancel();
    else controller.abort();
    await turn();
    await turn();
    expect([seen.toSorted(), time.timerCount, response.faults]).toEqual([["generator", "signal"], 0, []]);
  });

  it("lets nobody wait for room that will never be", async () => {
    let sink: EventSink | null = null;
    const response = await ask((given) => {
      sink = given;
    });
    const reader = new Reader(response);
    void reader.read().catch(() => null);
    await turn();
    await reader.cancel();
    await turn();
    expect(await (sink as unknown as EventSink).send("late")).toBe(false);
    expect((sink as unknown as EventSink).signal.aborted).toBe(true);
  });

  it("is noticed over a true socket by the heartbeat", async () => {
    const time = new ManualTime();
    let isOver = false;
    await using server = await startTestServer((asked) =>
      eventStream(
        asked,
        ({ send }) => {
          void send("hello");
          return () => (isOver = true);
        },
        { time },
      ),
    );
    const controller = new AbortController();
    const response = await server.fetch("/", { signal: controller.signal });
    expect(await new Reader(response).read()).toBe("data: hello\n\n");
    controller.abort();
    // A peer that only ended its side may still read: writing to it is what tells
    while (!isOver) {
      time.advance(15_000);
      await turn();
    }
    expect([server.faults, time.timerCount]).toEqual([[], 0]);
  });
});

describe("a quiet stream", () => {
  it("gets a heartbeat after silence, and none while events come", async () => {
    const time = new ManualTime();
    let sink: EventSink | null = null;
    const response = await ask((given) => void (sink = given), { time, heartbeatMs: 15_000 });
    const reader = new Reader(response);
    let piece = reader.read();
    await turn();
    time.advance(14_999);
    void (sink as unknown as EventSink).send("a");
    expect(await piece).toBe("data: a\n\n");
    piece = reader.read();
    await turn();
    let isRead = false;
    void piece.then(() => (isRead = true));
    time.advance(14_999);
    await turn();
    expect(isRead).toBe(false);
    time.advance(1);
    expect(await piece).toBe(":\n\n");
    piece = reader.read();
    await turn();
    time.advance(15_000);
    expect(await piece).toBe(":\n\n");
    await reader.cancel();
  });

  it("gets none with Infinity", async () => {
    const time = new ManualTime();
    const response = await ask(() => {}, { time, heartbeatMs: Infinity });
    const reader = new Reader(response);
    void reader.read();
    await turn();
    expect(time.timerCount).toBe(0);
    await reader.cancel();
  });
});

describe("a slow client", () => {
  /** A client that takes the first event and then nothing more; the reply's own queue is what is looked at. */
  function open(source: EventSource, options: EventStreamOptions): AsyncIterator<Uint8Array> {
    const response = eventStream(new Request("http://localhost/"), source, { heartbeatMs: Infinity, ...options });
    return (response.body as ReadableStream<Uint8Array>)[Symbol.asyncIterator]();
  }

  it("makes the source wait", async () => {
    let sent = 0;
    const pieces = open(async ({ send }) => {
      for (; sent < 1000; sent++) await send("x".repeat(1000));
    }, {});
    await pieces.next();
    await turn();
    expect(sent).toBeLessThan(5);
    await pieces.return?.();
  });

  it("ends the stream beyond the limit, behind what waits", async () => {
    const results: Promise<boolean>[] = [];
    const pieces = open(
      ({ send }) => {
        for (let i = 0; i < 5; i++) results.push(send("x".repeat(100)));
      },
      { maxQueuedBytes: 250 },
    );
    const first = await pieces.next();
    expect(Buffer.from(first.value as Uint8Array).toString()).toMatch(/^(?:data: x{100}\n\n){1,3}$/);
    let rest = "";
    for (let step = await pieces.next(); step.done !== true; step = await pieces.next())
      rest += Buffer.from(step.value).toString();
    const taken = (await Promise.all(results)).filter(Boolean).length;
    expect(taken).toBeLessThan(5);
    expect(interpret(Buffer.from(first.value as Uint8Array).toString() + rest)).toHaveLength(taken);
  });

  it("misses events beyond the limit where they may be dropped", async () => {
    let sink: EventSink | null = null;
    const results: Promise<boolean>[] = [];
    const pieces = open(
      (given) => {
        sink = given;
        for (let i = 0; i < 5; i++) results.push(given.send(`${i} ${"x".repeat(100)}`));
      },
      { maxQueuedBytes: 250, overflow: "drop" },
    );
    const first = await pieces.next();
    expect(await Promise.all(results)).toEqual([true, true, false, false, false]);
    expect(interpret(Buffer.from(first.value as Uint8Array).toString())).toHaveLength(2);
    // A source that waits for nothing leaves no more behind than one that does
    expect(results[4]).toBe(results[2]);
    void (sink as unknown as EventSink).send("later");
    const next = await pieces.next();
    expect(Buffer.from(next.value as Uint8Array).toString()).toBe("data: later\n\n");
    await pieces.return?.();
  });
});
