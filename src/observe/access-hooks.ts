/**
 * The access log as hooks: a line per response, per refusal and per fault, in one of its forms, to a sink that it is given.
 *
 * Steps of a line: keep or leave out (skip, sample) -> render, in the form that was chosen -> give to the sink, which writes it
 * off the event loop. A refusal of a request that an answer is owed to is no line of its own but a code in the line of that
 * answer, so that a request is one line. Nothing here can change an answer or hold one back.
 */

import type { Exchange, Refusal } from "../http/exchange.ts";
import type { Fault, Hooks, ResponseInfo } from "../server/hooks.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import {
  type AccessLogOptions,
  type LineSource,
  type LogFormat,
  type LogMembers,
  type LogTarget,
} from "./access-options.ts";
import { AccessRecords, isTrouble, levelOf, type LogLevel } from "./access-record.ts";
import { ApacheLines } from "./apache-line.ts";
import { escapeDeep, escapeLine, escapeText } from "./escape.ts";
import { JsonLines } from "./json-line.ts";
import type { BatchSource } from "./line-batch.ts";
import { PrettyLines } from "./pretty-line.ts";

/** Where lines go. */
export interface LineSink extends BatchSource {
  /** Lines that it had to let go. */
  readonly droppedLines: number;
  /** Whether a short line that comes now will not be let go. */
  readonly isTaking: boolean;
  /**
   * Takes a line, its line feed with it.
   *
   * @param isAscii false if it holds more than ASCII
   */
  write(line: string, isAscii?: boolean): void;
  /** Resolves when all lines so far are with the system. */
  flush(): Promise<void>;
  /** Begins with the file of that name anew. */
  reopen(): void;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

/** A form that has been decided on. */
export type FixedFormat = Exclude<LogFormat, "auto"> | ((response: ResponseInfo) => string);

/** Takes what there is to say, in its form. */
interface Form {
  response(info: ResponseInfo, code: string): void;
  refusal(refusal: Refusal): void;
  fault(fault: Fault): void;
  note(level: LogLevel, message: string, members: LogMembers): void;
  /** Resolves when nothing waits to be rendered. */
  flush(): Promise<void>;
}

/** Hooks that write lines. Made by `accessLog()`. */
export class AccessLog implements Hooks {
  readonly onResponse: (info: ResponseInfo) => void;
  readonly onRefusal: (refusal: Refusal) => void;
  readonly onFault: (fault: Fault) => boolean;
  readonly onClose: () => Promise<void>;
  readonly #sink: LineSink | null;
  readonly #form: Form;
  readonly #hasFaults: boolean;
  readonly #skip: AccessLogOptions["skip"];
  readonly #sample: number;
  readonly #random: () => number;
  /** Codes of refusals whose exchange is not over yet. */
  readonly #codes: Map<Exchange, string> = new Map();
  #sampledOut = 0;
  #toldDropped = 0;

  /**
   * @param options have been checked
   * @param sink null where the options have a logger
   * @internal
   */
  constructor(options: AccessLogOptions, format: FixedFormat, sink: LineSink | null) {
    const { skip, sample = 1, random = Math.random } = options;
    this.#sink = sink;
    this.#form = makeForm(options, format, new AccessRecords(options), sink);
    this.#hasFaults = format !== "common" && format !== "combined" && typeof format !== "function";
    this.#skip = skip;
    this.#sample = sample;
    this.#random = random;
    this.onResponse = (info) => this.#response(info);
    this.onRefusal = (refusal) => this.#refusal(refusal);
    this.onFault = (fault) => this.#fault(fault);
    this.onClose = () => this.flush();
  }

  /** Lines that were not written because too much was waiting for the disk. */
  get droppedLines(): number {
    return this.#sink?.droppedLines ?? 0;
  }

  /** Responses that `sample` or `skip` have left out. */
  get omittedResponses(): number {
    return this.#sampledOut;
  }

  /** Says something of the server itself in the log; nothing where its form has no place for that. */
  note(level: LogLevel, message: string, members: LogMembers = {}): void {
    if (this.#hasFaults) this.#form.note(level, message, members);
  }

  /** Opens the file by its name again, e.g. when a rotation has renamed it. It happens by itself within a second or so. */
  reopen(): void {
    this.#sink?.reopen();
  }

  /** Resolves when all lines so far are with the system. */
  async flush(): Promise<void> {
    await this.#form.flush();
    this.#tellDropped();
    await this.#sink?.flush();
  }

  /** Resolves when all lines are written and the file is closed. Takes nothing afterwards. */
  async close(): Promise<void> {
    await this.#form.flush();
    // Now or never
    this.#tellDropped(true);
    await this.#sink?.close();
  }

  #response(info: ResponseInfo): void {
    let code = "";
    if (this.#codes.size > 0) {
      code = this.#codes.get(info.exchange) ?? "";
      this.#codes.delete(info.exchange);
    }
    if (this.#skip !== undefined && this.#skip(info)) {
      this.#sampledOut++;
      return;
    }
    if (this.#sample < 1 && code === "" && !isTrouble(info) && this.#random() >= this.#sample) {
      this.#sampledOut++;
      return;
    }
    if (this.#sink !== null && this.#sink.droppedLines !== this.#toldDropped) this.#tellDropped();
    this.#form.response(info, code);
  }

  #refusal(refusal: Refusal): void {
    if (refusal.exchange === null) this.#form.refusal(refusal);
    else this.#codes.set(refusal.exchange, refusal.error.code);
  }

  /** False: this form has no place for it, so that the server writes it where it writes them without a hook. */
  #fault(fault: Fault): boolean {
    if (!this.#hasFaults) return false;
    this.#form.fault(fault);
    return true;
  }

  /** That something is missing must be in the log itself: said once it will not be let go too, and with it what it tells. */
  #tellDropped(isLast = false): void {
    if (!isLast && this.#sink?.isTaking === false) return;
    const dropped = this.droppedLines;
    const lines = dropped - this.#toldDropped;
    this.#toldDropped = dropped;
    if (lines > 0) this.#form.note("warn", "log lines dropped", { lines });
  }
}

function makeForm(options: AccessLogOptions, format: FixedFormat, records: AccessRecords, sink: LineSink | null): Form {
  if (sink === null) return new LoggerForm(options.logger as LogTarget, records);
  const time = options.time ?? SYSTEM_TIME;
  if (typeof format === "function") return new LineForm(new OwnLines(format, options, records), sink, false);
  switch (format) {
    case "json":
      return new LineForm(new JsonLines(options, records, time), sink, true);
    case "pretty":
      return new PrettyLines(records, time, options.base ?? {}, (text) => sink.write(text, false));
    case "common":
    case "combined":
      return new LineForm(new ApacheLines(options, records, time, format === "combined"), sink, true);
  }
}

/** Lines, to the sink. */
class LineForm implements Form {
  readonly #lines: LineSource;
  readonly #sink: LineSink;
  readonly #isAscii: boolean;

  constructor(lines: LineSource, sink: LineSink, isAscii: boolean) {
    this.#lines = lines;
    this.#sink = sink;
    this.#isAscii = isAscii;
  }

  response(info: ResponseInfo, code: string): void {
    const lines = this.#lines;
    if (lines.add?.(info, code, this.#sink) === true) return;
    this.#sink.write(lines.response(info, code), this.#isAscii);
  }

  refusal(refusal: Refusal): void {
    this.#sink.write(this.#lines.refusal(refusal), this.#isAscii);
  }

  fault(fault: Fault): void {
    this.#sink.write(this.#lines.fault(fault), this.#isAscii);
  }

  note(level: LogLevel, message: string, members: LogMembers): void {
    if (this.#lines instanceof JsonLines) this.#sink.write(this.#lines.line(level, message, members));
    // A line of another form would be no request
    else warn(`${message}: ${Object.values(members).join(" ")}`);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Lines that the user makes of responses, refusals as text. */
class OwnLines implements LineSource {
  readonly #render: (response: ResponseInfo) => string;
  readonly #json: JsonLines;

  constructor(render: (response: ResponseInfo) => string, options: AccessLogOptions, records: AccessRecords) {
    this.#render = render;
    this.#json = new JsonLines(options, records, options.time ?? SYSTEM_TIME);
  }

  response(info: ResponseInfo): string {
    return `${escapeLine(this.#render(info))}\n`;
  }

  refusal(refusal: Refusal): string {
    return this.#json.refusal(refusal);
  }

  fault(): string {
    return "";
  }
}

/** Records, to a logger. */
class LoggerForm implements Form {
  readonly #logger: LogTarget;
  readonly #records: AccessRecords;

  constructor(logger: LogTarget, records: AccessRecords) {
    this.#logger = logger;
    this.#records = records;
  }

  response(info: ResponseInfo, code: string): void {
    const level = levelOf(info);
    this.#logger[level](escapeDeep(this.#records.response(info, code)) as object, "request");
  }

  refusal(refusal: Refusal): void {
    this.#logger.warn(escapeDeep(this.#records.refusal(refusal)) as object, "refused");
  }

  fault(fault: Fault): void {
    const { err: _err, ...record } = this.#records.fault(fault);
    // Loggers know how to write errors
    this.#logger.error({ ...(escapeDeep(record) as object), err: fault.error }, "fault");
  }

  note(level: LogLevel, message: string, members: LogMembers): void {
    this.#logger[level](members, escapeText(message));
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}

function warn(message: string): void {
  process.emitWarning(`access log: ${message}`, { code: "FAIRLEAD_LOG" });
}
