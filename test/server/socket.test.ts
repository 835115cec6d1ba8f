import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { openConnections, readAll, until } from "./support/open-connections.ts";

const MIB = 1024 * 1024;

describe("a socket and its connection", () => {
  it("delivers what the peer sends and writes what the connection answers, as latin1 or bytes", async () => {
    await using opened = await openConnections({
      script: {
        onReceive(connection, chunk) {
          connection.transport.write(`é:${chunk.toString("latin1")}`);
          connection.transport.write(new Uint8Array([0, 255]));
          connection.transport.end();
        },
      },
    });
    const { client, protocol } = await opened.dial();
    client.end("hello");
    expect(await readAll(client)).toEqual(Buffer.from("\xe9:hello\x00\xff", "latin1"));
    expect(await protocol.closedPromise).toBeNull();
    expect(protocol.events.filter((event) => event === "closed")).toHaveLength(1);
  });

  it("writes several parts in one packet, in order", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    expect(protocol.transport.writeAll(["a", Buffer.from("b"), "c"])).toBe(true);
    const [chunk] = (await once(client, "data")) as [Buffer];
    expect(chunk.toString()).toBe("abc");
    client.end();
    protocol.transport.end();
    await opened.empty();
  });

  it("lets a peer that has ended its side still get its answer", async () => {
    await using opened = await openConnections({
      script: {
        onEnd: (connection) => connection.transport.requestFlush(),
        onFlush: (connection) => {
          connection.transport.write("late");
          connection.transport.end();
        },
      },
    });
    const { client, protocol } = await opened.dial();
    client.end("question");
    expect((await readAll(client)).toString()).toBe("late");
    expect(await protocol.closedPromise).toBeNull();
    expect(protocol.events).toEqual(["receive", "end", "flush", "closed"]);
  });

  it("is gone with its last answer when nothing can follow, whatever the peer keeps open", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial({ allowHalfOpen: true });
    protocol.transport.write("answer");
    protocol.transport.end(true);
    expect(await protocol.closedPromise).toBeNull();
    expect((await readAll(client)).toString()).toBe("answer");
    client.destroy();
  });

  it("goes on reading behind a last answer that has not left yet", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial({ allowHalfOpen: true });
    const answer = Buffer.alloc(4 * MIB, "a");
    protocol.transport.write(answer);
    protocol.transport.end(true);
    expect((await readAll(client)).length).toBe(answer.length);
    expect(protocol.events).not.toContain("closed");
    client.end();
    expect(await protocol.closedPromise).toBeNull();
  });

  it("goes on reading after its own end", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial({ allowHalfOpen: true });
    protocol.transport.end();
    client.resume();
    await once(client, "end");
    client.end("still here");
    await protocol.closedPromise;
    expect(protocol.text).toBe("still here");
  });

  it("tells the error of a reset, once, and nobody else", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.resetAndDestroy();
    expect(await protocol.closedPromise).toMatchObject({ code: "ECONNRESET" });
    await opened.empty();
    expect(protocol.events).toEqual(["closed"]);
    expect(opened.faults).toEqual([]);
  });

  it("stops the peer while paused", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    protocol.transport.pause();
    let flushed = 0;
    const piece = Buffer.alloc(MIB);
    for (let i = 0; i < 40; i++) client.write(piece, () => flushed++);
    await until(() => client.writableLength > 0 && flushed > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(protocol.received).toHaveLength(0);
    expect(client.writableLength).toBeGreaterThan(20 * MIB);
    protocol.transport.resume();
    client.end();
    await until(() => protocol.events.includes("end"));
    expect(protocol.received.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(40 * MIB);
  });

  it("says that the queue is above its mark, and when it has drained", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.pause();
    const piece = "x".repeat(60_000);
    let sent = 0;
    do sent += piece.length;
    while (protocol.transport.write(piece));
    await new Promise((resolve) => setImmediate(resolve));
    expect(protocol.events).toEqual([]);
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    client.resume();
    await until(() => protocol.events.includes("writable"));
    await until(() => read === sent);
    expect(protocol.transport.queuedBytes).toBe(0);
    expect(protocol.transport.takenBytes).toBe(sent);
    expect(protocol.events).toEqual(["writable"]);
  });

  it.each([
    ["text", (length: number) => "é".repeat(length)],
    ["bytes", (length: number) => Buffer.alloc(length, 0xe9)],
  ])("sends a large value of %s piece by piece, in order with what follows", async (_, make) => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { transport } = protocol;
    const length = 10 * MIB + 7;
    client.pause();
    transport.write("head:");
    expect(transport.write(make(length))).toBe(false);
    transport.write(":middle:");
    transport.writeAll([make(MIB), ":tail"]);
    const total = 5 + length + 8 + MIB + 5;
    // A piece under way is queued until all of it is taken
    expect(transport.queuedBytes + transport.takenBytes).toBeGreaterThanOrEqual(total);
    expect(transport.queuedBytes + transport.takenBytes).toBeLessThan(total + MIB);
    expect(transport.queuedBytes).toBeGreaterThan(5 * MIB);
    transport.end();
    const got = await readAll(client);
    expect(got.length).toBe(total);
    expect(got.subarray(0, 6).toString("latin1")).toBe("head:é");
    expect(got.subarray(5 + length - 1, 5 + length + 9).toString("latin1")).toBe("é:middle:é");
    expect(got.subarray(-6).toString("latin1")).toBe("é:tail");
    expect(got.subarray(5, 5 + length).every((byte) => byte === 0xe9)).toBe(true);
  });

  it("shows progress within a large value", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.pause();
    protocol.transport.write(Buffer.alloc(32 * MIB));
    let read = 0;
    const marks: number[] = [];
    client.on("data", (chunk: Buffer) => {
      read += chunk.length;
      if (marks.at(-1) !== protocol.transport.takenBytes) marks.push(protocol.transport.takenBytes);
    });
    client.resume();
    await until(() => read === 32 * MIB);
    expect(marks.length).toBeGreaterThan(3);
    await until(() => protocol.events.includes("writable"));
    expect(protocol.transport.queuedBytes).toBe(0);
  });

  it("resets a connection whose queue it drops, so that nobody takes the part for the whole", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.pause();
    protocol.transport.write(Buffer.alloc(32 * MIB));
    protocol.transport.destroy();
    await expect(readAll(client)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await protocol.closedPromise).toBeNull();
  });

  it("ignores what comes after its end or destruction", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { transport } = protocol;
    client.resume();
    transport.write("x");
    transport.end();
    transport.end();
    expect(transport.write("y")).toBe(false);
    expect(transport.writeAll(["y", "z"])).toBe(false);
    transport.requestFlush();
    transport.destroy();
    transport.destroy();
    transport.pause();
    transport.resume();
    await protocol.closedPromise;
    expect(protocol.events).toEqual(["closed"]);
    expect(opened.faults).toEqual([]);
  });

  it.each(["onReceive", "onEnd", "onFlush", "onWritable", "onExpire", "onShutdown"] as const)(
    "survives a connection that throws in %s, and reports it",
    async (method) => {
      const bug = new Error("bug");
      const fail = (): void => {
        throw bug;
      };
      await using opened = await openConnections({ script: { [method]: fail } });
      const { client, protocol } = await opened.dial();
      client.on("error", () => {});
      const { client: neighbour, protocol: other } = await opened.dial();
      if (method === "onReceive") client.write("x");
      if (method === "onEnd") client.end();
      if (method === "onFlush") protocol.transport.requestFlush();
      if (method === "onExpire") {
        protocol.deadlineMs = 0;
        opened.time.advance(500);
      }
      if (method === "onShutdown") opened.connections.shutdown();
      if (method === "onWritable") protocol.transport.write(Buffer.alloc(8 * MIB));
      client.resume();
      expect(await protocol.closedPromise).toBe(bug);
      expect(opened.faults[0]).toMatchObject({ id: "", error: bug, exchange: null });
      // All are told to shut down, so all fail then
      if (method === "onShutdown") await other.closedPromise;
      expect(other.events.includes("closed")).toBe(method === "onShutdown");
      neighbour.destroy();
    },
  );

  it("flushes all who ask in one turn, each once, and who asks meanwhile in the next", async () => {
    const order: number[] = [];
    let again = true;
    await using opened = await openConnections({
      script: {
        onFlush(connection) {
          order.push(connection.transport.info.id);
          if (again) connection.transport.requestFlush();
          again = false;
        },
      },
    });
    const dialled = await Promise.all([opened.dial(), opened.dial(), opened.dial()]);
    const transports = opened.protocols.map((protocol) => protocol.transport);
    for (const transport of transports) transport.requestFlush();
    for (const transport of transports) transport.requestFlush();
    expect(order).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    const ids = transports.map((transport) => transport.info.id);
    expect(order).toEqual(ids);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([...ids, ids[0]]);
    for (const { client } of dialled) client.destroy();
  });

  it("does not flush a connection that was destroyed after asking", async () => {
    await using opened = await openConnections();
    const { protocol } = await opened.dial();
    protocol.transport.requestFlush();
    protocol.transport.destroy();
    await protocol.closedPromise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(protocol.events).toEqual(["closed"]);
  });

  it("expires connections whose deadline has passed, and no others", async () => {
    await using opened = await openConnections({
      script: { onExpire: (connection) => connection.transport.destroy() },
    });
    const { protocol } = await opened.dial();
    const { protocol: other } = await opened.dial();
    protocol.deadlineMs = protocol.clock.nowMs + 30_000;
    opened.time.advance(29_000);
    expect(protocol.events).toEqual([]);
    opened.time.advance(1_500);
    expect(protocol.events).toEqual(["expire"]);
    await protocol.closedPromise;
    expect(other.events).toEqual([]);
  });

  it("knows both ends of the connection", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { info } = protocol.transport;
    expect(info.remoteAddress).toEqual({ address: "127.0.0.1", port: client.localPort, family: "IPv4" });
    expect(info.localAddress).toEqual({ address: "127.0.0.1", port: client.remotePort, family: "IPv4" });
    expect(info.remoteAddress).toBe(info.remoteAddress);
    expect(info).toMatchObject({ isEncrypted: false, alpnProtocol: "http/1.1", serverName: null });
  });

  it("numbers connections upwards", async () => {
    await using opened = await openConnections();
    const { protocol: first } = await opened.dial();
    const { protocol: second } = await opened.dial();
    expect(second.transport.info.id).toBeGreaterThan(first.transport.info.id);
  });

  it("still knows addresses after the end where somebody observes", async () => {
    await using opened = await openConnections({ hooks: { onConnection() {} } });
    const { client, protocol } = await opened.dial();
    const port = client.localPort;
    protocol.transport.destroy();
    await protocol.closedPromise;
    expect(protocol.transport.info.remoteAddress.port).toBe(port);
  });
});
