/**
 * Plans carried out on exchanges as the wire gives them: the bare face.
 *
 * Acts follow one another at once where they can, so that a plan without waiting answers before the wire's call returns. What an
 * act is refused, by an error that the interface declares, is answered as the server does: 500 once, or the connection broken.
 */

import { HandlerError, ProtocolError } from "../../src/http/errors.ts";
import type { ByteStream, Content, ResponseHead } from "../../src/http/exchange.ts";
import {
  fileOf,
  ID_FIELD,
  NotingSink,
  piecesOf,
  type Said,
  say,
  type Seen,
  type Stage,
  SHARED_ID,
  streamOf,
  sumOf,
} from "./observed.ts";
import { type Act, type AnswerAct, taggedOctets } from "./script.ts";
import { playTunnel } from "./tunnel-handler.ts";

type ReadAct = Extract<Act, { act: "read" }>;
type UpgradeAct = Extract<Act, { act: "upgrade" }>;

/** Carries out the plan of one exchange. */
export function playBare(seen: Seen, acts: readonly Act[], stage: Stage): void {
  new BarePlan(seen, acts, stage).run(0);
}

class BarePlan {
  readonly #seen: Seen;
  readonly #acts: readonly Act[];
  readonly #stage: Stage;

  constructor(seen: Seen, acts: readonly Act[], stage: Stage) {
    this.#seen = seen;
    this.#acts = acts;
    this.#stage = stage;
  }

  run(from: number): void {
    for (let index = from; index < this.#acts.length; index++) {
      const waiting = this.#do(this.#acts[index] as Act);
      if (waiting === null) continue;
      this.#stage.isAsync = true;
      waiting.then(
        () => this.run(index + 1),
        (error: unknown) => this.#stage.faults.push(`a handler is refused what it may: ${String(error)}`),
      );
      return;
    }
    this.#seen.isThrough = true;
  }

  #do(act: Act): Promise<unknown> | null {
    const { exchange } = this.#seen;
    switch (act.act) {
      case "wait":
      case "waitUntil":
        return this.#stage.after(act.ms);
      case "turn":
        return Promise.resolve();
      case "read":
        return this.#read(act);
      case "cancel":
        this.#seen.isLettingGo = true;
        exchange.content.cancel();
        return null;
      case "limit":
        exchange.content.maxBytes = act.bytes;
        return null;
      case "inform":
        this.#try(() => exchange.inform(act.status, [ID_FIELD, String(this.#seen.index)]));
        return null;
      case "answer":
        this.#answer(act);
        return null;
      case "throw":
        if (exchange.isAnswered) exchange.abort(new Error("the handler failed"));
        else this.#answerFault();
        return null;
      case "abort":
        exchange.abort(new Error("given up"));
        return null;
      case "refuse":
        exchange.refuse(new ProtocolError("ERR_OVERLOADED"));
        return null;
      case "upgrade":
        this.#upgrade(act);
        return null;
    }
  }

  // Content of the request

  #read(act: ReadAct): Promise<void> | null {
    const seen = this.#seen;
    const { content } = seen.exchange;
    const wasStarted = content.isStarted;
    if (seen.isReading || wasStarted) {
      if (act.how === "twice" && wasStarted) this.#startAgain();
      return null;
    }
    let isOver = false;
    let resolve: (() => void) | null = null;
    const over = (): void => {
      isOver = true;
      resolve?.();
    };
    let received = 0;
    const sink = new NotingSink(
      seen,
      this.#stage,
      (bytes) => {
        received += bytes.length;
        if (act.how === "slow") this.#pauseFor(act.ms);
        else if (act.how === "part" && received >= act.bytes && !seen.isLettingGo) {
          seen.isLettingGo = true;
          content.cancel();
          over();
        } else if (act.how === "throwing") {
          seen.isLettingGo = true;
          over();
          throw new Error("the reader fails");
        }
      },
      over,
    );
    if (!this.#try(() => content.start(sink))) return null;
    if (act.how === "twice" && content.isStarted) this.#startAgain();
    if (isOver || act.how === "background") return null;
    return new Promise((settle) => (resolve = settle));
  }

  #pauseFor(ms: number): void {
    const { content } = this.#seen.exchange;
    content.pause();
    this.#stage.after(ms).then(
      () => content.resume(),
      () => {},
    );
  }

  /** Content is given to one reader only. */
  #startAgain(): void {
    const fault = (): void => void this.#stage.faults.push("gives content to a second reader");
    try {
      this.#seen.exchange.content.start({ chunk: fault, end: fault, fail: fault });
      fault();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  // The answer

  #answer(act: AnswerAct): void {
    const seen = this.#seen;
    const before = seen.said;
    const fieldsBefore = seen.fields;
    const wasAnswered = seen.exchange.isAnswered;
    const sources = seen.openSources;
    const content = this.#contentOf(act);
    const head: ResponseHead = {
      status: act.status,
      reason: "",
      fields: fieldsOf(seen, act, this.#stage),
      trailers: act.trailers ? () => ["X-Trailer", String(seen.index)] : null,
    };
    const isAccepted = this.#try(() => {
      const settled = seen.exchange.respond(head, content);
      if (settled === undefined) return;
      this.#stage.isAsync = true;
      seen.unsettled++;
      const settle = (): void => void seen.unsettled--;
      settled.then(settle, settle);
    });
    if (isAccepted && !wasAnswered) return;
    if (act.as === "file" && seen.openSources > sources) this.#stage.faults.push("keeps a file that it refused");
    seen.said = before;
    seen.fields = fieldsBefore;
    if (!wasAnswered) this.#answerFault();
    else if (isAccepted && seen.outcomes.length === 0) this.#stage.faults.push("takes a second answer");
  }

  #contentOf(act: AnswerAct): Content {
    const seen = this.#seen;
    const length = sumOf(act.sizes);
    switch (act.as) {
      case "none":
        say(seen, act.status);
        return null;
      case "text":
        say(seen, act.status, taggedOctets(`r${seen.index}`, 0, length));
        return taggedOctets(`r${seen.index}`, 0, length).toString("latin1");
      case "utf8":
        say(seen, act.status, Buffer.from(accented(seen, length)));
        return accented(seen, length);
      case "native":
      case "bytes":
        say(seen, act.status, taggedOctets(`r${seen.index}`, 0, length));
        return Uint8Array.from(taggedOctets(`r${seen.index}`, 0, length));
      case "file":
        return fileOf(seen, act, this.#stage);
      case "stream":
        say(seen, act.status);
        return streamOf(seen, act, this.#stage);
      case "wrong":
      case "iterable":
        say(seen, act.status);
        return piecesOf(seen, act, this.#stage);
    }
  }

  /** As the server does for a handler that fails before its answer. */
  #answerFault(): void {
    const { exchange, index } = this.#seen;
    const said: Said = { status: 500, content: Buffer.alloc(0), isWhole: true };
    this.#seen.said = said;
    this.#seen.fields = [ID_FIELD, String(index)];
    void exchange.respond({ status: 500, reason: "", fields: [ID_FIELD, String(index)] }, null);
  }

  #upgrade(act: UpgradeAct): void {
    let stream: ByteStream | null = null;
    this.#try(() => (stream = this.#seen.exchange.upgrade([ID_FIELD, String(this.#seen.index)])));
    if (stream !== null) playTunnel(this.#seen, this.#stage, stream, act);
  }

  /** False: refused, as the interface declares. */
  #try(piece: () => void): boolean {
    try {
      piece();
      return true;
    } catch (error) {
      if (error instanceof HandlerError || error instanceof TypeError) return false;
      throw error;
    }
  }
}

/** Fields of an answer: whose it is, the declared length, and what the act wants besides. */
export function fieldsOf(seen: Seen, act: AnswerAct, stage: Stage): readonly string[] {
  const fields = [ID_FIELD, act.isShared ? SHARED_ID : String(seen.index), ...act.fields];
  seen.fields = fields;
  if (act.isShared) {
    const key = fields.join();
    const known = stage.shared.get(key) ?? Object.freeze(fields);
    stage.shared.set(key, known);
    return known;
  }
  if (act.declared === null) return fields;
  const length = act.as === "utf8" ? Buffer.byteLength(accented(seen, sumOf(act.sizes))) : sumOf(act.sizes);
  return [...fields, "Content-Length", String(length + act.declared)];
}

/** Text of `length` code units that has more octets, unless it is empty. */
export function accented(seen: Seen, length: number): string {
  const text = taggedOctets(`r${seen.index}`, 0, length).toString("latin1");
  return text.slice(0, -1) + (length > 0 ? "\u20ac" : "");
}
