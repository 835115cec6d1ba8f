/**
 * Octets -> responses: an independent and strict reader of what a server wrote, for tests.
 *
 * It knows RFC 9112 §4 to §7 from the receiver's side and accepts only what a sender may generate: one SP where the
 * grammar has one, CRLF, registered framing, no Content-Length beside Transfer-Encoding, no content where the request or
 * the status forbids it. What a sender must not do is collected in {@link Reading.faults}, with the section.
 * It must never share code with src/: it is the judge.
 */

/** One response, interim or final. */
export interface WireResponse {
  readonly status: number;
  readonly reason: string;
  /** Names as sent. */
  readonly fields: ReadonlyArray<readonly [string, string]>;
  readonly content: Buffer;
  readonly trailers: ReadonlyArray<readonly [string, string]>;
  /** How the content was delimited. */
  readonly framing: "none" | "length" | "chunked" | "close";
  /** False where the octets ended before the response did. */
  readonly isWhole: boolean;
}

/** Everything that was written. */
export interface Reading {
  /** In order, interim ones among them. */
  readonly responses: readonly WireResponse[];
  /** Octets behind a 101 (Switching Protocols). */
  readonly tunnel: Buffer | null;
  /** What a sender must not do, each with its section. */
  readonly faults: readonly string[];
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * Reads all of `bytes`.
 *
 * @param methods of the requests, in order; decides about content (RFC 9112 §6.3 rule 1)
 * @param isEnded whether the server has ended its side, which ends content that nothing else delimits
 */
export function readResponses(bytes: Buffer, methods: readonly string[], isEnded: boolean): Reading {
  const responses: WireResponse[] = [];
  const faults: string[] = [];
  let at = 0;
  let finals = 0;
  while (at < bytes.length) {
    const reader = new Reader(bytes, at, faults);
    const response = reader.response(methods[finals] ?? "", isEnded);
    responses.push(response);
    at = reader.at;
    if (response.status === 101) return { responses, tunnel: bytes.subarray(at), faults };
    if (response.status >= 200) finals++;
    if (!response.isWhole) break;
  }
  return { responses, tunnel: null, faults };
}

/** Values of all lines named `name` (lower case). */
export function valuesOf(response: WireResponse, name: string): string[] {
  return response.fields.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);
}

/** Members of a list field (RFC 9110 §5.6.1), in lower case. */
export function membersOf(response: WireResponse, name: string): string[] {
  return valuesOf(response, name).flatMap((value) =>
    value
      .toLowerCase()
      .split(",")
      .map((member) => member.trim()),
  );
}

class Reader {
  at: number;
  readonly #bytes: Buffer;
  readonly #faults: string[];

  constructor(bytes: Buffer, at: number, faults: string[]) {
    this.#bytes = bytes;
    this.at = at;
    this.#faults = faults;
  }

  response(method: string, isEnded: boolean): WireResponse {
    const line = this.#line();
    const match = STATUS_LINE.exec(line ?? "");
    if (line === null || match === null) {
      this.#fault(`RFC 9112 §4: not a status-line: ${JSON.stringify(line)}`);
      this.at = this.#bytes.length;
      return {
        status: 0,
        reason: "",
        fields: [],
        content: Buffer.alloc(0),
        trailers: [],
        framing: "none",
        isWhole: false,
      };
    }
    const head = { status: Number(match[1]), reason: match[2] ?? "", fields: this.#section() };
    const partial: WireResponse = { ...head, content: Buffer.alloc(0), trailers: [], framing: "none", isWhole: true };
    this.#judgeHead(partial);
    return this.#content(partial, method, isEnded);
  }

  #judgeHead(response: WireResponse): void {
    const { status } = response;
    const lengths = valuesOf(response, "content-length");
    const codings = valuesOf(response, "transfer-encoding");
    const dates = valuesOf(response, "date");
    if (lengths.length > 1) this.#fault("RFC 9110 §8.6: several Content-Length lines");
    if (lengths.some((value) => !/^\d+$/.test(value))) this.#fault("RFC 9110 §8.6: Content-Length is not a number");
    if (codings.length > 0 && lengths.length > 0) this.#fault("RFC 9112 §6.2: Content-Length beside Transfer-Encoding");
    if (codings.length > 0 && codings.join() !== "chunked")
      this.#fault("RFC 9112 §6.1: Transfer-Encoding is not chunked");
    if (status < 200 || status === 204) {
      if (lengths.length > 0) this.#fault(`RFC 9110 §8.6: Content-Length in ${status}`);
      if (codings.length > 0) this.#fault(`RFC 9112 §6.1: Transfer-Encoding in ${status}`);
    }
    if (dates.length > 1 || dates.some((date) => !IMF_FIXDATE.test(date)))
      this.#fault("RFC 9110 §6.6.1: Date is not one HTTP-date");
    if (status >= 200 && dates.length === 0) this.#fault("RFC 9110 §6.6.1: no Date");
    if (status === 101 && valuesOf(response, "upgrade").length === 0) this.#fault("RFC 9110 §7.8: 101 without Upgrade");
    if (status === 405 && valuesOf(response, "allow").length === 0) this.#fault("RFC 9110 §15.5.6: 405 without Allow");
  }

  /** RFC 9112 §6.3, in its order. */
  #content(head: WireResponse, method: string, isEnded: boolean): WireResponse {
    const { status } = head;
    if (status < 200 || status === 204 || status === 304 || method === "HEAD") return head;
    if (valuesOf(head, "transfer-encoding").length > 0) return this.#chunked(head);
    const length = valuesOf(head, "content-length")[0];
    const rest = this.#bytes.length - this.at;
    if (length === undefined) {
      if (!isEnded) this.#fault("RFC 9112 §9.3: content delimited by close on a connection that persists");
      return { ...head, content: this.#take(rest), framing: "close", isWhole: isEnded };
    }
    return {
      ...head,
      content: this.#take(Math.min(Number(length), rest)),
      framing: "length",
      isWhole: Number(length) <= rest,
    };
  }

  #chunked(head: WireResponse): WireResponse {
    const pieces: Buffer[] = [];
    for (;;) {
      const line = this.#line();
      if (line === null) break;
      if (!/^[0-9A-Fa-f]+$/.test(line)) {
        this.#fault(`RFC 9112 §7.1: not a chunk-size: ${JSON.stringify(line)}`);
        break;
      }
      const size = Number.parseInt(line, 16);
      if (size === 0) {
        const trailers = this.#section();
        return { ...head, content: Buffer.concat(pieces), trailers, framing: "chunked", isWhole: true };
      }
      pieces.push(this.#take(Math.min(size, this.#bytes.length - this.at)));
      if (this.#line() !== "") {
        if (this.at < this.#bytes.length) this.#fault("RFC 9112 §7.1: no CRLF behind chunk-data");
        break;
      }
    }
    this.at = this.#bytes.length;
    return { ...head, content: Buffer.concat(pieces), framing: "chunked", isWhole: false };
  }

  #section(): Array<readonly [string, string]> {
    const fields: Array<readonly [string, string]> = [];
    for (;;) {
      const line = this.#line();
      if (line === null) this.#fault("RFC 9112 §2.1: a field section is not whole");
      if (line === null || line === "") return fields;
      const match = FIELD_LINE.exec(line);
      if (match === null) this.#fault(`RFC 9112 §5: not a field-line: ${JSON.stringify(line)}`);
      else fields.push([match[1] ?? "", match[2] ?? ""]);
    }
  }

  /** The next line without its CRLF; null if there is no whole one. */
  #line(): string | null {
    const end = this.#bytes.indexOf("\r\n", this.at, "latin1");
    if (end === -1) return null;
    const line = this.#bytes.toString("latin1", this.at, end);
    this.at = end + 2;
    return line;
  }

  #take(count: number): Buffer {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  #fault(text: string): void {
    this.#faults.push(text);
  }
}
