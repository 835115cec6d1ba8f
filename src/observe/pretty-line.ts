/**
 * Lines for a person at a terminal, by pino-pretty.
 *
 * It is loaded with the first line; until it is there, lines wait. Whatever came from a peer is made visible before it is given
 * to it: it prints texts as they are, and a terminal obeys what is in them.
 */

import type { Refusal } from "../http/exchange.ts";
import type { Fault, ResponseInfo } from "../server/hooks.ts";
import { shortenStacks } from "../server/shorten-stacks.ts";
import type { TimeSource } from "../web/clock.ts";
import type { LogMembers } from "./access-options.ts";
import { type AccessRecords, levelOf, type LogLevel } from "./access-record.ts";
import { escapeDeep, escapeLine, escapeText } from "./escape.ts";

/** Lines that wait for pino-pretty at most. */
const MOST_WAITING = 1000;

/** What a person is not told of every request. */
const TOO_MUCH = ["remote", "version", "host", "referer", "userAgent", "firstByteMs", "bytes", "durationMs"];
/** Nor of every refusal, of which it matters where it came from. */
const TOO_MUCH_OF_REFUSAL = ["referer", "userAgent", "bytes"];
const IN_MESSAGE = ["method", "target", "status"];

type Prettify = (record: object) => string;

/** Makes lines for people, when it can. */
export class PrettyLines {
  readonly #records: AccessRecords;
  readonly #time: TimeSource;
  readonly #base: LogMembers;
  readonly #write: (text: string) => void;
  #prettify: Prettify | null = null;
  readonly #waiting: object[] = [];
  #loading: Promise<void> | null = null;

  /** @param write takes lines, as soon as they can be made */
  constructor(records: AccessRecords, time: TimeSource, base: LogMembers, write: (text: string) => void) {
    this.#records = records;
    this.#time = time;
    // The operator's own, in the letters of any script
    this.#base = escapeDeep(base, escapeLine) as LogMembers;
    this.#write = write;
  }

  response(info: ResponseInfo, code: string): void {
    const record = this.#records.response(info, code);
    const { method, target, status, durationMs, bytes } = record;
    const message = `${asText(method)} ${asText(target)} ${asText(status)} ${asText(bytes)} B ${asText(durationMs)} ms`;
    this.#line(levelOf(info), escapeText(message), without(record, [...IN_MESSAGE, ...TOO_MUCH]));
  }

  refusal(refusal: Refusal): void {
    const record = this.#records.refusal(refusal);
    const { method, target, status, reason } = record;
    const request = method === undefined ? "" : `${asText(method)} ${asText(target)} `;
    this.#line(
      "warn",
      escapeText(`${request}${asText(status)} refused: ${asText(reason)}`),
      without(record, [
        "reason",
        ...IN_MESSAGE,
        ...TOO_MUCH_OF_REFUSAL,
        ...(target === undefined ? [] : ["requestLine"]),
      ]),
    );
  }

  fault(fault: Fault): void {
    const record = this.#records.fault(fault);
    const { method, target } = record;
    const where = method === undefined ? "" : ` at ${asText(method)} ${asText(target)}`;
    this.#line("error", escapeText(`a handler failed${where}`), without(record, [...IN_MESSAGE, "remote"]));
  }

  /** A line about anything. */
  note(level: LogLevel, message: string, members: LogMembers): void {
    this.#line(level, escapeLine(message), members);
  }

  /** Resolves when no line waits. */
  async flush(): Promise<void> {
    await this.#loading;
  }

  /** @param message with nothing in it that a terminal obeys */
  #line(level: LogLevel, message: string, members: LogMembers): void {
    const { err, rule, ...rest } = members;
    const shown = { ...this.#base, ...(escapeDeep(rest) as object) };
    const time = this.#time.nowMs();
    const record = {
      level: LEVELS[level],
      time,
      msg: message,
      ...shown,
      // The sign for sections is no ASCII, and ours
      ...(rule === undefined ? {} : { rule: escapeDeep(rule, escapeLine) }),
      ...(err === undefined ? {} : { err: shownError(err) }),
    };
    if (this.#prettify !== null) return this.#write(this.#prettify(record));
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(record);
    this.#loading ??= this.#load();
  }

  async #load(): Promise<void> {
    const { prettyFactory } = await import("pino-pretty");
    const prettify = prettyFactory({ colorize: true, singleLine: true, translateTime: "SYS:HH:MM:ss.l" });
    this.#prettify = (record) => prettify(record);
    for (const record of this.#waiting.splice(0)) this.#write(prettify(record));
  }
}

/** As pino counts them. */
const LEVELS: Readonly<Record<LogLevel, number>> = { info: 30, warn: 40, error: 50 };

/** A stack has line feeds of its own, which are ours; what is between them is escaped. */
function shownError(err: unknown): unknown {
  const { stack, ...rest } = err as { stack?: string; type?: string };
  // What we say of a handler has frames of our own alone, in which there is nothing to find
  const keepsForeign = rest.type !== "HandlerError";
  const lines = (stack ?? "").split("\n").map((line) => escapeText(line));
  return { ...(escapeDeep(rest) as object), stack: shortenStacks(lines.join("\n"), keepsForeign) };
}

/** Of a member that a serialiser may have made anything of. */
function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function without(record: Readonly<Record<string, unknown>>, names: readonly string[]): LogMembers {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
