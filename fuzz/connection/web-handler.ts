/**
 * Plans carried out by a fetch handler: the faces of Request and Response.
 *
 * As with exchanges, acts follow at once where they can, so that some plans return a Response and others a promise. Errors of
 * acts are let through to the server, as most handlers do, or caught, as the act's numbers say; either is noted.
 */

import { HandlerError, HttpError, ProtocolError } from "../../src/http/errors.ts";
import { Fields } from "../../src/http/fields.ts";
import type { Context } from "../../src/web/context.ts";
import type { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { accented, fieldsOf } from "./bare-handler.ts";
import { fileOf, ID_FIELD, say, type Seen, type Stage, streamOf, sumOf, viewOf } from "./observed.ts";
import { type Act, type AnswerAct, taggedOctets } from "./script.ts";
import { playWebTunnel } from "./tunnel-handler.ts";

type ReadAct = Extract<Act, { act: "read" }>;
type Answered = globalThis.Response | undefined;

/** Stands for "go on with the next act". */
const GO_ON = Symbol("go on");

/** Carries out the plan of one exchange, as a fetch handler. */
export function playWeb(
  seen: Seen,
  acts: readonly Act[],
  stage: Stage,
  request: Request,
  context: Context,
): Answered | Promise<Answered> {
  return new WebPlan(seen, acts, stage, request, context).run(0);
}

class WebPlan {
  readonly #seen: Seen;
  readonly #acts: readonly Act[];
  readonly #stage: Stage;
  readonly #request: Request;
  readonly #context: Context;

  constructor(seen: Seen, acts: readonly Act[], stage: Stage, request: Request, context: Context) {
    this.#seen = seen;
    this.#acts = acts;
    this.#stage = stage;
    this.#request = request;
    this.#context = context;
  }

  run(from: number): Answered | Promise<Answered> {
    try {
      for (let index = from; index < this.#acts.length; index++) {
        const result = this.#do(this.#acts[index] as Act);
        if (result === GO_ON) continue;
        if (!(result instanceof Promise)) return this.#through(result);
        this.#stage.isAsync = true;
        return result.then(
          () => this.run(index + 1),
          (error: unknown) => this.#failed(error),
        );
      }
    } catch (error) {
      return this.#failed(error);
    }
    // A handler that returns nothing is answered for
    this.#seen.isFaulty = true;
    return this.#through(undefined);
  }

  #through(response: Answered): Answered {
    this.#seen.isThrough = true;
    return response;
  }

  #failed(error: unknown): never {
    this.#seen.isThrough = true;
    this.#seen.isFaulty = true;
    throw error;
  }

  #do(act: Act): typeof GO_ON | Promise<unknown> | Answered {
    const { exchange } = this.#context;
    switch (act.act) {
      case "wait":
        return this.#stage.after(act.ms);
      case "turn":
        this.#watchSignal();
        return Promise.resolve();
      case "read":
        return this.#read(act) ?? GO_ON;
      case "cancel":
        return this.#cancel() ?? GO_ON;
      case "limit":
        return GO_ON;
      case "inform":
        this.#inform(act.status);
        return GO_ON;
      case "answer":
        return this.#answer(act);
      case "throw":
        throw errorOf(act.what);
      case "abort":
        exchange.abort(new Error("given up"));
        return undefined;
      case "refuse":
        this.#seen.isFaulty = true;
        exchange.refuse(new ProtocolError("ERR_OVERLOADED"));
        return undefined;
      case "waitUntil":
        this.#context.waitUntil(this.#later(act.ms, act.fails));
        return GO_ON;
      case "upgrade":
        this.#upgrade(act);
        return undefined;
    }
  }

  async #later(ms: number, fails: boolean): Promise<void> {
    await this.#stage.after(ms);
    if (fails) throw new Error("what was waited for fails");
  }

  /** Whoever asks for the signal hears of it as often as the exchange says. */
  #watchSignal(): void {
    const { signal } = this.#request;
    this.#seen.exchange.onAbort(() => {
      if (!signal.aborted) this.#stage.faults.push("leaves the signal of a request that was given up");
    });
  }

  #inform(status: number): void {
    try {
      this.#context.sendInformational(status, { [ID_FIELD]: String(this.#seen.index) });
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof HandlerError)) throw error;
    }
  }

  // Content of the request

  #read(act: ReadAct): Promise<unknown> | null {
    const seen = this.#seen;
    const { method } = this.#request;
    if (method === "GET" || method === "HEAD" || seen.isReading) return null;
    seen.isReading = true;
    const reading = this.#readAs(act);
    if (reading === null) return null;
    this.#stage.isAsync = true;
    const noted = reading.catch((error: unknown) => {
      seen.failure = error instanceof Error ? error : new Error(String(error));
      if (act.bytes % 2 === 1 && act.how !== "background") throw error;
    });
    if (act.how !== "background") return noted;
    // Whoever reads on behind the answer sees to its errors himself
    noted.catch(() => {});
    return null;
  }

  #readAs(act: ReadAct): Promise<void> | null {
    const request = this.#request;
    switch (act.how) {
      case "slow":
      case "part":
        return this.#readPieces(act);
      case "throwing":
        // Locked, and never read
        request.body?.getReader();
        this.#seen.isLettingGo = true;
        return null;
      case "twice":
        // What has no content may be read again and again
        return act.ms % 2 === 0 && !this.#context.exchange.content.isEmpty ? this.#readTwice() : this.#readClone();
      default:
        return act.ms % 2 === 0
          ? request.text().then((text) => this.#note(Buffer.from(text)))
          : request.arrayBuffer().then((bytes) => this.#note(Buffer.from(bytes)));
    }
  }

  async #readPieces(act: ReadAct): Promise<void> {
    const reader = this.#request.body?.getReader();
    if (reader === undefined) return this.#note(Buffer.alloc(0));
    let received = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += value.length;
      this.#seen.content.push(viewOf(value));
      if (act.how === "slow") await this.#stage.after(act.ms);
      else if (received >= act.bytes) {
        this.#seen.isLettingGo = true;
        await reader.cancel();
        return;
      }
    }
    this.#seen.trailers = Fields.EMPTY;
  }

  async #readTwice(): Promise<void> {
    const first = this.#request.text();
    const second = this.#request.text().then(
      () => this.#stage.faults.push("gives content to a second reader"),
      () => {},
    );
    const text = await first;
    await second;
    this.#note(Buffer.from(text));
  }

  async #readClone(): Promise<void> {
    const twin = this.#request.clone();
    const [one, other] = await Promise.all([this.#request.text(), twin.text()]);
    if (one !== other) this.#stage.faults.push("gives a clone other content");
    this.#note(Buffer.from(one));
  }

  #note(bytes: Buffer): void {
    this.#seen.content.push(bytes);
    this.#seen.trailers = Fields.EMPTY;
  }

  #cancel(): Promise<unknown> | null {
    const { body } = this.#request;
    if (body === null) return null;
    this.#seen.isLettingGo = true;
    // A body that is being read is locked
    return body.cancel().catch(() => {});
  }

  // The answer

  #answer(act: AnswerAct): Answered {
    const seen = this.#seen;
    if (act.as === "file") return this.#sendFile(act);
    const headers = pairsOf(fieldsOf(seen, act, this.#stage));
    const init = { status: act.status, headers };
    const length = sumOf(act.sizes);
    const octets = taggedOctets(`r${seen.index}`, 0, length);
    const make = (body: unknown): Response => new Response(body as string, init);
    let response: globalThis.Response;
    switch (act.as) {
      case "none":
        response = make(null);
        break;
      case "text":
        response = make(octets.toString("latin1"));
        break;
      case "utf8":
        response = make(accented(seen, length));
        break;
      case "bytes":
        response = make(Uint8Array.from(octets));
        break;
      case "native":
        response = new globalThis.Response(length === 0 ? null : Uint8Array.from(octets), init);
        break;
      default:
        response = make(streamOf(seen, act, this.#stage));
    }
    const isStream = act.as === "stream" || act.as === "iterable" || act.as === "wrong";
    // What is sent of a stream is said as it is given
    if (isStream || act.as === "none") say(seen, act.status);
    else say(seen, act.status, act.as === "utf8" ? Buffer.from(accented(seen, length)) : octets);
    if (isStream || act.as === "native") this.#stage.isAsync = true;
    return response;
  }

  /** On the exchange itself, which is allowed. */
  #sendFile(act: AnswerAct): Answered {
    const seen = this.#seen;
    const before = seen.said;
    const slice = fileOf(seen, act, this.#stage);
    this.#stage.isAsync = true;
    const head = { status: act.status, reason: "", fields: fieldsOf(seen, act, this.#stage) };
    try {
      const settled = seen.exchange.respond(head, slice);
      if (settled === undefined) return undefined;
      seen.unsettled++;
      const settle = (): void => void seen.unsettled--;
      settled.then(settle, settle);
    } catch (error) {
      seen.said = before;
      throw error;
    }
    return undefined;
  }

  #upgrade(act: Extract<Act, { act: "upgrade" }>): void {
    const tunnel = this.#context.upgrade({ headers: { [ID_FIELD]: String(this.#seen.index) } });
    playWebTunnel(this.#seen, this.#stage, tunnel, act);
  }
}

function pairsOf(fields: readonly string[]): Array<[string, string]> {
  return fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ""] as [string, string]] : []));
}

function errorOf(what: "error" | "http" | "nothing" | "protocol"): unknown {
  switch (what) {
    case "error":
      return new Error("the handler failed");
    case "http":
      return new HttpError(418, "no coffee");
    case "nothing":
      return undefined;
    case "protocol":
      return new ProtocolError("ERR_OVERLOADED");
  }
}
