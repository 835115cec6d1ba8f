/** What observers are told of a refusal. */

import { describe, expect, it } from "vitest";
import type { Refusal } from "../../src/http/exchange.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

/** Sends the octets in pieces of this size. */
function refusalOf(octets: Buffer, size: number): { refusal: Refusal | undefined; text: string } {
  const { connection, refusals, transport } = openConnection(() => {});
  for (let at = 0; at < octets.length; at += size) connection.receive(octets.subarray(at, at + size));
  return { refusal: refusals[0], text: written(transport) };
}

const AGENT = "User-Agent: probe/1";

describe("a refusal", () => {
  it.each([
    ["a method that nobody knows", request("BREW /pot HTTP/1.0", AGENT), "BREW /pot HTTP/1.0"],
    ["a field that is none", request("GET / HTTP/1.1", AGENT, "no field", "Referer: /late"), "GET / HTTP/1.1"],
    ["framing that is none", request("POST / HTTP/1.1", AGENT, "Content-Length: x"), "POST / HTTP/1.1"],
    ["a head that never ends", request("GET / HTTP/1.1", AGENT, `X: ${"x".repeat(70_000)}`), "GET / HTTP/1.1"],
  ])("of %s tells first line and fields the same however they came", (_what, octets, line) => {
    for (const size of [octets.length, 1, 7]) {
      const { refusal, text } = refusalOf(octets, size);
      expect(refusal?.requestLine).toBe(line);
      expect(refusal?.fields?.get("user-agent")).toBe("probe/1");
      expect(refusal?.fields?.has("referer")).toBe(false);
      expect(text).toContain(`\r\nContent-Length: ${refusal?.contentBytes}\r\n`);
    }
  });

  it("of the second request tells nothing of the first", () => {
    const { connection, refusals } = openConnection((exchange) => {
      void exchange.respond({ status: 200, reason: "", fields: [] }, "ok");
    });
    connection.receive(Buffer.concat([request("GET /first HTTP/1.1", AGENT), Buffer.from("\r\nG<T /second\r\n")]));
    expect(refusals).toMatchObject([{ requestLine: "G<T /second" }]);
    expect(refusals[0]?.fields?.has("user-agent")).toBe(false);
  });

  it("of an exchange tells its request", () => {
    const { connection, refusals } = openConnection((exchange) => {
      exchange.refuse(new ProtocolError("ERR_CONTENT_TOO_LARGE"));
    });
    connection.receive(request("PUT /a HTTP/1.1", AGENT, "Content-Length: 3"));
    expect(refusals[0]?.requestLine).toBe("PUT /a HTTP/1.1");
    expect(refusals[0]?.fields?.get("user-agent")).toBe("probe/1");
  });

  it("that is broken off says nothing of content", () => {
    const { connection, refusals } = openConnection((exchange) => {
      exchange.content.start({ chunk: () => {}, end: () => {}, fail: () => {} });
    });
    connection.receive(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"));
    connection.receive(Buffer.from("x\r\n"));
    expect(refusals).toMatchObject([{ requestLine: "POST / HTTP/1.1", contentBytes: 0 }]);
  });
});
