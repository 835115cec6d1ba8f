/**
 * Options of the access log: meaning, default and check.
 *
 * What can be checked is checked when the log is made, all mistakes at once; nothing is looked at again per request.
 */

import { isToken } from "../http/fields.ts";
import type { ConnectionInfo, Exchange, Refusal } from "../http/exchange.ts";
import type { Fault, ResponseInfo } from "../server/hooks.ts";
import type { TimeSource } from "../web/clock.ts";
import type { BatchSource } from "./line-batch.ts";
import {
  A_FUNCTION,
  A_TIME_SOURCE,
  AN_OBJECT,
  checkOptions,
  findMistakes,
  FUNCTIONS_BY_NAME,
  isObject,
  throwMistakes,
  listOf,
  type OptionRules,
  whole,
} from "../server/option-rules.ts";

/** What a line is about, by name. */
export type LogMembers = Readonly<Record<string, unknown>>;

/** What records are given to: pino, and what has its methods. */
export interface LogTarget {
  info(record: object, message: string): void;
  warn(record: object, message: string): void;
  error(record: object, message: string): void;
}

/** Forms of a line that have a name. */
export type LogFormat = "auto" | "json" | "pretty" | "common" | "combined";

/** What is kept out of the lines. */
export interface RedactOptions {
  /** Query parameters whose values are left out, or true for all; without regard to case. Default names of secrets. */
  readonly query?: readonly string[] | true | undefined;
  /** Fields whose values are left out, besides Authorization, Proxy-Authorization, Cookie and Set-Cookie. Default none. */
  readonly fields?: readonly string[] | undefined;
  /** Members of the record that are left out, e.g. `remote`. Default none. */
  readonly members?: readonly string[] | undefined;
}

/** What is written down, how, and where to. */
export interface AccessLogOptions {
  /**
   * Form of the lines: `json`, `pretty` for people, `common` or `combined` as Apache defines them, `auto` for `pretty` on a
   * terminal and `json` elsewhere, or a function that makes the line of a response. Default `auto`.
   */
  readonly format?: LogFormat | ((response: ResponseInfo) => string) | undefined;
  /** A file to append to, or a descriptor. Default 1, the standard output. */
  readonly destination?: string | number | undefined;
  /** Takes records in place of lines: pino, or what has its `info`, `warn` and `error`. Excludes format and destination. */
  readonly logger?: LogTarget | undefined;
  /** Members that every JSON line begins with, e.g. the name of the service. Default none. */
  readonly base?: LogMembers | undefined;
  /** Request fields that are part of the record, in `fields`. Default none. */
  readonly fields?: readonly string[] | undefined;
  /** What else is part of the record of a response. Default nothing. */
  readonly members?: ((response: ResponseInfo) => LogMembers) | undefined;
  /** Member to what is written in its place; what gives undefined is left out. Default none. */
  readonly serializers?: Readonly<Record<string, (value: unknown) => unknown>> | undefined;
  /** What is kept out. */
  readonly redact?: RedactOptions | undefined;
  /**
   * The share of responses that is written down, above 0 and up to 1. What went wrong always is: status 400 and above, answers
   * cut off, refusals, faults. Default 1.
   */
  readonly sample?: number | undefined;
  /** Whether nothing shall be said of a response, e.g. to a probe. Default never. */
  readonly skip?: ((response: ResponseInfo) => boolean) | undefined;
  /** Who asked, for `%u` of Apache's forms and the member `user`; `""` for nobody. Default nobody. */
  readonly user?: ((exchange: Exchange) => string) | undefined;
  /** Mode of a file that is made. Default 0o640. */
  readonly mode?: number | undefined;
  /**
   * The most octets that wait to be written; lines beyond are dropped and counted. Default 16 MiB: seconds of a full load, as
   * much as a disk may stand still.
   */
  readonly maxBufferedBytes?: number | undefined;
  /** How long a line waits for others to be written with, in milliseconds. Default 50. */
  readonly flushMs?: number | undefined;
  /** Something is wrong with the file. Default a warning of the process. */
  readonly onTrouble?: ((message: string) => void) | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
  /** From 0 to 1, below `sample` for what is kept. Default Math.random. For tests. */
  readonly random?: (() => number) | undefined;
}

/** What all forms are made from. */
export interface LineSource {
  response(response: ResponseInfo, code: string): string;
  /** Puts the same line down where it will be written from. False, and nothing added, where it has to be text. */
  add?(response: ResponseInfo, code: string, sink: BatchSource): boolean;
  refusal(refusal: Refusal): string;
  /** `""` where the form has no place for it. */
  fault(fault: Fault): string;
}

/** Who is at the other end, for people: of a unix socket nothing is known but that it is one. */
export function remoteOf(connection: ConnectionInfo): string {
  const { family, address } = connection.remoteAddress;
  return family === "unix" ? "unix:" : address;
}

const FORMATS: readonly unknown[] = ["auto", "json", "pretty", "common", "combined"] satisfies LogFormat[];

const NAMES = listOf("names", (name) => name !== "");
const FIELD_NAMES = listOf("field names", isToken);

const ACCESS_LOG_RULES: OptionRules<AccessLogOptions> = {
  format: {
    allowed: `${FORMATS.map((one) => JSON.stringify(one)).join(", ")} or a function`,
    isAllowed: (value) => FORMATS.includes(value) || typeof value === "function",
  },
  destination: {
    allowed: "a path, or the number of a descriptor",
    isAllowed: (value) =>
      (typeof value === "string" && value !== "") || (Number.isSafeInteger(value) && Number(value) > 0),
  },
  logger: {
    allowed: "an object with the methods info, warn and error",
    isAllowed: (value) =>
      isObject(value) &&
      ["info", "warn", "error"].every((level) => typeof (value as Record<string, unknown>)[level] === "function"),
  },
  base: AN_OBJECT,
  fields: FIELD_NAMES,
  members: A_FUNCTION,
  serializers: FUNCTIONS_BY_NAME,
  redact: {
    allowed: "an object of query (names or true), fields (names) and members (names)",
    isAllowed: isRedaction,
  },
  sample: {
    allowed: "a number above 0, up to 1",
    isAllowed: (value) => typeof value === "number" && value > 0 && value <= 1,
  },
  skip: A_FUNCTION,
  user: A_FUNCTION,
  mode: whole(0, 0o777, "numbers"),
  maxBufferedBytes: whole(65_536, Infinity, "octets"),
  flushMs: whole(0, 60_000, "milliseconds"),
  onTrouble: A_FUNCTION,
  time: A_TIME_SOURCE,
  random: A_FUNCTION,
};

function isRedaction(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(([name, names]: [string, unknown]) => {
    if (names === undefined) return true;
    if (name === "query") return names === true || NAMES.isAllowed(names);
    return (name === "fields" && FIELD_NAMES.isAllowed(names)) || (name === "members" && NAMES.isAllowed(names));
  });
}

/** @throws TypeError that names every mistake */
export function checkAccessLogOptions(options: AccessLogOptions): void {
  const given: unknown = options;
  const clashes =
    isObject(given) && options.logger !== undefined
      ? (["format", "destination", "base"] as const).filter((name) => options[name] !== undefined)
      : [];
  if (clashes.length === 0) return checkOptions("accessLog", options, ACCESS_LOG_RULES);
  const allowed = "nothing beside logger, which decides that itself,";
  const mistakes = clashes.map((path) => ({ path, given: "it", allowed, nearest: "" }));
  throwMistakes("accessLog", [...mistakes, ...findMistakes(options, ACCESS_LOG_RULES)]);
}
