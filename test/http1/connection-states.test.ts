/**
 * Walks one connection over every pair of (situation, input), and at random through long sequences of inputs.
 *
 * After each input: nothing is thrown, the states are a legal pair, nothing is written behind the end, there is at most one
 * final response per request, and a deadline wherever the peer is waited for. When the connection is then broken off, every
 * exchange has ended exactly once, whoever had to be told was told once, and sources and files are let go.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { READING, WRITING } from "../../src/http1/states.ts";
import { ConnectionHarness } from "../support/wire-harness.ts";

type Act = (harness: ConnectionHarness) => void;

interface Situation {
  readonly make: Act;
  /** Reading and writing. */
  readonly states: readonly [number, number];
  readonly highWaterBytes?: number;
}

const GET = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n";
const CHUNKED = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const PIECE = ConnectionHarness.bytes("a piece of content");

const answer: Act = (h) => h.answer(h.latest, () => "hello");
const answerFirst: Act = (h) => h.answer(h.tracks[0]?.exchange, () => "late");
const stream: Act = (h) => h.answer(h.latest, () => h.source());
const give: Act = (h) => h.sources.at(-1)?.give(PIECE);
const read: Act = (h) => h.read(h.latest);
const pause: Act = (h) => h.content(h.latest, (content) => content.pause());
const resume: Act = (h) => h.content(h.latest, (content) => content.resume());
const cancel: Act = (h) => h.cancel(h.latest);
const send =
  (text: string): Act =>
  (h) =>
    h.send(text);
const then =
  (...acts: readonly Act[]): Act =>
  (h) => {
    for (const act of acts) act(h);
  };
const upgradeReading: Act = (h) =>
  h.upgrade(h.latest, (tunnel) => {
    tunnel.start({
      chunk: (bytes) => void tunnel.write(bytes),
      end: () => tunnel.end(),
      drain: () => {},
      close: () => {},
    });
  });

const { head, content, blocked, discard, tunnel, closed } = READING;
const { idle, pending, streaming, done } = WRITING;

const SITUATIONS: Readonly<Record<string, Situation>> = {
  "fresh": { make: () => {}, states: [head, idle] },
  "behind empty lines": { make: send("\r\n\r\n"), states: [head, idle] },
  "in the middle of a head": { make: send("GET / HTTP/1.1\r\nHo"), states: [head, idle] },
  "between two requests": { make: then(send(GET), answer), states: [head, idle] },
  "in the middle of the second head": { make: then(send(GET), answer, send("GE")), states: [head, idle] },
  "with a request to answer": { make: send(GET), states: [blocked, pending] },
  "with HTTP/1.0 to answer": { make: send("GET / HTTP/1.0\r\n\r\n"), states: [blocked, pending] },
  "with HEAD to answer": { make: send("HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n"), states: [blocked, pending] },
  "with a last request to answer": {
    make: send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"),
    states: [blocked, pending],
  },
  "with a pipelined request": { make: send(GET + GET), states: [blocked, pending] },
  "with garbage behind a request": { make: send(`${GET}@@@\r\n\r\n`), states: [blocked, pending] },
  "informed of hints": { make: then(send(GET), (h) => h.inform(h.latest)), states: [blocked, pending] },
  "half-closed with a request to answer": {
    make: then(send(GET), (h) => h.transport.sendEnd()),
    states: [blocked, pending],
  },
  "shut down with a request to answer": {
    make: then(send(GET), (h) => h.call((c) => c.shutdown())),
    states: [blocked, pending],
  },
  "content unread": { make: send(`${POST}0123`), states: [content, pending] },
  "content expected": {
    make: send(POST.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")),
    states: [content, pending],
  },
  "content being read": { make: then(send(`${POST}0123`), read), states: [content, pending] },
  "chunks being read": { make: then(send(`${CHUNKED}4\r\n01`), read), states: [content, pending] },
  "content read by a handler at once": {
    make: then((h) => void (h.onExchange = (e) => h.read(e)), send(`${POST}0123`)),
    states: [content, pending],
  },
  "content paused": { make: then(send(`${POST}0123`), read, pause), states: [content, pending] },
  "content cancelled": { make: then(send(`${POST}0123`), cancel), states: [content, pending] },
  "much content unread, the peer paused": {
    make: then(send(POST.replace("10", "999999")), send("x".repeat(80_000))),
    states: [content, pending],
  },
  "content read whole": { make: then(send(`${POST}0123456789`), read), states: [blocked, pending] },
  "content refused": { make: then(send(`${CHUNKED}x\r\n`), read), states: [discard, pending] },
  "content too large": { make: then(send(POST.replace("10", "99999999")), read), states: [discard, pending] },
  "answering in pieces": { make: then(send(GET), stream, give), states: [blocked, streaming] },
  "answering HTTP/1.0 in pieces": {
    make: then(send("GET / HTTP/1.0\r\n\r\n"), stream, give),
    states: [blocked, streaming],
  },
  "answering in pieces to a slow peer": {
    make: then(send(GET), stream, give),
    states: [blocked, streaming],
    highWaterBytes: 1,
  },
  "answering a file to a slow peer": {
    make: then(send(GET), (h) => h.answer(h.latest, () => h.file())),
    states: [blocked, streaming],
    highWaterBytes: 1,
  },
  "between two requests, the peer slow": { make: then(send(GET), answer), states: [head, idle], highWaterBytes: 1 },
  "with a pipelined request, the peer slow": {
    make: then(send(GET + GET + GET), answer),
    states: [blocked, pending],
    highWaterBytes: 1,
  },
  "answering in pieces, content unread": {
    make: then(send(`${POST}0123`), stream, give),
    states: [content, streaming],
  },
  "answering in pieces, content being read": {
    make: then(send(`${POST}0123`), read, stream, give),
    states: [content, streaming],
  },
  "answering in pieces, content refused": {
    make: then(send(`${CHUNKED}4\r\n`), read, stream, send("0123xx")),
    states: [discard, streaming],
  },
  "answered, content being drained": { make: then(send(`${POST}0123`), answer), states: [content, done] },
  "answered, content being read": { make: then(send(`${POST}0123`), read, answer), states: [content, done] },
  "lingering behind a refusal": { make: send("@@@\r\n\r\n"), states: [discard, WRITING.closed] },
  "lingering behind the last answer": {
    make: then(send(`${POST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}0123456789`), read, answer),
    states: [discard, WRITING.closed],
  },
  "lingering, the peer slow": { make: send("@@@\r\n\r\n"), states: [discard, WRITING.closed], highWaterBytes: 1 },
  "lingering beyond its time, the peer slow": {
    make: then(send("@@@\r\n\r\n"), (h) => h.expire()),
    states: [discard, WRITING.closed],
    highWaterBytes: 1,
  },
  "shut down when idle": { make: (h) => h.call((c) => c.shutdown()), states: [discard, WRITING.closed] },
  "upgraded, unread": {
    make: then(send(`${UPGRADE}early`), (h) => h.upgrade(h.latest, () => {})),
    states: [tunnel, WRITING.closed],
  },
  "upgraded, echoing": { make: then(send(`${UPGRADE}early`), upgradeReading), states: [tunnel, WRITING.closed] },
  "given up": { make: then(send(GET), (h) => h.abort(h.latest)), states: [closed, WRITING.closed] },
  "broken off when idle": { make: (h) => h.transport.reset(new Error("ECONNRESET")), states: [closed, WRITING.closed] },
  "broken off with a request to answer": {
    make: then(send(GET), (h) => h.transport.reset(new Error("ECONNRESET"))),
    states: [closed, WRITING.closed],
  },
  "closed by both sides": { make: then((h) => h.transport.sendEnd()), states: [closed, WRITING.closed] },
};

const INPUTS: Readonly<Record<string, Act>> = {
  "a request": send(GET),
  "two requests": send(GET + GET),
  "a request by HTTP/1.0": send("GET / HTTP/1.0\r\n\r\n"),
  "half a head": send("GET / HTTP/1.1\r\nHost: a.ex"),
  "the head of content": send(POST),
  "octets of content": send("0123456789"),
  "the head of chunks": send(CHUNKED),
  "a chunk": send("4\r\n0123\r\n"),
  "the last chunk": send("0\r\nX: y\r\n\r\n"),
  "an upgrade": send(UPGRADE),
  "an empty line": send("\r\n"),
  "garbage": send("\0\x01@@@\r\n\r\n"),
  "very much": send("x".repeat(70_000)),
  "the peer's end": (h) => {
    h.transport.sendEnd();
    h.transport.pump();
  },
  "a reset": (h) => h.transport.reset(new Error("ECONNRESET")),
  "a drained queue": (h) => h.transport.drain(),
  "a flush": (h) => h.call((c) => c.flush()),
  "the next deadline": (h) => h.expire(),
  "ten seconds": (h) => h.clock.advance(10_000, () => h.transport.pump()),
  "a shutdown": (h) => h.call((c) => c.shutdown()),
  "an answer": answer,
  "an answer without content": (h) => h.answer(h.latest, () => null),
  "an answer in bytes": (h) => h.answer(h.latest, () => PIECE),
  "an answer in pieces": stream,
  "an answer of a file": (h) => h.answer(h.latest, () => h.file()),
  "an answer that breaks a rule": (h) => h.answer(h.latest, () => "x", ["X", "a\r\nb"]),
  "an answer that says close": (h) => h.answer(h.latest, () => "x", ["Connection", "close"]),
  "an answer with a wrong length": (h) => h.answer(h.latest, () => h.source(), ["Content-Length", "5"]),
  "an answer to the first request": answerFirst,
  "a piece": give,
  "the end of the pieces": (h) => h.sources.at(-1)?.give(null),
  "a failure of the pieces": (h) => h.sources.at(-1)?.give(new Error("the source failed")),
  "an interim response": (h) => h.inform(h.latest),
  "an upgrade by the handler": upgradeReading,
  "a read": read,
  "a pause": pause,
  "a resume": resume,
  "a cancellation": cancel,
  "a higher limit": (h) => h.content(h.latest, (source) => (source.maxBytes = 1e9)),
  "a lower limit": (h) => h.content(h.latest, (source) => (source.maxBytes = 3)),
  "an abort": (h) => h.abort(h.latest),
  "an abort of the first request": (h) => h.abort(h.tracks[0]?.exchange),
};

const situations = Object.entries(SITUATIONS);
const inputs = Object.entries(INPUTS);

async function make(situation: Situation): Promise<ConnectionHarness> {
  const harness = new ConnectionHarness({ highWaterBytes: situation.highWaterBytes ?? Infinity });
  situation.make(harness);
  harness.transport.pump();
  await harness.settle();
  return harness;
}

describe.each(situations)("%s", (_, situation) => {
  test("is the situation that it is called", async () => {
    const harness = await make(situation);
    const { reading, writing } = harness.connection.states;
    expect([reading, writing]).toEqual(situation.states);
    expect(harness.judge()).toEqual([]);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test.each(inputs)("takes %s", async (_name, input) => {
    const harness = await make(situation);
    input(harness);
    expect(harness.judge()).toEqual([]);
    await harness.settle();
    expect(harness.judge()).toEqual([]);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test("ends by time alone when nobody does anything more", async () => {
    const harness = await make(situation);
    const isPeersTurn =
      situation.states[1] !== pending && situation.states[1] !== streaming && situation.states[0] !== tunnel;
    for (let i = 0; i < 20 && isPeersTurn; i++) {
      harness.expire();
      await harness.settle();
      expect(harness.judge()).toEqual([]);
    }
    if (isPeersTurn) expect(harness.transport.isClosed).toBe(true);
    expect(await harness.breakAndFinish()).toEqual([]);
  });
});

describe("backpressure", () => {
  const make = async (situation: string): Promise<ConnectionHarness> => {
    const harness = new ConnectionHarness({ highWaterBytes: 1 });
    SITUATIONS[situation]?.make(harness);
    await harness.settle();
    return harness;
  };

  test("pauses a peer whose content nobody reads, and resumes it for the reader", async () => {
    const harness = await make("much content unread, the peer paused");
    expect(harness.transport.isPaused).toBe(true);
    harness.read(harness.latest);
    expect(harness.transport.isPaused).toBe(false);
    expect(harness.tracks[0]?.contentBytes).toBe(80_000);
    harness.content(harness.latest, (source) => source.pause());
    harness.send("x".repeat(70_000));
    expect(harness.transport.isPaused).toBe(true);
    harness.content(harness.latest, (source) => source.resume());
    await harness.settle();
    expect(harness.transport.isPaused).toBe(false);
    expect(harness.tracks[0]?.contentBytes).toBe(150_000);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test("pauses a peer that sends requests behind one that is not answered", async () => {
    const harness = await make("with a request to answer");
    harness.send(GET.repeat(2000));
    expect([harness.tracks.length, harness.transport.isPaused]).toEqual([1, true]);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test("reads on from a paused peer once it closes, so that the last answer is not lost in a reset", async () => {
    const harness = await make("with a last request to answer");
    harness.send("x".repeat(80_000));
    expect(harness.transport.isPaused).toBe(true);
    answer(harness);
    expect([harness.transport.isPaused, harness.transport.isEnded]).toEqual([false, true]);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test("begins no request while the peer does not take its answers", async () => {
    const harness = await make("fresh");
    harness.onExchange = (exchange) => harness.answer(exchange, () => "at once");
    harness.send(GET);
    harness.send(GET);
    expect(harness.tracks.length).toBe(1);
    harness.transport.drain();
    expect(harness.tracks.length).toBe(2);
    expect(await harness.breakAndFinish()).toEqual([]);
  });

  test("asks a source for no more than the peer takes", async () => {
    const harness = await make("answering in pieces to a slow peer");
    const [source] = harness.sources;
    for (let i = 0; i < 10; i++) source?.give(PIECE);
    await harness.settle();
    await harness.settle();
    expect(harness.latest?.contentBytesSent).toBeLessThanOrEqual(2 * PIECE.length);
    for (let i = 0; i < 20; i++) {
      harness.transport.drain();
      await harness.settle();
    }
    source?.give(null);
    await harness.settle();
    expect(harness.latest?.contentBytesSent).toBe(11 * PIECE.length);
    expect(await harness.breakAndFinish()).toEqual([]);
  });
});

describe("at random", () => {
  const names = fc.array(fc.constantFrom(...Object.keys(INPUTS)), { minLength: 1, maxLength: 30 });
  const options = fc.record({
    highWaterBytes: fc.constantFrom(1, 200, Infinity),
    handlerMs: fc.constantFrom(0, 15_000),
    isReader: fc.boolean(),
    isAnswerer: fc.boolean(),
    maxRequestsPerConnection: fc.constantFrom(2, Infinity),
  });

  test("keeps its promises through any sequence of inputs", async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        names,
        async ({ isReader, isAnswerer, maxRequestsPerConnection, ...rest }, sequence) => {
          const harness = new ConnectionHarness({ ...rest, limits: { maxRequestsPerConnection } });
          harness.onExchange = (exchange) => {
            if (isReader) harness.read(exchange);
            if (isAnswerer) harness.answer(exchange, () => "at once");
          };
          for (const name of sequence) {
            INPUTS[name]?.(harness);
            await harness.settle();
            expect(harness.judge(), name).toEqual([]);
          }
          expect(await harness.breakAndFinish()).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
