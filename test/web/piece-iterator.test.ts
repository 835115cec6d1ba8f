/** `for await` over request content is ours, past the platform's stream: it has to do all that the platform's own iterator does. */
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { streamOfSource } from "../../src/web/content-stream.ts";
import { PieceIterator } from "../../src/web/piece-iterator.ts";
import { MemoryContent } from "./support/memory-exchange.ts";

type Pieces = ReturnType<ReadableStream<Uint8Array>["values"]>;

interface Situation {
  readonly content: MemoryContent;
  readonly stream: ReadableStream<Uint8Array>;
  readonly iterator: Pieces;
  readonly log: unknown[];
}

const text = (bytes: unknown): unknown => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : bytes);
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** The platform passes on whatever it is given; its types know of nothing. */
function leave(iterator: Pieces, value: unknown): Promise<IteratorResult<Uint8Array>> {
  return (iterator as AsyncIterator<Uint8Array, unknown>).return?.(value) as Promise<IteratorResult<Uint8Array>>;
}

/** What comes of a call, in words. */
async function outcome(call: Promise<IteratorResult<Uint8Array>>): Promise<unknown> {
  try {
    const result: { readonly done?: boolean; readonly value: unknown } = await call;
    return [result.done, text(result.value)];
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
}

const facts = ({ stream, content }: Situation): unknown => ({
  isLocked: stream.locked,
  isDisturbed: Readable.isDisturbed(stream as unknown as Readable),
  isStarted: content.isStarted,
  isCancelled: content.isCancelled,
});

async function loop(situation: Situation, act: (piece: string) => "go on" | "leave" | "throw"): Promise<void> {
  const { log, iterator } = situation;
  try {
    for await (const piece of iterator) {
      log.push(text(piece), facts(situation));
      const wanted = act(String(text(piece)));
      if (wanted === "leave") break;
      if (wanted === "throw") throw new Error("of the loop");
    }
    log.push("left");
  } catch (error) {
    log.push(String(error));
  }
  log.push(facts(situation));
}

const SITUATIONS: Readonly<Record<string, (situation: Situation) => Promise<void>>> = {
  "nobody asks": async (situation) => {
    await turn();
    situation.log.push(facts(situation));
  },
  "all is there": async (situation) => {
    situation.content.feed("one", "two").end();
    await loop(situation, () => "go on");
  },
  "nothing is there": async (situation) => {
    situation.content.end();
    await loop(situation, () => "go on");
  },
  "pieces come later": async (situation) => {
    const looping = loop(situation, () => "go on");
    for (const piece of ["one", "two", "three"]) {
      await turn();
      situation.content.feed(piece);
    }
    await turn();
    situation.content.feed("four", "five");
    await turn();
    situation.content.end();
    await looping;
  },
  "the loop leaves": async (situation) => {
    situation.content.feed("one", "two", "three");
    await loop(situation, (piece) => (piece === "two" ? "leave" : "go on"));
    situation.log.push(await outcome(situation.iterator.next()));
  },
  "the loop throws": async (situation) => {
    situation.content.feed("one");
    await loop(situation, () => "throw");
  },
  "the content fails": async (situation) => {
    const looping = loop(situation, () => "go on");
    situation.content.feed("one");
    await turn();
    situation.content.feed(new Error("cut off"));
    await looping;
    situation.log.push(await outcome(situation.iterator.next()));
  },
  "the content fails behind pieces that nobody has taken": async (situation) => {
    const { iterator, content, log } = situation;
    const first = iterator.next();
    await turn();
    content.feed("one", "two", new Error("cut off"));
    log.push(await outcome(first), await outcome(iterator.next()), await outcome(iterator.next()), facts(situation));
  },
  "the content ends behind pieces that nobody has taken": async (situation) => {
    const { iterator, content, log } = situation;
    const first = iterator.next();
    await turn();
    content.feed("one", "two").end();
    log.push(await outcome(first), facts(situation), await outcome(iterator.next()), facts(situation));
    log.push(await outcome(iterator.next()), facts(situation), await outcome(iterator.next()));
  },
  "several calls wait": async (situation) => {
    const { iterator, content, log } = situation;
    const calls = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    await turn();
    content.feed("one");
    await turn();
    content.feed("two", "three").end();
    log.push(await Promise.all(calls.map(outcome)), facts(situation));
  },
  "several calls wait for what fails": async (situation) => {
    const { iterator, content, log } = situation;
    const calls = [iterator.next(), iterator.next()];
    await turn();
    content.feed(new Error("cut off"));
    log.push(await Promise.all(calls.map(outcome)), facts(situation));
  },
  "it is returned unasked": async (situation) => {
    const { iterator, log } = situation;
    log.push(await outcome(leave(iterator, "why")), facts(situation));
    log.push(await outcome(iterator.next()), await outcome(leave(iterator, "again")));
  },
  "it is returned while a call waits": async (situation) => {
    const { iterator, content, log } = situation;
    const waiting = iterator.next();
    const returned = leave(iterator, "why");
    await turn();
    content.feed("one", "two");
    log.push(await outcome(waiting), await outcome(returned), facts(situation), await outcome(iterator.next()));
  },
  "it is returned behind the end": async (situation) => {
    const { iterator, content, log } = situation;
    content.feed("one").end();
    log.push(await outcome(iterator.next()), await outcome(leave(iterator, undefined)));
    log.push(facts(situation));
  },
  "it is returned behind a failure that nobody has seen": async ({ iterator, content, log }) => {
    const first = iterator.next();
    await turn();
    content.feed("one");
    log.push(await outcome(first));
    content.feed(new Error("cut off"));
    await turn();
    log.push(await outcome(leave(iterator, "why")), await outcome(iterator.next()));
  },
  "it is returned with pieces left behind the end": async (situation) => {
    const { iterator, content, log } = situation;
    const first = iterator.next();
    await turn();
    content.feed("one", "two").end();
    log.push(await outcome(first), await outcome(leave(iterator, "why")), facts(situation));
    log.push(await outcome(iterator.next()));
  },
  "the content fails after the loop has left": async (situation) => {
    const { iterator, content, log } = situation;
    const first = iterator.next();
    await turn();
    content.feed("one");
    log.push(await outcome(first), await outcome(leave(iterator, "why")));
    content.feed(new Error("cut off"));
    await turn();
    log.push(await outcome(iterator.next()), facts(situation));
  },
  "somebody waits for the end of the stream": async ({ stream, iterator, content, log }) => {
    const ended = finished(stream as unknown as Readable).then(() => log.push("finished"));
    const first = iterator.next();
    await turn();
    content.feed("one", "two", "three").end();
    log.push(await outcome(first));
    await turn();
    for (let i = 0; i < 3; i++) {
      log.push(await outcome(iterator.next()));
      await turn();
    }
    await ended;
  },
  "another reader comes": async (situation) => {
    const { stream, iterator, content, log } = situation;
    content.feed("one", "two").end();
    expect(() => stream.getReader()).toThrow(TypeError);
    expect(() => stream.values()).toThrow(TypeError);
    await expect(stream.cancel()).rejects.toThrow(TypeError);
    for await (const piece of iterator) log.push(text(piece));
    log.push(await outcome(stream.getReader().read() as Promise<IteratorResult<Uint8Array>>));
  },
  "the content was taken by somebody else": async (situation) => {
    situation.content.start({ chunk: () => {}, end: () => {}, fail: () => {} });
    situation.log.push(
      await outcome(situation.iterator.next()),
      await outcome(situation.iterator.next()),
      facts(situation),
    );
  },
};

async function play(name: string, values: (stream: ReadableStream<Uint8Array>) => Pieces): Promise<unknown[]> {
  const content = new MemoryContent(null);
  const stream = streamOfSource(content);
  const situation: Situation = { content, stream, iterator: values(stream), log: [] };
  await SITUATIONS[name]?.(situation);
  return situation.log;
}

describe("the iterator of content does as the platform's where", () => {
  it.each(Object.keys(SITUATIONS))("%s", async (name) => {
    const theirs = await play(name, (stream) => ReadableStream.prototype.values.call(stream) as Pieces);
    const ours = await play(name, (stream) => stream.values());
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(0);
  });
});

describe("the iterator of content", () => {
  it("makes the peer wait while 64 KiB lie unread, and lets it go on when they are taken", async () => {
    const content = new MemoryContent(null);
    const iterator = streamOfSource(content).values();
    const first = iterator.next();
    const piece = "x".repeat(10_000);
    content.feed(...Array.from({ length: 20 }, () => piece));
    expect(content.isPaused).toBe(true);
    let octets = (await first).value?.length ?? 0;
    for (let taken = 1; taken < 8; taken++) octets += (await iterator.next()).value?.length ?? 0;
    expect([octets, content.isPaused]).toEqual([80_000, true]);
    content.end();
    for await (const more of iterator) octets += more.length;
    expect(octets).toBe(200_000);
  });

  it("answers at once, not behind a queue, where no call waits", async () => {
    const content = new MemoryContent(null);
    const iterator = streamOfSource(content).values();
    const first = iterator.next();
    await turn();
    content.feed("one", "two", "three");
    await first;
    const order: string[] = [];
    const next = iterator.next().then(() => order.push("the piece"));
    await Promise.resolve();
    await Promise.resolve();
    order.push("two turns");
    await next;
    expect(order).toEqual(["the piece", "two turns"]);
  });

  it("has what all async iterators have", () => {
    const values = streamOfSource(new MemoryContent(null)).values();
    const of = (object: object): object => Object.getPrototypeOf(object) as object;
    expect(of(of(values))).toBe(of(of(new ReadableStream().values())));
    expect(values[Symbol.asyncIterator]()).toBe(values);
  });

  it("is the platform's where the stream shall go on behind it, or has been read from", async () => {
    for (const yes of [true, 1]) {
      const kept = streamOfSource(new MemoryContent(null).feed("one", "two").end());
      for await (const piece of kept.values({ preventCancel: yes as boolean })) {
        expect(text(piece)).toBe("one");
        break;
      }
      expect(text((await kept.getReader().read()).value)).toBe("two");
    }
    expect(() => streamOfSource(new MemoryContent(null)).values(5 as never)).toThrow(TypeError);
    expect(streamOfSource(new MemoryContent(null)).values(null as never)).toBeInstanceOf(PieceIterator);
    const read = streamOfSource(new MemoryContent(null).feed("one", "two").end());
    const reader = read.getReader();
    expect(text((await reader.read()).value)).toBe("one");
    reader.releaseLock();
    const rest: unknown[] = [];
    for await (const piece of read) rest.push(text(piece));
    expect(rest).toEqual(["two"]);
  });
});
