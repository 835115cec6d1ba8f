import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ConnectionInfo, Refusal } from "../../src/http/exchange.ts";
import { openConnections, readAll, until } from "./support/open-connections.ts";

const MIB = 1024 * 1024;

/** Resolves when the server has let go of this half-closed connection: what is written then is answered with a reset. */
async function whenGone(client: Socket): Promise<void> {
  const closed = new Promise((resolve) => client.once("close", resolve));
  const poke = setInterval(() => client.write("x"), 1);
  await closed;
  clearInterval(poke);
}

describe("limits on connections", () => {
  it("answers one connection too many, tells observers, and has room again when one goes", async () => {
    const refusals: Refusal[] = [];
    const opening: ConnectionInfo[] = [];
    await using opened = await openConnections({
      maxConnections: 2,
      hooks: { onRefusal: (refusal) => refusals.push(refusal), onConnection: (connection) => opening.push(connection) },
    });
    const { protocol } = await opened.dial();
    await opened.dial();
    const third = await opened.dialOnly();
    expect((await readAll(third)).toString()).toBe("refused ERR_TOO_MANY_CONNECTIONS Sat, 21 Nov 2026 08:00:00 GMT\n");
    expect(opened.connections).toMatchObject({ open: 2, accepted: 3, refused: 1 });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.error).toMatchObject({ code: "ERR_TOO_MANY_CONNECTIONS", status: 503, detail: "limit 2" });
    expect(refusals[0]?.contentBytes).toBe(7);
    expect(opening).toHaveLength(2);
    protocol.transport.destroy();
    await protocol.closedPromise;
    await opened.dial();
    expect(opened.connections.open).toBe(2);
  });

  it("lets a refused client send its request before it reads the answer", async () => {
    await using opened = await openConnections({ maxConnections: 1 });
    await opened.dial();
    const client = await opened.dialOnly();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => opened.connections.accepted === 2);
    expect((await readAll(client)).toString()).toContain("ERR_TOO_MANY_CONNECTIONS");
  });

  it("cuts a refused client off that stays, or that sends too much", async () => {
    await using opened = await openConnections({ maxConnections: 1 });
    await opened.dial();
    // Neither ends its side when the server does
    const dialRefused = async (): Promise<{ client: Socket; ended: Promise<unknown> }> => {
      const client = await opened.dialOnly({ allowHalfOpen: true });
      client.on("error", () => {});
      const ended = once(client, "end");
      client.resume();
      return { client, ended };
    };
    const { client: silent, ended } = await dialRefused();
    const { client: loud, ended: loudEnded } = await dialRefused();
    const ends = Promise.all([ended, loudEnded]);
    await until(() => opened.connections.refused === 2);
    await ends;
    loud.write(Buffer.alloc(MIB));
    await whenGone(loud);
    opened.time.advance(3_000);
    await whenGone(silent);
    expect(opened.connections.open).toBe(1);
  });

  it("turns away a flood of connections with bounded means", async () => {
    await using opened = await openConnections({ maxConnections: 1 });
    await opened.dial();
    const clients = await Promise.all(Array.from({ length: 300 }, () => opened.dialOnly()));
    const heard = await Promise.all(
      clients.map(async (client) => {
        try {
          return (await readAll(client)).length;
        } catch {
          return 0;
        }
      }),
    );
    expect(opened.connections.refused).toBe(300);
    expect(heard.filter((length) => length > 0).length).toBeGreaterThanOrEqual(128);
    expect(opened.connections.open).toBe(1);
  });

  it("counts per address where a limit is set, and forgets addresses that left", async () => {
    const refusals: Refusal[] = [];
    await using opened = await openConnections({
      maxConnectionsPerAddress: 1,
      hooks: { onRefusal: (refusal) => refusals.push(refusal) },
    });
    const { protocol } = await opened.dial();
    expect((await readAll(await opened.dialOnly())).toString()).toContain("ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS");
    expect(refusals[0]?.connection.remoteAddress.address).toBe("127.0.0.1");
    protocol.transport.destroy();
    await protocol.closedPromise;
    await opened.dial();
  });

  it("does not count peers of a unix socket as one address", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    await using opened = await openConnections({ maxConnectionsPerAddress: 1, unix: join(folder, "socket") });
    const { protocol } = await opened.dial();
    await opened.dial();
    expect(protocol.transport.info.remoteAddress).toEqual({ address: join(folder, "socket"), port: 0, family: "unix" });
    expect(protocol.transport.info.localAddress.family).toBe("unix");
    expect(opened.connections.open).toBe(2);
    rmSync(folder, { recursive: true });
  });

  it("destroys a connection on a unix socket although it cannot be reset", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    await using opened = await openConnections({ unix: join(folder, "socket") });
    const { client, protocol } = await opened.dial();
    client.pause();
    protocol.transport.write(Buffer.alloc(32 * MIB));
    protocol.transport.destroy();
    expect(await protocol.closedPromise).toBeNull();
    client.destroy();
    rmSync(folder, { recursive: true });
  });
});

describe("failing to accept", () => {
  it("warns once a minute and goes on", async () => {
    await using opened = await openConnections();
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listen);
    const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
    for (let i = 0; i < 5; i++) opened.connections.onAcceptError(error);
    opened.time.advance(60_000);
    opened.connections.onAcceptError(error);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(opened.connections.acceptErrors).toBe(6);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]?.message).toContain("(EMFILE); raise the limit of descriptors");
    await opened.dial();
  });
});

describe("the end of connections", () => {
  it("tells observers of each, with the error", async () => {
    const closed: Array<[number, string]> = [];
    await using opened = await openConnections({
      hooks: {
        onConnectionClose: (connection, error) => closed.push([connection.id, error === null ? "" : error.message]),
      },
    });
    const { client, protocol } = await opened.dial();
    const { client: other, protocol: second } = await opened.dial();
    client.resetAndDestroy();
    await protocol.closedPromise;
    second.transport.destroy();
    await second.closedPromise;
    other.destroy();
    expect(closed).toEqual([
      [protocol.transport.info.id, "read ECONNRESET"],
      [second.transport.info.id, ""],
    ]);
  });

  it("asks all to shut down and takes no more in", async () => {
    await using opened = await openConnections();
    const dialled = await Promise.all([opened.dial(), opened.dial()]);
    const ends = dialled.map(({ client }) => readAll(client));
    opened.connections.shutdown();
    await Promise.all(ends);
    await opened.empty();
    for (const { protocol } of dialled) expect(protocol.events).toContain("shutdown");
    const late = await opened.dialOnly();
    expect(await readAll(late)).toHaveLength(0);
    expect(opened.protocols).toHaveLength(2);
  });

  it("cuts off those with work under way and counts them", async () => {
    await using opened = await openConnections();
    const { protocol: busy } = await opened.dial();
    const { protocol: idle } = await opened.dial();
    busy.isIdle = false;
    expect(opened.connections.destroyAll()).toBe(1);
    expect(await busy.closedPromise).toMatchObject({ code: "ERR_SHUTDOWN" });
    expect(await idle.closedPromise).toMatchObject({ code: "ERR_SHUTDOWN" });
    await opened.empty();
  });

  it("leaves no handle and no timer behind after a thousand connections", async () => {
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
    const before = count();
    {
      await using opened = await openConnections({
        script: {
          onReceive: (connection) => void connection.transport.write("x"),
          onEnd: (connection) => connection.transport.end(),
        },
      });
      for (let batch = 0; batch < 10; batch++) {
        await Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const client: Socket = await opened.dialOnly();
            client.write("y");
            await once(client, "data");
            // Some leave in order, some do not
            if (i % 3 === 0) client.destroy();
            else if (i % 3 === 1) client.resetAndDestroy();
            else client.end();
            await once(client, "close");
          }),
        );
      }
      await opened.empty();
      expect(opened.connections).toMatchObject({ open: 0, accepted: 1000, refused: 0 });
      expect(opened.time.timers).toBe(1);
      opened.time.advance(500);
      expect(opened.time.timers).toBe(0);
      expect(opened.protocols.every((each) => each.events.filter((event) => event === "closed").length === 1)).toBe(
        true,
      );
    }
    await until(() => count() <= before);
  });
});
