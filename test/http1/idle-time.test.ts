/** The time in which the next request must begin does not run while the peer still takes an answer (RFC 9112 §9.3.2, §9.5). */
import { describe, expect, it } from "vitest";
import { type OpenConnection, openConnection, request, written } from "../support/open-connection.ts";

const HEAD = { status: 200, reason: "", fields: [] };
const SLOW_SECONDS = 200;

/** A connection whose peer has asked, and takes the answer slowly. */
function openSlow(...behind: readonly Buffer[]): OpenConnection {
  const bench = openConnection((exchange) => void exchange.respond(HEAD, `to ${exchange.request.target}`));
  bench.transport.highWaterBytes = 1;
  bench.connection.receive(request("GET /first HTTP/1.1"));
  for (const bytes of behind) bench.connection.receive(bytes);
  return bench;
}

/** Enough for the rate that is asked of a peer. */
function take({ transport, clock }: OpenConnection, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    transport.takenBytes += 1_000;
    clock.advance(1_000);
  }
}

/** Takes the rest. */
function takeAll({ transport, connection }: OpenConnection): void {
  transport.drain();
  connection.writable();
}

describe("while a peer takes its answer slowly", () => {
  it("a request that lies behind it waits, and is answered", () => {
    const bench = openSlow(request("GET /second HTTP/1.1"));
    take(bench, SLOW_SECONDS);
    expect([bench.transport.isEnded, bench.exchanges.length]).toEqual([false, 1]);
    takeAll(bench);
    expect(written(bench.transport)).toContain("to /second");
  });

  it("a head that has come whole by then is not called late", () => {
    const second = request("GET /second HTTP/1.1");
    const first = request("GET /first HTTP/1.1");
    const bench = openConnection((exchange) => void exchange.respond(HEAD, `to ${exchange.request.target}`));
    bench.transport.highWaterBytes = 1;
    bench.connection.receive(Buffer.concat([first, second.subarray(0, 10)]));
    bench.connection.receive(second.subarray(10));
    take(bench, SLOW_SECONDS);
    takeAll(bench);
    expect(bench.refusals).toEqual([]);
    expect(written(bench.transport)).toContain("to /second");
  });

  it("a head that has not is late soon after", () => {
    const bench = openConnection((exchange) => void exchange.respond(HEAD, ""));
    bench.transport.highWaterBytes = 1;
    bench.connection.receive(Buffer.concat([request("GET /first HTTP/1.1"), Buffer.from("GET /sec")]));
    take(bench, SLOW_SECONDS);
    expect(bench.refusals).toEqual([]);
    takeAll(bench);
    bench.clock.advance(30_000);
    expect(bench.refusals.map(({ error }) => error.code)).toEqual(["ERR_HEAD_TIMEOUT"]);
  });

  it("the connection is idle from when it has taken all, and closed in the usual time", () => {
    const bench = openSlow();
    take(bench, SLOW_SECONDS);
    takeAll(bench);
    bench.clock.advance(74_000);
    expect(bench.transport.isEnded).toBe(false);
    bench.clock.advance(1_000);
    expect(bench.transport.isEnded).toBe(true);
  });

  it("a last call waits for it, and then takes no longer than it says", () => {
    const bench = openSlow();
    bench.connection.shutdown(1_000);
    take(bench, 20);
    expect(bench.transport.isEnded).toBe(false);
    takeAll(bench);
    bench.clock.advance(1_000);
    expect(bench.transport.isEnded).toBe(true);
  });

  it("a peer that takes nothing is cut off", () => {
    const bench = openSlow(request("GET /second HTTP/1.1"));
    bench.clock.advance(60_000);
    expect(bench.transport.isAborted).toBe(true);
  });
});
