/**
 * Lines of JSON (RFC 8259), an object per line: time, level, message, then what it is about. ASCII alone.
 *
 * The line of a response is put down by hand (json-octets.ts) wherever that can be: with an object and a serialiser for each it
 * takes ten times as long (docs/decisions/0011-log-lines.md). Where members or serialisers of the user's are asked for, or
 * something has to be escaped, the object is made after all.
 */

import type { Refusal } from "../http/exchange.ts";
import type { Fault, ResponseInfo } from "../server/hooks.ts";
import type { TimeSource } from "../web/clock.ts";
import type { AccessLogOptions, LineSource, LogMembers } from "./access-options.ts";
import { type AccessRecords, levelOf } from "./access-record.ts";
import { textOf } from "./describe-error.ts";
import { asciiJson, escapeJson } from "./escape.ts";
import { JsonOctets } from "./json-octets.ts";
import type { BatchSource } from "./line-batch.ts";
import { IsoTime } from "./log-time.ts";

/** Makes lines of JSON. */
export class JsonLines implements LineSource {
  readonly #time: TimeSource;
  readonly #isoTime: IsoTime = new IsoTime('{"time":"');
  readonly #records: AccessRecords;
  /** Constant members, rendered once, with the comma before them. */
  readonly #base: string;
  /** Null where the user has a hand in the members. */
  readonly #octets: JsonOctets | null;

  constructor(options: AccessLogOptions, records: AccessRecords, time: TimeSource) {
    const { base = {}, members, serializers, redact, fields = [], user } = options;
    this.#time = time;
    this.#records = records;
    const rendered = asciiJson(JSON.stringify(base)).slice(1, -1);
    this.#base = rendered === "" ? "" : `,${rendered}`;
    const isByHand =
      members === undefined &&
      serializers === undefined &&
      fields.length === 0 &&
      (redact?.fields ?? []).length === 0 &&
      (redact?.members ?? []).length === 0;
    this.#octets = isByHand ? new JsonOctets(this.#base, records, time, user) : null;
  }

  response(info: ResponseInfo, code: string): string {
    return this.line(levelOf(info), "request", this.#records.response(info, code));
  }

  add(info: ResponseInfo, code: string, sink: BatchSource): boolean {
    return this.#octets?.add(info, code, sink) ?? false;
  }

  refusal(refusal: Refusal): string {
    return this.line("warn", "refused", this.#records.refusal(refusal));
  }

  fault(fault: Fault): string {
    return this.line("error", "fault", this.#records.fault(fault));
  }

  /** A line about anything. */
  line(level: "info" | "warn" | "error", message: string, members: LogMembers): string {
    const time = this.#isoTime.text(this.#time.nowMs());
    const rest = asciiJson(stringify(members)).slice(1, -1);
    return `${time}Z","level":"${level}","msg":"${escapeJson(message)}"${this.#base}${rest === "" ? "" : ","}${rest}}\n`;
  }
}

/** By which the rest is found. */
const IDS: ReadonlySet<string> = new Set(["id", "requestId"]);

/** A record that cannot be JSON, e.g. for a cycle that somebody's member has, must not cost the line. */
function stringify(members: LogMembers): string {
  try {
    return JSON.stringify(members, bigintAsText);
  } catch (error) {
    // Texts, unless a serialiser has made something of them
    const ids = Object.entries(members).filter(([name, value]) => IDS.has(name) && typeof value === "string");
    const { status } = members;
    const known = { ...Object.fromEntries(ids), ...(typeof status === "number" ? { status } : {}) };
    return JSON.stringify({ ...known, unwritable: textOf(error) });
  }
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
