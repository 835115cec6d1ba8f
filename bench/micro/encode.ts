/**
 * From status and fields to the head of a response: ours with fields that responses share and with others, beside what
 * `node:http` writes for the same, into a socket that takes everything. Run compiled (bench/README.md).
 */
import { type IncomingMessage, ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { bench, do_not_optimize, run, summary } from "mitata";
import { formatHttpDate } from "../../src/http/date.ts";
import { ResponseEncoder } from "../../src/http1/encode.ts";
import { mustBe } from "./peer.ts";

const DATE = formatHttpDate(Date.UTC(2026, 0, 2, 3, 4, 5));
const BODY = "Hello, World!";
const SHARED = Object.freeze(["content-type", "text/plain"]);
const FIVE = ["content-type", "text/html", "etag", '"1"', "cache-control", "no-cache", "x-frame-options", "DENY"];

const encoder = new ResponseEncoder();

function ours(fields: readonly string[]): string {
  encoder.encode({ status: 200, reason: "", fields }, BODY.length, false, 1, true, DATE);
  return encoder.text;
}

/** Takes everything and keeps the last that was not empty. */
class Sink extends Writable {
  last = "";
  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    if (typeof chunk === "string" && chunk !== "") this.last = chunk;
    done();
  }
}
const sink = new Sink({ decodeStrings: false });
const request = { method: "GET", httpVersionMajor: 1, httpVersionMinor: 1, headers: {} } as unknown as IncomingMessage;

/** Made anew for each response, as a server does; what it writes stays in memory until it is collected. */
function theirs(fields: readonly string[]): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(sink as unknown as Parameters<typeof response.assignSocket>[0]);
  response.writeHead(200, [...fields, "content-length", String(BODY.length)]);
  response.end(BODY);
  response.detachSocket(sink as unknown as Parameters<typeof response.detachSocket>[0]);
  return response;
}

mustBe(
  "ours",
  ours(SHARED).split("\r\n").toSorted(),
  ["", "", "Content-Length: 13", `Date: ${DATE}`, "HTTP/1.1 200 OK", "content-type: text/plain"].toSorted(),
);

theirs(FIVE);
mustBe(
  "theirs",
  /^HTTP\/1\.1 200 OK\r\n[^]*\r\nx-frame-options: DENY\r\n[^]*\r\n\r\nHello, World!$/.test(sink.last),
  true,
);

// Two summaries: a head is no whole response, and how many times less it costs says nothing
summary(() => {
  bench("head with fields that responses share: fairlead", () => do_not_optimize(ours(SHARED)));
  bench("head with four fields made for it: fairlead", () => do_not_optimize(ours([...FIVE])));
});
summary(() => {
  bench("a whole response with one field: ServerResponse", () => do_not_optimize(theirs(SHARED)));
  bench("a whole response with four fields: ServerResponse", () => do_not_optimize(theirs(FIVE)));
});

await run();
