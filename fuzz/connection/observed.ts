/**
 * What was observed of a script's run, exchange by exchange: written by the handlers and the player, read by the judge.
 *
 * Data and the few things that all handlers do with it: tagged contents, sources that count what they gave and whether they were
 * closed, files that are released once. Nothing here judges.
 */

import { openSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentSink, Exchange, FileSlice, Outcome } from "../../src/http/exchange.ts";
import type { Fields } from "../../src/http/fields.ts";
import { type AnswerAct, taggedOctets } from "./script.ts";

/** The field that says whose answer a response is. */
export const ID_FIELD = "x-id";
/** Its value where the fields are shared. */
export const SHARED_ID = "shared";

/** One exchange. */
export class Seen {
  readonly index: number;
  readonly exchange: Exchange;
  /** Of the request's content, as a handler got it: the pieces themselves, so that one that is overwritten later shows. */
  readonly content: Buffer[] = [];
  /** Somebody asked for content. */
  isReading = false;
  /** And then wanted no more, or failed to take it. */
  isLettingGo = false;
  /** Its end was said. */
  trailers: Fields | null = null;
  /** Why it never will be. */
  failure: Error | null = null;
  readonly outcomes: Outcome[] = [];
  /** The first of them when all was sent and answered; null: none yet. */
  outcomeAtRest: Outcome | null = null;
  /** How often the handler heard that the peer is gone. */
  aborts = 0;
  /** Octets of the answer as far as they were given to the wire; null: nothing was answered. */
  said: Said | null = null;
  /** Its field lines: name, value, name, value. */
  fields: readonly string[] = [];
  /** Nothing more of the plan is to come. */
  isThrough = false;
  /** The plan, or the server, has answered with a failure. */
  isFaulty = false;
  /** Responses whose promise has not settled. */
  unsettled = 0;
  /** Sources of content that are open, files that are not released. */
  openSources = 0;
  hasTunnel = false;
  /** Somebody has begun to read what comes through the tunnel, or will. */
  isTunnelRead = false;
  /** Octets that came through it. */
  readonly tunnelled: Buffer[] = [];
  /** How many when all was sent and no reader waited any more. */
  tunnelledAtRest = 0;
  /** The reader was told that the peer sends no more. */
  hasTunnelEnd = false;
  /** And that it is gone. */
  isTunnelClosed = false;
  /** Address of the client as the handler is shown it; `""`: no handler was called. */
  client = "";
  /** Its content was refused when nothing was answered yet. */
  isRefusedBefore = false;

  constructor(index: number, exchange: Exchange) {
    this.index = index;
    this.exchange = exchange;
  }
}

/** An answer as the handler gave it. */
export interface Said {
  readonly status: number;
  /** All of it, or what a source has given so far. */
  content: Buffer;
  /** Nothing more is to come. */
  isWhole: boolean;
}

/** What runs of handlers share with the player. */
export interface Stage {
  /** Fields that answers share, by what they are. */
  readonly shared: Map<string, readonly string[]>;
  /** What must not happen, in words. */
  readonly faults: string[];
  /** Something is done in promises: the player must wait for them. */
  isAsync: boolean;
  /** Settles when so much time has passed on the script's clock. */
  after(ms: number): Promise<void>;
}

const NOTHING = Buffer.alloc(0);

/** Octets of an answer: all but those that a failing source never gives. */
export function sumOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Says that `seen` is answered with all of `content`. */
export function say(seen: Seen, status: number, content: Buffer = NOTHING): void {
  seen.said = { status, content, isWhole: true };
}

/** Pieces of a tagged content, one after the other, as the act wants them; counts what it gave and whether it was closed. */
export async function* piecesOf(seen: Seen, act: AnswerAct, stage: Stage): AsyncGenerator<Uint8Array, void> {
  const said: Said = { status: act.status, content: NOTHING, isWhole: false };
  seen.said = said;
  seen.openSources++;
  let given = 0;
  try {
    for (const [index, size] of act.sizes.entries()) {
      if (index === act.failsAt) throw new Error("the source fails");
      if (act.gapMs > 0) await stage.after(act.gapMs);
      if (act.as === "wrong" && index === 1) yield "text" as unknown as Uint8Array;
      given += size;
      said.content = taggedOctets(`r${seen.index}`, 0, given);
      yield Uint8Array.from(taggedOctets(`r${seen.index}`, given - size, size));
    }
    if (act.failsAt >= act.sizes.length) throw new Error("the source fails at its end");
    said.isWhole = true;
  } finally {
    seen.openSources--;
  }
}

/** The same as a stream of the platform, with a source that knows when it is cancelled. */
export function streamOf(seen: Seen, act: AnswerAct, stage: Stage): ReadableStream<Uint8Array> {
  const pieces = piecesOf(seen, act, stage);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece: IteratorResult<Uint8Array, void> = await pieces.next();
        if (piece.done === true) controller.close();
        else controller.enqueue(piece.value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

const FILE_BYTES = 256 * 1024;
const files: Map<string, number> = new Map();

/** Descriptor of a file with {@link FILE_BYTES} of a tagged content. It has no name any more, and stays open. */
function openTagged(tag: string): number {
  const known = files.get(tag);
  if (known !== undefined) return known;
  const path = join(tmpdir(), `fairlead-fuzz-${process.pid}-${tag}`);
  writeFileSync(path, taggedOctets(tag, 0, FILE_BYTES));
  const fd = openSync(path, "r");
  unlinkSync(path);
  files.set(tag, fd);
  return fd;
}

/** The same as part of a file, one that ends too early where the act says that it fails. */
export function fileOf(seen: Seen, act: AnswerAct, stage: Stage): FileSlice {
  const tag = `r${seen.index}`;
  const length = sumOf(act.sizes);
  // Begins with a whole tag, half its length before the end
  const period = tag.length + 1;
  const start = act.failsAt === -1 ? period : Math.floor((FILE_BYTES - length / 2) / period) * period;
  let isReleased = false;
  seen.openSources++;
  seen.said = { status: act.status, content: taggedOctets(tag, 0, length), isWhole: start + length <= FILE_BYTES };
  return {
    fd: openTagged(tag),
    start,
    length,
    release: () => {
      if (isReleased) stage.faults.push("releases a file twice");
      else seen.openSources--;
      isReleased = true;
    },
  };
}

/** The same octets, not a copy: what was given must stay as it is. */
export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What a handler of the bare face reads with: notes all that it is told, and what it should not have been. */
export class NotingSink implements ContentSink {
  readonly #seen: Seen;
  readonly #stage: Stage;
  readonly #onPiece: (bytes: Uint8Array) => void;
  readonly #onOver: () => void;

  constructor(seen: Seen, stage: Stage, onPiece: (bytes: Uint8Array) => void, onOver: () => void) {
    this.#seen = seen;
    this.#stage = stage;
    this.#onPiece = onPiece;
    this.#onOver = onOver;
    seen.isReading = true;
    // Content that had failed before it was let go of can still be started, to hear why
    if (!seen.exchange.content.isStarted) seen.isLettingGo = false;
  }

  chunk(bytes: Uint8Array): void {
    if (bytes.length === 0) this.#fault("gives an empty piece of content");
    this.#judgeOver("gives content behind its end");
    this.#seen.content.push(viewOf(bytes));
    this.#onPiece(bytes);
  }

  end(trailers: Fields): void {
    this.#judgeOver("ends content twice");
    this.#seen.trailers = trailers;
    this.#onOver();
  }

  fail(reason: Error): void {
    this.#judgeOver("fails content behind its end");
    this.#seen.failure = reason;
    this.#onOver();
  }

  #judgeOver(words: string): void {
    if (this.#seen.trailers !== null || this.#seen.failure !== null) this.#fault(words);
    else if (this.#seen.isLettingGo && !this.#seen.exchange.content.isEmpty)
      this.#fault(`${words}, which was let go of`);
  }

  #fault(words: string): void {
    this.#stage.faults.push(`${words} (exchange ${this.#seen.index})`);
  }
}
