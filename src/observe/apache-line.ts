/**
 * Apache's "common" and "combined" log formats, which goaccess, fail2ban and every other reader of logs know.
 *
 * `%h %l %u %t "%r" %>s %b`, and behind it for combined `"%{Referer}i" "%{User-agent}i"` (mod_log_config). `%t` is when the
 * request came, `%b` is `-` for no content. What Apache never has, an exchange that ended before there was a status, is 499, as
 * nginx writes it: readers know that number and refuse a line without one.
 */

import type { Refusal } from "../http/exchange.ts";
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
    const user = this.#user === undefined ? "-" : unspaced(escapeApache(this.#user(exchange)));
    const time = this.#apacheTime.text(this.#time.nowMs() - durationMs);
    const target = escapeApache(redactor.url(request.target));
    const start = `${hostOf(connection)} - ${user} [${time}] "${request.method} ${target} HTTP/${request.version}"`;
    const line = `${start} ${status === 0 ? NO_STATUS : status} ${contentBytes === 0 ? "-" : contentBytes}`;
    if (!this.#isCombined) return `${line}\n`;
    const referer = this.#records.refererOf(request.fields);
    const userAgent = request.fields.get("user-agent");
    const page = referer === null ? "-" : escapeApache(referer);
    const agent = userAgent === null ? "-" : escapeApache(redactor.field("user-agent", userAgent));
    return `${line} "${page}" "${agent}"\n`;
  }

  refusal({ error, connection, method, target }: Refusal): string {
    // Where the target is what was wrong there is none to tell: three words all the same, or readers find no method
    const asked = target === "" ? "-" : this.#records.redactor.url(target);
    const request = method === "" ? "-" : escapeApache(`${method} ${asked} HTTP/1.1`);
    const time = this.#apacheTime.text(this.#time.nowMs());
    const line = `${hostOf(connection)} - - [${time}] "${request}" ${error.status === 0 ? NO_STATUS : error.status} -`;
    return this.#isCombined ? `${line} "-" "-"\n` : `${line}\n`;
  }

  /** Apache has another file for them, we the standard error. */
  fault(): string {
    return "";
  }
}

/** `%h`; a zone of a link-local address (`fe80::1%eth0`) would be no address to any reader. */
function hostOf(connection: Parameters<typeof remoteOf>[0]): string {
  const host = remoteOf(connection);
  const zone = host.indexOf("%");
  return host === "" ? "-" : escapeApache(zone === -1 ? host : host.slice(0, zone));
}

/** A name with a space in it would shift all that follows. */
function unspaced(user: string): string {
  return user === "" ? "-" : user.replaceAll(" ", "\\x20");
}
