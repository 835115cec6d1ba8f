/**
 * What a line is about, as an object: for loggers, for people, and for JSON where somebody has a hand in it.
 *
 * The hot way of JSON (json-octets.ts) writes the same members without the object; a test holds the two together. Nothing is
 * escaped here but what is kept out is left out: how a value is made harmless is for the form of the line.
 */

import type { ConnectionInfo, Exchange, Refusal } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";
import type { Fault, ResponseInfo } from "../server/hooks.ts";
import { type AccessLogOptions, type LogMembers, remoteOf } from "./access-options.ts";
import { hintAt } from "../server/fault-text.ts";
import { describeError } from "./describe-error.ts";
import { Redactor, SECRET_PARAMETERS } from "./redact.ts";

/** How much a line matters. */
export type LogLevel = "info" | "warn" | "error";

/** The length of a trace id and of a span id in a `traceparent`, and where they stand (W3C Trace Context §3.2.2). */
const TRACE_ID_START = 3;
const TRACE_ID_END = 35;
const SPAN_ID_END = 52;

/** Ours if the answer is at fault, the peer's business otherwise. */
export function levelOf(response: ResponseInfo): LogLevel {
  return response.status >= 500 || response.outcome === "broken" ? "error" : "info";
}

/** Whether something went wrong, whosever fault it was: such lines are never left to chance. */
export function isTrouble(response: ResponseInfo): boolean {
  return response.status >= 400 || response.outcome === "aborted" || response.outcome === "broken";
}

/** The trace id of a `traceparent`. */
export function traceIdOf(traceParent: string): string {
  return traceParent.slice(TRACE_ID_START, TRACE_ID_END);
}

/** The id of the span that stands for the request. */
export function spanIdOf(traceParent: string): string {
  return traceParent.slice(TRACE_ID_END + 1, SPAN_ID_END);
}

/** The version of TLS; true where it is not known, e.g. between the client and a proxy that is trusted. */
export function tlsOf(connection: ConnectionInfo): string | true {
  return connection.tls?.version ?? true;
}

/** Makes records by the options. */
export class AccessRecords {
  readonly redactor: Redactor;
  readonly #options: AccessLogOptions;
  readonly #fields: readonly string[];
  readonly #leftOut: readonly string[];
  /** Under which id the failure is that an answer stands for. An answer may be over before its handler fails. */
  readonly #faultIds: WeakMap<Exchange, string> = new WeakMap();

  constructor(options: AccessLogOptions) {
    const { redact = {}, fields = [] } = options;
    this.#options = options;
    this.redactor = new Redactor(redact.query ?? SECRET_PARAMETERS, redact.fields ?? []);
    this.#fields = fields.map((name) => name.toLowerCase());
    this.#leftOut = redact.members ?? [];
  }

  /** @param code of the refusal that the response was, else `""` */
  response(info: ResponseInfo, code: string): Record<string, unknown> {
    const { exchange, outcome, status, contentBytes, requestContentBytes, route } = info;
    const { request, connection, requestId, traceParent } = exchange;
    const record: Record<string, unknown> = { remote: remoteOf(connection) };
    const set = (name: string, value: string): void => {
      if (value !== "") record[name] = value;
    };
    if (connection.isEncrypted) record["tls"] = tlsOf(connection);
    const userAgent = request.fields.get("user-agent");
    if (userAgent !== null) record["userAgent"] = this.redactor.field("user-agent", userAgent);
    record["version"] = request.version;
    record["host"] = request.authority;
    record["method"] = request.method;
    record["target"] = this.redactor.url(request.target);
    record["status"] = status;
    record["bytes"] = contentBytes;
    record["durationMs"] = rounded(info.durationMs);
    record["firstByteMs"] = rounded(info.firstByteMs);
    if (requestContentBytes > 0) record["requestBytes"] = requestContentBytes;
    set("route", route);
    if (outcome !== "complete") record["outcome"] = outcome;
    set("code", code);
    if (levelOf(info) === "error") set("faultId", this.faultIdOf(exchange));
    set("user", this.#options.user?.(exchange) ?? "");
    set("requestId", requestId);
    if (traceParent !== "") {
      record["traceId"] = traceIdOf(traceParent);
      record["spanId"] = spanIdOf(traceParent);
    }
    const referer = this.refererOf(request.fields);
    if (referer !== null) record["referer"] = referer;
    if (this.#fields.length > 0) record["fields"] = this.#fieldsOf(exchange);
    if (this.#options.members !== undefined) Object.assign(record, this.#options.members(info));
    return this.#finished(record);
  }

  refusal(refusal: Refusal): Record<string, unknown> {
    const { error, connection, method, target, requestLine = "", fields = Fields.EMPTY, contentBytes } = refusal;
    const record: Record<string, unknown> = { remote: remoteOf(connection) };
    if (connection.isEncrypted) record["tls"] = tlsOf(connection);
    const userAgent = fields.get("user-agent");
    if (userAgent !== null) record["userAgent"] = this.redactor.field("user-agent", userAgent);
    if (method !== "") {
      record["method"] = method;
      record["target"] = this.redactor.url(target);
    }
    record["status"] = error.status;
    if (contentBytes !== undefined) record["bytes"] = contentBytes;
    record["code"] = error.code;
    if (error.rule !== "") record["rule"] = error.rule;
    record["reason"] = error.message;
    if (requestLine !== "") record["requestLine"] = this.redactor.line(requestLine);
    const referer = this.refererOf(fields);
    if (referer !== null) record["referer"] = referer;
    return this.#finished(record);
  }

  /**
   * The Referer without its secrets, null if there is none. Whoever sends several has each of them looked at: joined they would be
   * no URL, of which the second's secrets would be left in.
   */
  refererOf(fields: Fields): string | null {
    if (!fields.has("referer")) return null;
    const urls = fields.all("referer").map((one) => this.redactor.url(one));
    return this.redactor.field("referer", urls.join(", "));
  }

  /** What leads from the line of an answer to that of the failure behind it; `""` if there is none. */
  faultIdOf(exchange: Exchange): string {
    return this.#faultIds.get(exchange) ?? "";
  }

  /** The line of a fault must not be lost: a client was told its id. */
  fault(fault: Fault): Record<string, unknown> {
    if (fault.exchange !== null && fault.id !== "") this.#faultIds.set(fault.exchange, fault.id);
    try {
      return this.#fault(fault);
    } catch {
      // A serialiser of the user's has thrown, or gone on where the memory ends; what it should have hidden stays hidden
      const record = { id: fault.id, err: { type: typeof fault.error, message: "[cannot be described]" } };
      for (const name of this.#leftOut) Reflect.deleteProperty(record, name);
      return record;
    }
  }

  #fault({ id, error, exchange }: Fault): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    if (id !== "") record["id"] = id;
    if (exchange !== null) {
      record["remote"] = remoteOf(exchange.connection);
      record["method"] = exchange.request.method;
      record["target"] = this.redactor.url(exchange.request.target);
      if (exchange.requestId !== "") record["requestId"] = exchange.requestId;
      if (exchange.traceParent !== "") record["traceId"] = traceIdOf(exchange.traceParent);
    }
    record["err"] = describeError(error, this.redactor);
    const hint = exchange === null ? "" : hintAt(error);
    if (hint !== "") record["hint"] = hint;
    return this.#finished(record);
  }

  #fieldsOf({ request }: Exchange): LogMembers {
    const values: Record<string, string> = {};
    for (const name of this.#fields) {
      const value = request.fields.get(name);
      if (value !== null) values[name] = this.redactor.field(name, value);
    }
    return values;
  }

  #finished(record: Record<string, unknown>): Record<string, unknown> {
    for (const name of this.#leftOut) Reflect.deleteProperty(record, name);
    const { serializers } = this.#options;
    if (serializers === undefined) return record;
    for (const [name, serializer] of Object.entries(serializers)) {
      if (name in record) record[name] = serializer(record[name]);
    }
    return record;
  }
}

/** Microseconds are as exact as it is known. */
function rounded(ms: number): number {
  return ms > 0 ? Math.round(ms * 1000) / 1000 : 0;
}
