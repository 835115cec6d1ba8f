/** How much is handed to a socket at once: more to a peer that takes it quickly, less to one that must show its progress. */
import { Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Clock } from "../../src/http/exchange.ts";
import { BytesPump } from "../../src/server/pump.ts";
import { openConnections, readAll, until } from "./support/open-connections.ts";

const KIB = 1024;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Pieces in KiB, of a value of 1 MiB that the kernel takes in the given times. */
function piecesTaken(timesMs: readonly number[], firstBytes = 64 * KIB): { pieces: number[]; next: number } {
  const clock = { nowMs: 0, dateText: "" } satisfies Clock;
  const pieces: number[] = [];
  let taken: (() => void) | null = null;
  const socket = {
    write(data: Uint8Array, done: () => void): boolean {
      pieces.push(data.length / KIB);
      taken = done;
      return false;
    },
  };
  const pump = new BytesPump(socket as unknown as Socket, clock, firstBytes, new Uint8Array(KIB * KIB), () => {});
  pump.start();
  for (const ms of timesMs) {
    clock.nowMs += ms;
    (taken as (() => void) | null)?.();
  }
  return { pieces, next: pump.pieceBytes / KIB };
}

describe("a piece", () => {
  it("is twice as large as the one before, while the peer takes them quickly", () => {
    expect(piecesTaken([0, 0, 0, 0, 0]).pieces).toEqual([64, 128, 256, 256, 256, 64]);
    // Others are served meanwhile, and move the clock
    expect(piecesTaken([1, 20, 249, 100, 3]).pieces).toEqual([64, 128, 256, 256, 256, 64]);
  });

  it("is half as large where it took its time, down to 16 KiB", () => {
    expect(piecesTaken([250, 1000, 9999, 500, 250]).pieces).toEqual([64, 32, 16, 16, 16, 16]);
    expect(piecesTaken([0, 0, 300, 0, 0]).pieces).toEqual([64, 128, 256, 128, 256, 192]);
  });

  it("is at first what the peer took last", () => {
    expect(piecesTaken([0], 256 * KIB)).toEqual({ pieces: [256, 256], next: 256 });
    expect(piecesTaken([400], 256 * KIB).next).toBe(128);
  });
});

describe("a connection", () => {
  /** Lengths of what is written by others than `client`, until the returned function is called. */
  function watchWrites(client: Socket): () => number[] {
    let lengths: number[] = [];
    const write = Socket.prototype.write;
    vi.spyOn(Socket.prototype, "write").mockImplementation(function (this: Socket, ...args: unknown[]): boolean {
      if (this !== client) lengths.push((args[0] as Uint8Array).length / KIB);
      return Reflect.apply(write, this, args) as boolean;
    });
    return () => {
      const seen = lengths;
      lengths = [];
      return seen;
    };
  }

  it("whose peer is known to be quick has 256 KiB written whole, and what is longer in pieces of that", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { transport } = protocol;
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    const written = watchWrites(client);
    let sent = 0;
    const send = async (kib: number): Promise<number[]> => {
      sent += kib * KIB;
      transport.write(Buffer.alloc(kib * KIB));
      await until(() => read === sent && transport.queuedBytes === 0);
      return written();
    };
    expect(await send(300)).toEqual([64, 128, 108]);
    expect(await send(256)).toEqual([256]);
    expect(await send(300)).toEqual([256, 44]);
    expect(await send(128)).toEqual([128]);
  });

  it("whose peer is quick no longer shows its progress again", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { transport } = protocol;
    const written = watchWrites(client);
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    transport.write(Buffer.alloc(600 * KIB));
    await until(() => read === 600 * KIB && transport.queuedBytes === 0);
    client.pause();
    written();
    // Whole, until the kernel takes no more
    while (transport.queuedBytes === 0) {
      transport.write(Buffer.alloc(200 * KIB));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(written())).toEqual(new Set([200]));
    const heard = protocol.events.length;
    opened.time.wall += 500;
    opened.connections.clock.touch();
    client.resume();
    await until(() => protocol.events.slice(heard).includes("writable"));
    transport.write(Buffer.alloc(200 * KIB));
    transport.end();
    client.removeAllListeners("data");
    await readAll(client);
    expect(written()).toEqual([64, 128, 8]);
  });
});
