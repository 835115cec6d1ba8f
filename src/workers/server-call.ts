/**
 * The server's side of one request that a thread answers: messages become a Response, its content flows both ways.
 *
 * The promise of the response settles with the first word of the answer; what comes later reaches the response's content. A
 * thread that ends without a word rejects it, and one that ends within an answer breaks the content, so that the client sees a
 * broken message and never a short one taken for whole.
 */

import { MessageChannel, type MessagePort } from "node:worker_threads";
import { HandlerError, ProtocolError } from "../http/errors.ts";
import type { FieldLines, TlsFacts } from "../http/exchange.ts";
import { streamOfSource } from "../web/content-stream.ts";
import type { Context } from "../web/context.ts";
import { indexOfLine } from "../web/header-lines.ts";
import type { Request } from "../web/request.ts";
import { Response } from "../web/response.ts";
import { type ErrorFacts, errorOf, WantedFields } from "./error-facts.ts";
import { FlowSender, FlowSource } from "./flow.ts";
import type { RequestTask, ServerMessage, ThreadMessage } from "./messages.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** Gives a task to a pool; the signal takes it back, or ends the thread that works on it. */
export type Submit = (task: RequestTask, signal: AbortSignal) => Promise<unknown>;

/** One request on its way through a thread. */
export class ServerCall {
  /** The answer. Rejects with what the handler threw, or with what became of the thread. */
  readonly response: Promise<Response>;
  /** Resolves when thread and port are done with it. Never rejects. */
  readonly finished: Promise<void>;
  readonly #options: ResolvedWorkerOptions;
  readonly #context: Context;
  readonly #request: Request;
  readonly #port: MessagePort;
  readonly #sender: FlowSender;
  readonly #ending = new AbortController();
  readonly #cancelTimers: (() => void)[] = [];
  #source: FlowSource | null = null;
  #isStarted = false;
  #isSettled = false;
  #isSending = false;
  #isOver = false;
  #resolve: (response: Response) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(module: string, request: Request, context: Context, options: ResolvedWorkerOptions, submit: Submit) {
    this.#options = options;
    this.#context = context;
    this.#request = request;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    // Nothing of a request's content goes before the handler asks for it: the client may be waiting for 100 (Continue)
    this.#sender = new FlowSender(this.#post, 0);
    const closed = new Promise<void>((resolve) => port1.once("close", resolve));
    port1.on("message", (message: ThreadMessage) => this.#receive(message));
    const task = taskOf(module, request, context, port2, options);
    const run = submit(task, this.#ending.signal).then(
      () => null,
      (error: unknown) => {
        // The other end may never have been taken over
        port2.close();
        return error as Error;
      },
    );
    this.finished = Promise.all([run, closed]).then(([error]) => this.#end(error));
    context.exchange.onAbort(() => this.#leave());
  }

  readonly #post = (message: ServerMessage, moved: readonly ArrayBuffer[] = []): void => {
    this.#port.postMessage(message, moved);
  };

  #receive(message: ThreadMessage): void {
    switch (message.kind) {
      case "started":
        return this.#start();
      case "informed":
        return this.#inform(message.status, message.lines);
      case "answered":
        return this.#answer(message);
      case "failed":
        return this.#fail(this.#errorOf(message.error));
      case "fault":
        return this.#context.waitUntil(Promise.reject(errorOf(message.error)));
      case "more":
        this.#sendContent();
        return this.#sender.more(message.bytes);
      case "stop":
        return this.#sender.stop();
      default:
        this.#source?.receive(message);
    }
  }

  #start(): void {
    this.#isStarted = true;
    const { timeoutMs, time } = this.#options;
    if (timeoutMs > 0) this.#cancelTimers.push(time.after(timeoutMs, () => this.#timeOut()));
  }

  #inform(status: number, lines: FieldLines): void {
    // The exchange is answered if somebody before us gave up on us
    if (!this.#isSettled && !this.#context.exchange.isAnswered) this.#context.sendInformational(status, pairsOf(lines));
  }

  #answer({ status, reason, lines, content }: Extract<ThreadMessage, { kind: "answered" }>): void {
    if (this.#isSettled) return;
    const { windowBytes } = this.#options;
    let body: Uint8Array | string | ReadableStream<Uint8Array> | null;
    if (content === undefined) {
      // Its credit was given with the task
      this.#source = new FlowSource(this.#post, null, 0, windowBytes);
      body = streamOfSource(this.#source);
    } else {
      // Text without a type would get one
      const isBare = typeof content === "string" && indexOfLine(lines, "content-type") === -1;
      body = isBare ? Buffer.from(content) : content;
    }
    this.#settle();
    try {
      this.#resolve(new Response(body, { status, statusText: reason, headers: pairsOf(lines) }));
    } catch (error) {
      this.#reject(error as Error);
    }
  }

  /** What middleware in the thread has asked for is asked for here. */
  #errorOf(facts: ErrorFacts): Error {
    const { failure } = this.#sender;
    // What broke the content comes back as a copy, of which observers would be told once more
    const isBack = failure instanceof ProtocolError && facts.name === failure.name && facts.code === failure.code;
    const error = isBack ? failure : errorOf(facts);
    if (facts.wanted.length > 0) this.#context.editFailure(error, new WantedFields(facts.wanted));
    return error;
  }

  #fail(error: Error): void {
    if (this.#isSettled) return this.#source?.fail(error);
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
  }

  #timeOut(): void {
    this.#fail(new ProtocolError("ERR_HANDLER_TIMEOUT"));
    this.#stopThread();
  }

  /** The client is gone. Who waits for a thread gives up its place; who works is asked to stop, and then stopped. */
  #leave(): void {
    if (this.#isOver) return;
    this.#sender.stop();
    if (!this.#isStarted) return this.#ending.abort();
    this.#post({ kind: "gone" });
    const { abandonMs, time } = this.#options;
    if (abandonMs !== Infinity) this.#cancelTimers.push(time.after(abandonMs, () => this.#stopThread()));
  }

  /** Not where others' requests would end with it. */
  #stopThread(): void {
    if (!this.#isOver && this.#options.requestsPerThread === 1) this.#ending.abort();
  }

  #sendContent(): void {
    const { body } = this.#request;
    if (this.#isSending || body === null) return;
    this.#isSending = true;
    // What it has credit for is asked for, whoever waits in the thread
    this.#context.exchange.content.isReadAhead = true;
    void this.#sender.send(body);
  }

  #end(error: Error | null): void {
    this.#isOver = true;
    this.#sender.stop();
    this.#fail(error ?? new HandlerError("ERR_RESPONSE_MISSING", "its thread ended without a word"));
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
  }
}

function taskOf(
  module: string,
  request: Request,
  context: Context,
  port: MessagePort,
  { windowBytes, maxBufferedBytes }: ResolvedWorkerOptions,
): RequestTask {
  const url = new URL(request.url);
  const { content, connection } = context.exchange;
  const { id, localAddress, alpnProtocol, serverName, tls, proxy } = connection;
  // As the handler here would see them: behind a trusted proxy they are the client's
  const { remoteAddress, encrypted: isEncrypted } = context;
  return {
    module,
    port,
    method: request.method,
    target: url.pathname + url.search,
    lines: [...request.headers].flat(),
    content: request.body === null ? null : { length: content.length },
    params: { ...context.params },
    route: context.exchange.route,
    connection: {
      id,
      remoteAddress: { ...remoteAddress },
      localAddress: { ...localAddress },
      isEncrypted,
      alpnProtocol,
      serverName,
      // Facts, not the connection itself, which could not be cloned
      tls: tlsFactsOf(tls),
      proxy: proxy ?? null,
    },
    windowBytes,
    maxBufferedBytes,
  };
}

/** What can be cloned of them. */
function tlsFactsOf(tls: TlsFacts | null | undefined): TlsFacts | null {
  if (tls === null || tls === undefined) return null;
  const { version, cipher, isResumed, clientCertificate } = tls;
  return { version, cipher, isResumed, clientCertificate: clientCertificate && { ...clientCertificate } };
}

function pairsOf(lines: FieldLines): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  return pairs;
}
