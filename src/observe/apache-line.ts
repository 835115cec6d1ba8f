/**
 * Apache's "common" and "combined" log formats, which goaccess, fail2ban and every other reader of logs know.
 *
 * `%h %l %u %t "%r" %>s %b`, and behind it for combined `"%{Referer}i" "%{User-agent}i"` (mod_log_config). `%t` is when the
 * request came, `%b` is `-` for no content. What Apache never has, an exchange that ended before there was a status, is 499, as
 * nginx writes it: readers know that number and refuse a line without one.
 */

import type { Refusal } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";
import type { ResponseInfo } from "../server/hooks.ts";
import type { TimeSource } from "../web/clock.ts";
import { type AccessLogOptions, type LineSource, remoteOf } from "./access-options.ts";
import type { AccessRecords } from "./access-record.ts";
import { escapeApache } from "./escape.ts";
import { ApacheTime } from "./log-time.ts";

/** nginx: client closed request. */
const NO_STATUS = 499;

/** Makes lines as Apache does. */
export class ApacheLines implements LineSource {
  readonly #time: TimeSource;
  readonly #apacheTime: ApacheTime = new ApacheTime();
  readonly #records: AccessRecords;
  readonly #user: AccessLogOptions["user"];
  readonly #isCombined: boolean;

  constructor(options: AccessLogOptions, records: AccessRecords, time: TimeSource, isCombined: boolean) {
    this.#time = time;
    this.#records = records;
    this.#user = options.user;
    this.#isCombined = isCombined;
  }

  response({ exchange, status, contentBytes, durationMs }: ResponseInfo): string {
    const { request, connection } = exchange;
    const { redactor } = this.#records;
    const name = this.#user?.(exchange) ?? "";
    const user = name === "" ? "-" : userOf(name);
    const time = this.#apacheTime.text(this.#time.nowMs() - durationMs);
    const target = escapeApache(redactor.url(request.target));
    const start = `${hostOf(connection)} - ${user} [${time}] "${request.method} ${target} HTTP/${request.version}"`;
    const line = `${start} ${numbersOf(status, contentBytes)}`;
    return this.#isCombined ? `${line} ${this.#askedBy(request.fields)}\n` : `${line}\n`;
  }

  refusal(refusal: Refusal): string {
    const { error, connection, fields = Fields.EMPTY, contentBytes = 0 } = refusal;
    const { status } = error;
    const request = escapeApache(this.#requestLineOf(refusal));
    const time = this.#apacheTime.text(this.#time.nowMs());
    const line = `${hostOf(connection)} - - [${time}] "${request}" ${numbersOf(status, contentBytes)}`;
    return this.#isCombined ? `${line} ${this.#askedBy(fields)}\n` : `${line}\n`;
  }

  /** Apache has another file for them, we the standard error. */
  fault(): string {
    return "";
  }

  /** `%r`: as it came, which is no request where that was what was wrong. */
  #requestLineOf({ method, target, requestLine = "" }: Refusal): string {
    const { redactor } = this.#records;
    if (requestLine !== "") return redactor.line(requestLine);
    // Who tells of a target alone has none that is to be told: three words all the same, or readers find no method
    return method === "" ? "-" : `${method} ${target === "" ? "-" : redactor.url(target)} HTTP/1.1`;
  }

  /** `"%{Referer}i" "%{User-agent}i"` */
  #askedBy(fields: Fields): string {
    const referer = this.#records.refererOf(fields);
    const userAgent = fields.get("user-agent");
    const page = referer === null ? "-" : escapeApache(referer);
    const agent = userAgent === null ? "-" : escapeApache(this.#records.redactor.field("user-agent", userAgent));
    return `"${page}" "${agent}"`;
  }
}

/** `%>s %b` */
function numbersOf(status: number, contentBytes: number): string {
  return `${status === 0 ? NO_STATUS : status} ${contentBytes === 0 ? "-" : contentBytes}`;
}

/** `%h`; a zone of a link-local address (`fe80::1%eth0`) would be no address to any reader. */
function hostOf(connection: Parameters<typeof remoteOf>[0]): string {
  const host = remoteOf(connection);
  const zone = host.indexOf("%");
  return host === "" ? "-" : escapeApache(zone === -1 ? host : host.slice(0, zone));
}

/** `%u`: text of this process, in UTF-8 as it came; a name with a space in it would shift all that follows. */
function userOf(name: string): string {
  return escapeApache(Buffer.from(name).toString("latin1")).replaceAll(" ", "\\x20");
}
