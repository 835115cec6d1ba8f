/** Parts of files into sockets, between what else is written to them: read and written, and within the kernel. */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import type * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { FileSlice } from "../../src/http/exchange.ts";
import type { FakeProtocol } from "./support/fake-protocol.ts";
import { BufferPool } from "../../src/server/buffer-pool.ts";
import { type Sendfile, SENDFILE_ABSENT, SENDFILE_FULL, SENDFILE_NEVER } from "../../src/server/sendfile-pump.ts";
import * as support from "./support/open-connections.ts";
import { readAll, until } from "./support/open-connections.ts";

/** How often the pumps have read in this thread, and held all others up. */
const readsInThread = vi.hoisted(() => ({ reads: 0 }));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof nodeFs>();
  const readSync = (...args: Parameters<typeof fs.readSync>): number => {
    readsInThread.reads++;
    return fs.readSync(...args);
  };
  return { ...fs, readSync };
});

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZE = 9 * MIB + 321;

let folder = "";
let path = "";
const content = Buffer.alloc(SIZE);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-"));
  path = join(folder, "content");
  // A period that is no power of two: pieces that are swapped or repeated do not look alike
  for (let i = 0; i < SIZE; i++) content[i] = (i * 7 + (i >> 8) * 13 + (i >> 16) * 31) & 0xff;
  writeFileSync(path, content);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A slice of the file that counts its releases, and closes its descriptor. */
class CountedSlice implements FileSlice {
  readonly fd: number;
  readonly start: number;
  readonly length: number;
  releases = 0;

  constructor(start: number, length: number, of: string = path) {
    this.fd = openSync(of, "r");
    this.start = start;
    this.length = length;
  }

  release(): void {
    this.releases++;
    closeSync(this.fd);
  }
}

function send(protocol: FakeProtocol, slice: FileSlice): Promise<Error | null> {
  return new Promise((resolve) => protocol.transport.sendFile(slice, resolve));
}

/** What the kernel does, by other means: straight to the descriptor, as far as there is room. */
const kernel: Sendfile = (socket, file, position, length) => {
  const piece = Buffer.alloc(Math.min(length, 300_001));
  const bytes = readSync(file, piece, 0, piece.length, position);
  if (bytes === 0) return SENDFILE_FULL;
  try {
    return writeSync(socket, piece, 0, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? SENDFILE_FULL : SENDFILE_NEVER;
  }
};

/** The same with pieces of all sizes, and all that can be in the way. */
function moodyKernel(): Sendfile {
  let turn = 0;
  return (socket, file, position, length) => {
    const mood = turn++ % 7;
    if (mood === 2) return SENDFILE_FULL;
    if (mood === 4) return SENDFILE_ABSENT;
    if (mood === 6 && turn > 20) return SENDFILE_NEVER;
    return kernel(socket, file, position, Math.min(length, 1 + turn * 12_345));
  };
}

const WAYS: ReadonlyArray<readonly [string, Sendfile | null]> = [
  ["by reading and writing", null],
  ["within the kernel", kernel],
  ["within a kernel that has moods", moodyKernel()],
  ["by a kernel that cannot", () => SENDFILE_NEVER],
  ["by a kernel that finds nothing in memory", () => SENDFILE_ABSENT],
];

describe.each(WAYS)("sendFile %s", (_way, sendfile) => {
  const openConnections = (): Promise<support.Opened> => support.openConnections({ sendfile });

  it.each([
    [0, 0],
    [0, 1],
    [SIZE, 0],
    [SIZE - 1, 1],
    [5, 4095],
    [0, 16 * KIB],
    [3, 16 * KIB + 1],
    [0, 64 * KIB],
    [1, 64 * KIB + 1],
    [0, 256 * KIB],
    [17, 300 * KIB],
    [0, MIB],
    [0, MIB + 1],
    [MIB - 1, 2 * MIB + 2],
    [100, 5 * MIB],
    [0, SIZE],
  ])("sends what stands from %i on, %i octets, between what is written around it", async (start, length) => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const slice = new CountedSlice(start, length);
    const received = readAll(client);
    protocol.transport.write("before:");
    const sent = send(protocol, slice);
    expect(protocol.transport.queuedBytes + protocol.transport.takenBytes).toBe(7 + length);
    protocol.transport.write(":behind");
    expect(await sent).toBeNull();
    protocol.transport.end();
    const got = await received;
    expect(got.length).toBe(length + 14);
    expect(got.subarray(0, 7).toString()).toBe("before:");
    expect(got.subarray(7, 7 + length).equals(content.subarray(start, start + length))).toBe(true);
    expect(got.subarray(7 + length).toString()).toBe(":behind");
    expect(slice.releases).toBe(1);
    expect(protocol.transport.queuedBytes).toBe(0);
    expect(opened.connections.buffers.outBytes).toBe(0);
  });

  it("sends many files to many connections at once, none mixed up", async () => {
    await using opened = await openConnections();
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { client, protocol } = await opened.dial();
        const slice = new CountedSlice(i * 1000, (i + 1) * 200 * KIB);
        const received = readAll(client);
        expect(await send(protocol, slice)).toBeNull();
        protocol.transport.end();
        return { got: await received, slice };
      }),
    );
    for (const { got, slice } of all) {
      expect(got.equals(content.subarray(slice.start, slice.start + slice.length))).toBe(true);
      expect(slice.releases).toBe(1);
    }
    expect(opened.connections.buffers.outBytes).toBe(0);
  });

  it("sends files one after the other on one connection, large values between them", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const received = readAll(client);
    expect(await send(protocol, new CountedSlice(0, 500 * KIB))).toBeNull();
    protocol.transport.write(content.subarray(0, MIB));
    const second = new CountedSlice(11, 700 * KIB);
    expect(await send(protocol, second)).toBeNull();
    protocol.transport.end();
    const expected = [content.subarray(0, 500 * KIB), content.subarray(0, MIB), content.subarray(11, 11 + 700 * KIB)];
    expect((await received).equals(Buffer.concat(expected))).toBe(true);
  });

  it("holds two buffers for a reader that does not read, and no more", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.pause();
    const slice = new CountedSlice(0, SIZE);
    // More than any socket buffer takes
    protocol.transport.write(Buffer.alloc(16 * MIB));
    const sent = send(protocol, slice);
    const before = protocol.transport.takenBytes;
    await until(() => protocol.transport.takenBytes > before || protocol.transport.takenBytes > MIB);
    expect(opened.connections.buffers.outBytes).toBeLessThanOrEqual(2 * MIB);
    const { buffers } = opened.connections;
    let most = buffers.outBytes;
    const take = vi.spyOn(buffers, "take");
    take.mockImplementation((wantedBytes) => {
      const buffer = BufferPool.prototype.take.call(buffers, wantedBytes);
      most = Math.max(most, buffers.outBytes);
      return buffer;
    });
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    client.resume();
    expect(await sent).toBeNull();
    await until(() => read === 16 * MIB + SIZE);
    expect(most).toBeLessThanOrEqual(2 * MIB);
    expect(most).toBeGreaterThan(0);
    expect(slice.releases).toBe(1);
  });

  it("asks a slice that can tell whether it is intact before its last octets leave, and breaks off if not", async () => {
    await using opened = await openConnections();
    for (const isIntact of [true, false]) {
      const slice = Object.assign(new CountedSlice(0, 700 * KIB), { isIntact: () => isIntact });
      const { client, protocol } = await opened.dial();
      const received = readAll(client);
      const error = await send(protocol, slice);
      if (isIntact) protocol.transport.end();
      else protocol.transport.destroy();
      expect([error === null, (await received).length === 700 * KIB]).toEqual([isIntact, isIntact]);
      expect(slice.releases).toBe(1);
    }
  });

  it("tells what the peer has taken as it goes, and no more than that when the peer leaves", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const copy = join(folder, "sparse");
    writeFileSync(copy, "");
    truncateSync(copy, 64 * MIB);
    const slice = new CountedSlice(0, 64 * MIB, copy);
    let taken = 0;
    let calls = 0;
    const sent = new Promise<Error | null>((resolve) =>
      protocol.transport.sendFile(slice, resolve, (bytes) => {
        taken += bytes;
        calls++;
      }),
    );
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    await until(() => read > 8 * MIB);
    client.pause();
    expect([calls > 1, taken > 0]).toEqual([true, true]);
    client.resetAndDestroy();
    expect(await sent).not.toBeNull();
    expect(taken).toBeLessThan(64 * MIB);
    // What the kernel took of the last piece is not known
    expect(taken).toBeGreaterThan(read - 256 * KIB - 1);
  });

  it("fails when the file is shorter than promised, and releases it", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.resume();
    const slice = new CountedSlice(SIZE - 100, 200);
    const error = await send(protocol, slice);
    expect(error).toMatchObject({
      code: "ERR_FILE_CHANGED",
      message: expect.stringContaining("it ended 100 octets short") as unknown,
    });
    expect(slice.releases).toBe(1);
    protocol.transport.destroy();
  });

  it("says how much of a long file is missing", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    client.resume();
    const slice = new CountedSlice(0, SIZE + 20 * MIB);
    const missing = expect.stringContaining(`it ended ${20 * MIB} octets short`) as unknown;
    expect(await send(protocol, slice)).toMatchObject({ code: "ERR_FILE_CHANGED", message: missing });
    expect(slice.releases).toBe(1);
    protocol.transport.destroy();
  });

  it("fails when the file is truncated while it is sent", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const copy = join(folder, "truncated");
    writeFileSync(copy, Buffer.alloc(40 * MIB));
    const slice = new CountedSlice(0, 40 * MIB, copy);
    client.pause();
    const sent = send(protocol, slice);
    await until(() => protocol.transport.takenBytes > 0);
    const writable = openSync(copy, "r+");
    ftruncateSync(writable, MIB);
    closeSync(writable);
    client.resume();
    expect(await sent).toBeInstanceOf(Error);
    expect(slice.releases).toBe(1);
    protocol.transport.destroy();
    await opened.empty();
    expect(opened.connections.buffers.outBytes).toBe(0);
  });

  it("fails when the descriptor cannot be read", async () => {
    await using opened = await openConnections();
    const { protocol } = await opened.dial();
    let releases = 0;
    const error = await send(protocol, { fd: 999_999, start: 0, length: 10, release: () => releases++ });
    expect(error).toMatchObject({ code: "EBADF" });
    expect(releases).toBe(1);
  });

  it.each([
    ["in the middle of the first read", () => Promise.resolve()],
    [
      "while the peer does not read",
      async (protocol: FakeProtocol) => {
        await until(() => protocol.transport.takenBytes > 0);
        for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      },
    ],
  ])("releases the file once when the connection is destroyed %s", async (_, wait) => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    client.pause();
    const slice = new CountedSlice(0, SIZE);
    const sent = send(protocol, slice);
    await wait(protocol);
    protocol.transport.destroy();
    expect(await sent).toBeInstanceOf(Error);
    await until(() => slice.releases > 0 && opened.connections.buffers.outBytes === 0);
    await protocol.closedPromise;
    expect(slice.releases).toBe(1);
    expect(protocol.events).toEqual(["closed"]);
  });

  it("counts nothing as taken, and gives its buffer to nobody, when the connection is destroyed", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    client.pause();
    const sparse = join(folder, "waiting");
    writeFileSync(sparse, "");
    truncateSync(sparse, 64 * MIB);
    const slice = new CountedSlice(0, 64 * MIB, sparse);
    const { buffers } = opened.connections;
    let taken = 0;
    const sent = new Promise<Error | null>((resolve) =>
      protocol.transport.sendFile(slice, resolve, (bytes) => (taken += bytes)),
    );
    let before = -1;
    while (before !== protocol.transport.takenBytes || before === 0) {
      before = protocol.transport.takenBytes;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const takenBefore = taken;
    expect(buffers.outBytes).toBeGreaterThan(0);
    protocol.transport.destroy();
    expect(await sent).toBeInstanceOf(Error);
    await until(() => slice.releases > 0);
    expect([taken, buffers.outBytes, slice.releases]).toEqual([takenBefore, 0, 1]);
  });

  it("releases the file when the peer resets", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.pause();
    const slice = new CountedSlice(0, SIZE);
    const sent = send(protocol, slice);
    await until(() => protocol.transport.takenBytes > 0);
    client.resetAndDestroy();
    expect(await sent).toBeInstanceOf(Error);
    expect(await protocol.closedPromise).toBeInstanceOf(Error);
    await until(() => slice.releases > 0);
    expect(slice.releases).toBe(1);
  });

  it("releases a file that waits behind something else when the connection goes", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    client.pause();
    protocol.transport.write(Buffer.alloc(32 * MIB));
    const slice = new CountedSlice(0, SIZE);
    const sent = send(protocol, slice);
    protocol.transport.destroy();
    expect(await sent).toBeInstanceOf(Error);
    expect(slice.releases).toBe(1);
  });

  it("ends behind the file, not before it", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    const sent = send(protocol, new CountedSlice(0, SIZE));
    protocol.transport.end();
    expect((await readAll(client)).equals(content)).toBe(true);
    expect(await sent).toBeNull();
  });

  it("refuses a file after the end, and a second one beside the first", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.resume();
    const first = new CountedSlice(0, SIZE);
    const second = new CountedSlice(0, 10);
    const sent = send(protocol, first);
    expect((await send(protocol, second))?.message).toBe("another file is being sent");
    expect(second.releases).toBe(1);
    expect(await sent).toBeNull();
    protocol.transport.end();
    const third = new CountedSlice(0, 10);
    expect((await send(protocol, third))?.message).toBe("the connection is closed");
    expect(third.releases).toBe(1);
  });

  it("drops idle buffers when there are no connections any more", async () => {
    await using opened = await openConnections();
    const { client, protocol } = await opened.dial();
    client.resume();
    expect(await send(protocol, new CountedSlice(0, SIZE))).toBeNull();
    expect(opened.connections.buffers.idleBytes).toBeGreaterThan(0);
    protocol.transport.destroy();
    await opened.empty();
    opened.time.advance(500);
    expect(opened.connections.buffers.idleBytes).toBe(0);
  });
});

describe("a sendfile that somebody else has made", () => {
  it.each<readonly [string, () => unknown, string]>([
    [
      "throws",
      () => {
        throw new RangeError("no such thing");
      },
      "no such thing",
    ],
    ["gives nothing", () => undefined, "and said undefined"],
    ["gives no number", () => NaN, "and said NaN"],
    ["gives a part of an octet", () => 1.5, "and said 1.5"],
    ["gives a promise", () => Promise.resolve(5), "and said [object Promise]"],
    ["has sent more than there is", () => 2 ** 40, "and said 1099511627776"],
  ])("that %s breaks the answer off, and ends nothing else", async (_name, answer, message) => {
    for (const behind of [0, 2]) {
      let calls = 0;
      const sendfile: Sendfile = (...args) => (calls++ < behind ? kernel(...args) : (answer() as number));
      await using opened = await support.openConnections({ sendfile });
      const { client, protocol } = await opened.dial();
      client.on("error", () => {});
      client.resume();
      const slice = new CountedSlice(0, SIZE);
      expect((await send(protocol, slice))?.message).toContain(message);
      expect([calls, slice.releases, opened.connections.buffers.outBytes]).toEqual([behind + 1, 1, 0]);
      protocol.transport.destroy();
      await opened.empty();
      expect([slice.releases, opened.faults]).toEqual([1, []]);
    }
  });

  it("that fails while the connection goes lets go of the file once, and tells of the connection", async () => {
    let destroy = (): void => {};
    const sendfile: Sendfile = () => {
      destroy();
      throw new Error("failed");
    };
    await using opened = await support.openConnections({ sendfile });
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    destroy = () => protocol.transport.destroy();
    const slice = new CountedSlice(0, SIZE);
    expect(await send(protocol, slice)).toBeInstanceOf(Error);
    await opened.empty();
    expect(slice.releases).toBe(1);
  });

  it("that sends little at a time leaves the others their turns", async () => {
    let calls = 0;
    let most = 0;
    const sendfile: Sendfile = (socket, file, position) => {
      calls++;
      return kernel(socket, file, position, 1000);
    };
    await using opened = await support.openConnections({ sendfile });
    const { client, protocol } = await opened.dial();
    client.resume();
    const turn = (): void => {
      most = Math.max(most, calls);
      calls = 0;
      immediate = setImmediate(turn);
    };
    let immediate = setImmediate(turn);
    expect(await send(protocol, new CountedSlice(0, MIB))).toBeNull();
    clearImmediate(immediate);
    expect(Math.max(most, calls)).toBeLessThanOrEqual(2);
  });

  it("that sends much at a time leaves the others their turns", async () => {
    let calls = 0;
    let most = 0;
    // Nothing is sent: it would take too long
    const sendfile: Sendfile = (_socket, _file, _position, length) => {
      most = Math.max(most, ++calls);
      return length;
    };
    await using opened = await support.openConnections({ sendfile });
    const { client, protocol } = await opened.dial();
    client.on("error", () => {});
    client.resume();
    const turn = (): void => {
      calls = 0;
      immediate = setImmediate(turn);
    };
    let immediate = setImmediate(turn);
    let asked = 0;
    const isIntact = (): boolean => asked++ === 0;
    expect(await send(protocol, Object.assign(new CountedSlice(0, SIZE), { isIntact }))).toBeNull();
    clearImmediate(immediate);
    expect([most <= 2, asked]).toEqual([true, 1]);
    protocol.transport.destroy();
  });

  it("is not asked, and nothing is read in this thread, while what was written before is on its way", async () => {
    const states: number[] = [];
    const sendfile: Sendfile = (...args) => {
      states.push(args[2]);
      return kernel(...args);
    };
    await using opened = await support.openConnections({ sendfile });
    const { client, protocol } = await opened.dial();
    client.pause();
    // Short enough to be no pump, and together more than the socket takes
    for (let i = 0; i < 200; i++) protocol.transport.write(Buffer.alloc(100 * KIB));
    const received = readAll(client);
    const { reads } = readsInThread;
    const sent = send(protocol, new CountedSlice(0, SIZE));
    expect([states.length, readsInThread.reads - reads]).toEqual([0, 0]);
    client.resume();
    expect(await sent).toBeNull();
    expect(states.length).toBeGreaterThan(0);
    protocol.transport.end();
    const got = await received;
    expect(got.subarray(200 * 100 * KIB).equals(content)).toBe(true);
  });
});
