/** Response content that takes its time: what becomes of sources that fail, files that shrink, peers that read slowly. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Content, Exchange } from "../../src/http/exchange.ts";
import { openConnection, request, settle, written } from "../support/open-connection.ts";

const HEAD = { status: 200, reason: "", fields: [] };
const MARK_BYTES = 64 * 1024;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe("content of no octets", () => {
  it("is sent as a length alone", () => {
    const { transport, connection } = openConnection((exchange) => void exchange.respond(HEAD, new Uint8Array(0)));
    const writeAll = vi.spyOn(transport, "writeAll");
    connection.receive(request("GET / HTTP/1.1"));
    expect(writeAll.mock.calls.map(([parts]) => parts.length)).toEqual([1]);
    expect(written(transport)).toMatch(/\r\nContent-Length: 0\r\n\r\n$/);
    expect(transport.violations).toEqual([]);
  });
});

describe("text that is not ASCII", () => {
  it.each([
    ["é", 1],
    ["\u{1f600}", 1],
    ["a lone \ud800", 1],
    ["é".repeat(1024), 1],
    ["é".repeat(1025), 2],
  ])("goes out as UTF-8 with its length, with the head while it is short: %#", (text, writes) => {
    const { transport, connection } = openConnection((exchange) => void exchange.respond(HEAD, text));
    const write = vi.spyOn(transport, "write");
    const writeAll = vi.spyOn(transport, "writeAll");
    connection.receive(request("GET / HTTP/1.1"));
    const octets = Buffer.from(text);
    const [head, content] = written(transport).split("\r\n\r\n");
    expect(head).toContain(`Content-Length: ${octets.length}`);
    expect(Buffer.from(content ?? "", "latin1").equals(octets)).toBe(true);
    expect(writeAll.mock.calls[0]?.[0].length ?? write.mock.calls.length).toBe(writes);
  });
});

describe("octets", () => {
  it.each([
    [Buffer.from("\u0000\u007fé€"), 1],
    [new Uint8Array(2048).fill(0xff), 1],
    [new Uint8Array(2049).fill(0xff), 2],
  ])("go out as they are, with the head while they are few: %#", (octets, writes) => {
    const { transport, connection } = openConnection((exchange) => {
      void exchange.respond(HEAD, octets);
    });
    const write = vi.spyOn(transport, "write");
    const writeAll = vi.spyOn(transport, "writeAll");
    connection.receive(request("GET / HTTP/1.1"));
    const all = Buffer.from(written(transport), "latin1");
    expect(all.subarray(all.indexOf("\r\n\r\n") + 4).equals(octets)).toBe(true);
    expect(writeAll.mock.calls[0]?.[0].length ?? write.mock.calls.length).toBe(writes);
  });

  it("that stand in a larger buffer go out alone", () => {
    const { transport, connection } = openConnection((exchange) => {
      void exchange.respond(HEAD, new Uint8Array(new TextEncoder().encode("before|it|behind").buffer, 7, 2));
    });
    connection.receive(request("GET / HTTP/1.1"));
    expect(written(transport)).toMatch(/\r\nContent-Length: 2\r\n\r\nit$/);
  });
});

describe("a peer that would take trailers (RFC 9110 §10.1.4)", () => {
  it("gets an empty trailer section where the handler has none", async () => {
    const { transport, connection } = openConnection((exchange) => {
      void exchange.respond(HEAD, once(Buffer.from("abc")));
    });
    connection.receive(request("GET / HTTP/1.1", "Connection: te", "TE: trailers"));
    await settle();
    connection.flush();
    expect(written(transport)).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
  });
});

describe("a file that turns out shorter than was said", () => {
  it("breaks the connection, and the handler hears why (RFC 9112 §8)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-short-"));
    const path = join(folder, "file");
    writeFileSync(path, "short");
    const fd = openSync(path, "r");
    const file: Content = { fd, start: 0, length: 100, release: () => closeSync(fd) };
    let sent: Promise<unknown> = Promise.resolve();
    const told: unknown[] = [];
    const { transport, connection, outcomes } = openConnection((exchange) => {
      const onBreak = (_: unknown, error: unknown): void => void told.push((error as Error).message, outcomes.length);
      sent = Promise.resolve(exchange.respond(HEAD, file, onBreak)).catch((error: Error) => error.message);
    });
    transport.attach(connection);
    connection.receive(request("GET / HTTP/1.1"));
    transport.pump();
    expect(await sent).toBe("the file is shorter than promised");
    expect(told).toEqual(["the file is shorter than promised", 0]);
    expect([transport.isAborted, transport.isEnded, outcomes]).toEqual([true, false, ["broken"]]);
    rmSync(folder, { recursive: true });
  });
});

describe("a source that throws what is no Error", () => {
  it("breaks the connection; observers get an Error with the cause, the handler what was thrown", async () => {
    const heard: Error[] = [];
    let sent: Promise<unknown> = Promise.resolve();
    const { transport, connection } = openConnection((exchange) => {
      exchange.onAbort((reason) => heard.push(reason));
      const source = new ReadableStream<Uint8Array>({ start: (controller) => controller.error("just a text") });
      sent = Promise.resolve(exchange.respond(HEAD, source)).catch((error: unknown) => error);
    });
    connection.receive(request("GET / HTTP/1.1"));
    expect(await sent).toBe("just a text");
    expect(heard).toMatchObject([{ code: "ERR_HANDLER", cause: "just a text" }]);
    expect(transport.isAborted).toBe(true);
  });
});

describe("content that breaks off by its own fault", () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("abc");
    throw new Error("midway");
  }

  it("is told before the exchange ends, once, with what was thrown", async () => {
    const told: unknown[] = [];
    const { connection, outcomes } = openConnection((exchange) => {
      const onBreak = (broken: Exchange, error: unknown): void => {
        told.push([broken === exchange, (error as Error).message, outcomes.length]);
      };
      Promise.resolve(exchange.respond(HEAD, failing(), onBreak)).catch(() => told.push("rejected"));
    });
    connection.receive(request("GET / HTTP/1.1"));
    await settle();
    expect(told).toEqual([[true, "midway", 0], "rejected"]);
    expect(outcomes).toEqual(["broken"]);
  });

  it("is not told where the exchange had ended before, by the peer or by its handler", async () => {
    for (const end of ["peer", "handler"]) {
      const onBreak = vi.fn<() => void>();
      const { connection, outcomes } = openConnection((exchange) => {
        const source = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
        Promise.resolve(exchange.respond(HEAD, source, onBreak)).catch(() => {});
        if (end === "handler") exchange.abort(new Error("enough"));
      });
      connection.receive(request("GET / HTTP/1.1"));
      connection.closed(null);
      await settle();
      expect(onBreak).not.toHaveBeenCalled();
      expect(outcomes).toEqual([end === "peer" ? "aborted" : "broken"]);
    }
  });
});

describe("much to write at once", () => {
  it("is written in the middle of a stream, and not held until the next flush", async () => {
    let goOn: () => void = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const { transport, connection } = openConnection((exchange) => {
      const source = (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(MARK_BYTES);
        await held;
      })();
      void exchange.respond(HEAD, source);
    });
    connection.receive(request("GET / HTTP/1.1"));
    await settle();
    expect(transport.takenBytes).toBeGreaterThan(MARK_BYTES);
    goOn();
    await settle();
    connection.flush();
    expect(written(transport).endsWith("\r\n0\r\n\r\n")).toBe(true);
  });

  it("is written in the middle of a burst of requests, and not held until its end", () => {
    const writesSeen: number[] = [];
    const { transport, connection } = openConnection((exchange) => {
      writesSeen.push(transport.writes.length);
      void exchange.respond(HEAD, "x".repeat(MARK_BYTES / 2));
    });
    const GET = request("GET / HTTP/1.1");
    connection.receive(Buffer.concat([GET, GET, GET, GET]));
    expect(writesSeen).toEqual([0, 0, 1, 1]);
  });
});

describe("a peer that reads slowly", () => {
  const RATE = 240;
  const GRACE_MS = 1_000;

  it.each([
    ["kept at the rate that is asked for", RATE, false],
    ["dropped below it", RATE - 1, true],
  ])("is %s", (_what, rate, isDropped) => {
    const { transport, connection, clock } = openConnection(
      (exchange) => void exchange.respond(HEAD, Buffer.alloc(100_000)),
      { timeouts: { minContentRate: RATE, contentGraceMs: GRACE_MS } },
    );
    transport.highWaterBytes = 1;
    connection.receive(request("GET / HTTP/1.1"));
    for (let second = 0; second < 60; second++) {
      transport.queuedBytes -= rate;
      transport.takenBytes += rate;
      clock.advance(1_000);
    }
    expect(transport.isAborted).toBe(isDropped);
  });
});
