/**
 * What runs in a thread: one request out of messages, through the user's handler, and its answer back into messages.
 *
 * Steps: load the module (once) -> an exchange whose peer is the port -> handler -> answer -> what goes on behind it -> close the
 * port, which tells the other side that all was said. Nothing of a user's may end the thread here; what does end it (exit,
 * memory, an error that nobody catches) the server sees by itself.
 */

import { fileURLToPath } from "node:url";
import type { MessagePort } from "node:worker_threads";
import type { ProtocolError } from "../http/errors.ts";
import type { Content, FieldLines, ResponseHead } from "../http/exchange.ts";
import { renderProblem } from "../http/problem.ts";
import { discardContent, lengthOf } from "../http1/content-sender.ts";
import { ResponseEncoder } from "../http1/encode.ts";
import { Context } from "../web/context.ts";
import { isResponse, missingResponse } from "../web/edited-response.ts";
import { streamOfFile } from "../web/file-stream.ts";
import type { Handler } from "../web/handler.ts";
import { type LocalAnswer, LocalExchange, type LocalPeer } from "../web/local-exchange.ts";
import { requestOf } from "../web/request.ts";
import { sendResponse } from "../web/send.ts";
import { errorFactsOf } from "./error-facts.ts";
import { FlowSender, FlowSource, type PieceSource } from "./flow.ts";
import { handlerIn, importModule, listNames } from "./handler-module.ts";
import type { RequestTask, ServerMessage, ThreadMessage } from "./messages.ts";

const handlers = new Map<string, Promise<Handler>>();

/** Holds answers to the wire's law where those who made them can still say what becomes of the fields of a 500. */
const encoder = new ResponseEncoder();

/** Answers one request. Resolves when the thread is free for the next; it never rejects. */
export async function answer(task: RequestTask): Promise<void> {
  const { port } = task;
  try {
    await new ThreadCall(task).run();
  } catch (error) {
    port.postMessage({ kind: "failed", error: errorFactsOf(error) } satisfies ThreadMessage);
  } finally {
    port.close();
  }
}

/** Loads a module and finds its handler, to know at the start whether there is one. */
export async function check(module: string): Promise<void> {
  await handlerOf(module);
}

function handlerOf(module: string): Promise<Handler> {
  let handler = handlers.get(module);
  if (handler === undefined) {
    handler = loadHandler(module);
    handlers.set(module, handler);
    // A module that failed may be there the next time
    handler.catch(() => handlers.delete(module));
  }
  return handler;
}

async function loadHandler(module: string): Promise<Handler> {
  const path = fileURLToPath(module);
  const exported = await importModule(path);
  const handler = handlerIn(exported);
  if (handler === null) throw new TypeError(`${path} exports no handler, but ${listNames(exported)}`);
  return handler;
}

class ThreadCall implements LocalPeer {
  readonly #task: RequestTask;
  readonly #port: MessagePort;
  readonly #exchange: LocalExchange;
  readonly #source: FlowSource | null;
  readonly #sender: FlowSender;
  readonly #background: Promise<unknown>[] = [];

  constructor(task: RequestTask) {
    this.#task = task;
    const port = task.port;
    this.#port = port;
    const post = this.#post;
    this.#sender = new FlowSender(post, task.windowBytes);
    this.#source =
      task.content === null ? null : new FlowSource(post, task.content.length, task.windowBytes, task.windowBytes);
    const facts = { connection: task.connection, peer: this };
    this.#exchange = new LocalExchange(
      task.method,
      task.target,
      pairsOf(task.lines),
      this.#source === null ? facts : { ...facts, content: this.#source },
    );
    this.#exchange.route = task.route;
    port.on("message", (message: ServerMessage) => this.#receive(message));
  }

  async run(): Promise<void> {
    const handler = await handlerOf(this.#task.module);
    this.#post({ kind: "started" });
    const context = new Context(this.#exchange, (promise) => this.#background.push(promise.catch(this.#reportFault)));
    context.params = this.#task.params;
    let isAnswer = false;
    try {
      const response: unknown = await handler(requestOf(this.#exchange, this.#task.maxBufferedBytes), context);
      isAnswer = true;
      if (!isResponse(response)) throw missingResponse(response);
      await sendResponse(this.#exchange, response);
      this.#exchange.complete();
    } catch (error) {
      const edit = isAnswer ? context.notedEdits : context.failureEdit(error);
      this.#post({ kind: "failed", error: errorFactsOf(error, edit) });
    }
    // Also behind a failure: what was to be waited for has nothing to do with the answer
    await Promise.all(this.#background);
  }

  readonly #post = (message: ThreadMessage, moved: readonly ArrayBuffer[] = []): void => {
    this.#port.postMessage(message, moved);
  };

  readonly #reportFault = (error: unknown): void => {
    this.#post({ kind: "fault", error: errorFactsOf(error) });
  };

  #receive(message: ServerMessage): void {
    switch (message.kind) {
      case "more":
        return this.#sender.more(message.bytes);
      case "stop":
        return this.#sender.stop();
      case "gone":
        this.#sender.stop();
        return this.#exchange.leave();
      default:
        this.#source?.receive(message);
    }
  }

  inform(status: number, lines: FieldLines): void {
    this.#post({ kind: "informed", status, lines });
  }

  respond(head: ResponseHead, content: Content): void | Promise<void> {
    try {
      encoder.encode(head, lengthOf(content), this.#task.method === "HEAD", 1, true, "");
    } catch (error) {
      discardContent(content, error as Error);
      throw error;
    }
    const isKnown = content === null || typeof content === "string" || content instanceof Uint8Array;
    const { status, reason, fields } = head;
    const lines = [...fields];
    if (isKnown) {
      // A view would be cloned with all of the buffer that it looks into
      const whole = content instanceof Uint8Array ? new Uint8Array(content) : content;
      const moved = whole instanceof Uint8Array ? [whole.buffer] : [];
      return this.#post({ kind: "answered", status, reason, lines, content: whole }, moved);
    }
    this.#post({ kind: "answered", status, reason, lines, content: undefined });
    return this.#sender.send(piecesOf(content));
  }

  discard(content: Content, reason: Error): void {
    discardContent(content, reason);
  }

  answerOf(refusal: ProtocolError): LocalAnswer {
    const problem = { status: refusal.status, title: refusal.message, detail: refusal.message, code: refusal.code };
    const { contentType, text } = renderProblem(problem, this.#exchange.request.fields.get("accept"));
    return { head: { status: refusal.status, reason: "", fields: ["content-type", contentType] }, content: text };
  }

  gone(): void {
    this.#sender.stop();
    this.#source?.cancel();
  }
}

/** The open file stays in this thread, where whoever gave it can take it back. */
function piecesOf(content: Exclude<Content, null | string | Uint8Array>): PieceSource {
  return "fd" in content ? streamOfFile(content) : content;
}

function pairsOf(lines: FieldLines): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  return pairs;
}
