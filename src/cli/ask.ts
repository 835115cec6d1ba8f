/**
 * `fairlead fetch` and `fairlead explain`: one question to what would be served, without a socket.
 *
 *  1 read    what is asked, and of what (question.ts)
 *  2 ask     the true handler, gate and all, over an exchange that has no wire
 *  3 print   the content, or what led to it (explain.ts)
 */

import { read } from "node:fs";
import { promisify } from "node:util";
import type { Content } from "../http/exchange.ts";
import { reasonPhrase } from "../http/status.ts";
import { createExchangeHandler } from "../web/handler.ts";
import type { Handler } from "../web/handler.ts";
import { CommandError, messageOf } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { readIntent } from "./config-intent.ts";
import type { Case } from "./explain.ts";
import { isOn } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { LocalExchange } from "../web/local-exchange.ts";
import type { LocalAnswer } from "../web/local-exchange.ts";
import { escapeText } from "../observe/escape.ts";
import { hintAt } from "../server/fault-text.ts";
import { makeHandler } from "./make-handler.ts";
import type { MadeHandler } from "./make-handler.ts";
import type { Painter } from "./paint.ts";
import { readQuestion } from "./question.ts";
import type { Question } from "./question.ts";
import type { Usage } from "./usage.ts";
import type { CommandWorld } from "./world.ts";

/** What `text()` and its like may read at once; there is no content to read. */
const NO_CONTENT_BYTES = 0;
const PIECE_BYTES = 1024 * 1024;

/** Answers a question on the command line. Exit code 22 for `fetch` with a status of 400 or more. */
export async function ask(
  verb: "explain" | "fetch",
  { words, flags }: Usage,
  world: CommandWorld,
  paint: Painter,
): Promise<ExitCode> {
  const question = readQuestion(verb, words, flags);
  // Here -H is what is asked with, not what is answered with
  const served: Flags = new Map([...flags].filter(([name]) => name !== "header"));
  const { given, settings, subject } = await readIntent(question.subjectWord, served, world);
  if (subject.kind === "module" && world.handOver !== null) return world.handOver();
  const { handler, files } = await makeHandler(subject, settings, given, world);
  if (verb === "explain") return printExplanation({ question, subject, settings }, { handler, files }, world, paint);
  const exchange = new LocalExchange(question.method, question.target, question.lines);
  const answer = await askHandler(handler, exchange, world);
  return printAnswer(question, answer, isOn(flags, "verbose", false), world, paint);
}

async function printExplanation(
  about: Pick<Case, "question" | "subject" | "settings">,
  { handler, files }: MadeHandler,
  world: CommandWorld,
  paint: Painter,
): Promise<ExitCode> {
  const { explain, explainFiles } = await import("./explain.ts");
  const { question } = about;
  // Before the true question, which leaves the file in the cache
  const explanation = files === null ? null : await explainFiles(files, question);
  const exchange = new LocalExchange(question.method, question.target, question.lines);
  const answer = await askHandler(handler, exchange, world);
  release(answer.content);
  world.writeOutput(explain({ ...about, answer, explanation }, paint));
  return 0;
}

async function askHandler(handler: Handler, exchange: LocalExchange, world: CommandWorld): Promise<LocalAnswer> {
  const answer = createExchangeHandler(handler, {
    maxBufferedBytes: NO_CONTENT_BYTES,
    onFault: ({ error }) => {
      const hint = hintAt(error);
      world.writeError(`fairlead: the handler failed: ${stackOf(error)}\n${hint === "" ? "" : `  ${hint}\n`}`);
    },
    waitUntil: (promise) => void promise.catch((error: unknown) => world.writeError(`${stackOf(error)}\n`)),
  });
  answer(exchange);
  try {
    return await exchange.answer;
  } catch (error) {
    throw new CommandError(1, `there was no answer: ${messageOf(error)}`, [], { cause: error });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function printAnswer(
  { method, target }: Question,
  { head, content }: LocalAnswer,
  isVerbose: boolean,
  world: CommandWorld,
  paint: Painter,
): Promise<ExitCode> {
  if (isVerbose) {
    world.writeError(
      `> ${method} ${escapeText(target)}\n< ${head.status} ${head.reason || reasonPhrase(head.status)}\n`,
    );
    for (let i = 0; i < head.fields.length; i += 2) {
      world.writeError(`< ${paint("faint", `${head.fields[i] ?? ""}:`)} ${escapeText(head.fields[i + 1] ?? "")}\n`);
    }
  }
  // RFC 9110 §9.3.2: HEAD has no content, whatever the handler gave
  if (method === "HEAD") release(content);
  else for await (const bytes of octetsOf(content)) await world.writeBytes(bytes);
  return head.status >= 400 ? 22 : 0;
}

/** Gives back what content holds open. */
function release(content: Content): void {
  if (content === null || typeof content === "string") return;
  if ("release" in content) content.release();
  else if (content instanceof ReadableStream) content.cancel().catch(() => {});
}

async function* octetsOf(content: Content): AsyncGenerator<Uint8Array> {
  if (content === null) return;
  if (typeof content === "string") yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else if ("release" in content) {
    try {
      let position = content.start;
      const end = content.start + content.length;
      while (position < end) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - position));
        const { bytesRead } = await promisify(read)(content.fd, piece, 0, piece.length, position);
        if (bytesRead === 0) throw new CommandError(1, "the file became shorter while it was read");
        position += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      content.release();
    }
  } else yield* content as AsyncIterable<Uint8Array>;
}
