/** How much is handed to a socket at once: more to a peer that takes it quickly, less to one that must show its progress. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Clock } from "../../src/http/exchange.ts";
import type { SocketInfo } from "../../src/server/connection-info.ts";
import { BytesPump } from "../../src/server/pump.ts";
import { type SocketHost, SocketTransport } from "../../src/server/socket.ts";
import type { FakeProtocol } from "./support/fake-protocol.ts";
import { openConnections, type Opened, until } from "./support/open-connections.ts";

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

/** A peer that reads all, what it has read, and what is written to it. */
async function dialWatched(opened: Opened): Promise<Watched> {
  const { client, protocol } = await opened.dial();
  const reading = { bytes: 0 };
  client.on("data", (chunk: Buffer) => (reading.bytes += chunk.length));
  return { client, transport: protocol.transport, written: watchWrites(client), reading };
}

interface Watched {
  readonly client: Socket;
  readonly transport: FakeProtocol["transport"];
  readonly written: () => number[];
  readonly reading: { readonly bytes: number };
}

describe("a connection", () => {
  it("whose peer is known to be quick has 256 KiB written whole, and what is longer in pieces of that", async () => {
    await using opened = await openConnections();
    const { transport, written, reading } = await dialWatched(opened);
    let sent = 0;
    const send = async (kib: number): Promise<number[]> => {
      sent += kib * KIB;
      transport.write(Buffer.alloc(kib * KIB));
      await until(() => reading.bytes === sent && transport.queuedBytes === 0);
      return written();
    };
    expect(await send(300)).toEqual([64, 128, 108]);
    expect(await send(256)).toEqual([256]);
    expect(await send(300)).toEqual([256, 44]);
    expect(await send(128)).toEqual([128]);
  });

  it("whose peer is quick no longer has as much written whole all the same, and shows its progress in that", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const { transport } = protocol;
    const written = watchWrites(client);
    const reading = { bytes: 0 };
    client.on("data", (chunk: Buffer) => (reading.bytes += chunk.length));
    transport.write(Buffer.alloc(600 * KIB));
    await until(() => reading.bytes === 600 * KIB && transport.queuedBytes === 0);
    client.pause();
    written();
    // Until the kernel takes no more
    while (transport.queuedBytes === 0) {
      transport.write(Buffer.alloc(200 * KIB));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const taken = transport.takenBytes;
    opened.time.wall += 500;
    opened.connections.clock.touch();
    client.resume();
    await until(() => transport.takenBytes > taken);
    await until(() => transport.queuedBytes === 0);
    transport.write(Buffer.alloc(200 * KIB));
    await until(() => transport.queuedBytes === 0);
    expect(new Set(written())).toEqual(new Set([200]));
  });
});

describe("what a peer has taken", () => {
  const hostOf = { clock: { nowMs: 0 } } as unknown as SocketHost;
  const infoOf = {} as unknown as SocketInfo;

  it("grows within a piece, so that a slow peer is not taken for a dead one; under TLS as it is encrypted", () => {
    const handle = { bytesWritten: 0, writeQueueSize: 0 };
    const raw = { _handle: handle } as unknown as Socket;
    const secure = { _handle: {}, writableLength: 0, write: () => true } as unknown as Socket;
    for (const socket of [raw, secure]) {
      Object.assign(handle, { bytesWritten: 256_000, writeQueueSize: 200_000 });
      const transport = new SocketTransport(socket, infoOf, hostOf, raw);
      expect(transport.takenBytes).toBe(56_000);
      handle.writeQueueSize = 199_999;
      expect(transport.takenBytes).toBe(56_001);
    }
  });

  it("grows with each piece where the socket does not count, as behind its end", () => {
    const socket = { _handle: null, writableLength: 0, write: () => true };
    const transport = new SocketTransport(socket as unknown as Socket, infoOf, hostOf, socket as unknown as Socket);
    transport.write("twelve octets".slice(1));
    socket.writableLength = 12;
    expect(transport.takenBytes).toBe(0);
    socket.writableLength = 0;
    expect(transport.takenBytes).toBe(12);
  });
});

describe("what a peer took last", () => {
  const counting = { bytesWritten: 0, writeQueueSize: 0 };

  /** First pieces in KiB of three values, of which the kernel takes each piece in so many milliseconds. */
  function firstPieces(handle: object | null, ms: number): number[] {
    const clock = { nowMs: 0, dateText: "" };
    const pieces: number[] = [];
    const taken: Array<() => void> = [];
    const write = (data: Uint8Array, done?: unknown): boolean => {
      pieces.push(data.length / KIB);
      if (typeof done === "function") taken.push(done as () => void);
      return true;
    };
    const socket = { _handle: handle, writableLength: 0, writableNeedDrain: false, write } as unknown as Socket;
    const transport = new SocketTransport(socket, {} as SocketInfo, { clock } as unknown as SocketHost, socket);
    return [600, 200, 600].map((kib) => {
      pieces.length = 0;
      transport.write(Buffer.alloc(kib * KIB));
      for (let done = taken.shift(); done !== undefined; done = taken.shift()) {
        clock.nowMs += ms;
        done();
      }
      return pieces[0] as number;
    });
  }

  it("tells how the next value begins where progress shows within it, and nowhere else", () => {
    expect(firstPieces(counting, 0)).toEqual([64, 200, 256]);
    expect(firstPieces(null, 0)).toEqual([64, 64, 64]);
  });

  it("makes the next one begin with no less than the first did", () => {
    expect(firstPieces(counting, 1000)).toEqual([64, 64, 64]);
  });
});

describe("a file behind what was taken quickly", () => {
  it("begins with pieces of that size", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-pump-"));
    const path = join(folder, "file");
    writeFileSync(path, Buffer.alloc(600 * KIB));
    const fd = openSync(path, "r");
    try {
      await using opened = await openConnections();
      const { transport, written, reading } = await dialWatched(opened);
      const sendFile = (): Promise<Error | null> =>
        new Promise((resolve) => transport.sendFile({ fd, start: 0, length: 600 * KIB, release: () => {} }, resolve));
      expect(await sendFile()).toBeNull();
      expect(written()).toEqual([64, 128, 256, 152]);
      await until(() => reading.bytes === 600 * KIB);
      expect(await sendFile()).toBeNull();
      expect(written()).toEqual([256, 256, 88]);
    } finally {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    }
  });
});
