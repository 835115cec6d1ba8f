/** Small ranges of large files from memory: of one version always, within bounds, and read only where they are wanted again. */
import { once } from "node:events";
import { closeSync, openSync, renameSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BlockSource } from "../../src/static/file-blocks.ts";
import { FileBlocks } from "../../src/static/file-blocks.ts";
import type { Served } from "./support/static-site.ts";
import { OLD, StaticSite } from "./support/static-site.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK = 128 * KIB;

/** Octets whose period is no power of two. */
function octets(length: number, add = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + (i >> 16) * 31 + add) & 0xff;
  return bytes;
}

/** A file in memory that counts what is read of it. */
class FakeSource implements BlockSource {
  readonly content: Buffer;
  readonly reads: number[] = [];
  holders = 0;
  isTouched = false;

  constructor(length: number) {
    this.content = octets(length);
  }

  get sizeBytes(): number {
    return this.content.length;
  }

  acquire(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
  }

  isUntouched(): boolean {
    return !this.isTouched;
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    this.reads.push(position);
    // Never all at once
    const count = Math.min(length, 100_000, this.content.length - position);
    this.content.copy(target, offset, position, position + count);
    return count;
  }
}

/** Everything that was begun has ended. */
async function settled(source: FakeSource): Promise<void> {
  while (source.holders > 0) await new Promise(setImmediate);
}

async function warm(blocks: FileBlocks, source: FakeSource, start: number, length = 1): Promise<void> {
  for (let i = 0; i < 2; i++) blocks.part(start, length);
  await settled(source);
}

describe("the blocks of a file", () => {
  it("are read when they are asked for again, once", async () => {
    const source = new FakeSource(MIB);
    const blocks = new FileBlocks(source, MIB);
    expect(blocks.part(5000, 4096)).toBeNull();
    await settled(source);
    expect(source.reads).toEqual([]);
    for (let i = 0; i < 5; i++) expect(blocks.part(5000, 4096)).toBeNull();
    await settled(source);
    expect(source.reads).toEqual([0, 100_000]);
    expect(blocks.part(5000, 4096)?.equals(source.content.subarray(5000, 9096))).toBe(true);
    expect(blocks.bytes).toBe(BLOCK);
  });

  it.each([
    [0, 1],
    [BLOCK - 1, 1],
    [BLOCK - 1, 2],
    [BLOCK - 10_000, 64 * KIB],
    [BLOCK, 64 * KIB],
    [3 * BLOCK + 17, 1],
    [3 * BLOCK + 18, 59],
    [2 * BLOCK + 17, 64 * KIB],
  ])("give the part from %i, %i octets, as it is in the file", async (start, length) => {
    const source = new FakeSource(3 * BLOCK + 77);
    const blocks = new FileBlocks(source, MIB);
    await warm(blocks, source, start, length);
    expect(blocks.part(start, length)?.equals(source.content.subarray(start, start + length))).toBe(true);
    expect(source.holders).toBe(0);
  });

  it("give no part that is large", async () => {
    const source = new FakeSource(MIB);
    const blocks = new FileBlocks(source, MIB);
    await warm(blocks, source, 0, 64 * KIB + 1);
    expect([blocks.part(0, 64 * KIB + 1), source.reads]).toEqual([null, []]);
  });

  it("are bounded in octets, and those used lately stay", async () => {
    const source = new FakeSource(10 * BLOCK);
    const blocks = new FileBlocks(source, 3 * BLOCK);
    let grown = 0;
    blocks.onGrown = () => grown++;
    for (const number of [0, 1, 2]) await warm(blocks, source, number * BLOCK);
    expect(blocks.part(0, 1)).not.toBeNull();
    await warm(blocks, source, 3 * BLOCK);
    expect([0, 1, 2, 3].map((number) => blocks.part(number * BLOCK, 1) !== null)).toEqual([true, false, true, true]);
    expect([blocks.bytes, grown]).toEqual([3 * BLOCK, 4]);
  });

  it("are not kept where the file was written to before they were read, or ended short", async () => {
    const source = new FakeSource(MIB);
    const blocks = new FileBlocks(source, MIB);
    source.isTouched = true;
    await warm(blocks, source, 0);
    expect([blocks.part(0, 1), blocks.bytes]).toEqual([null, 0]);
    const short = Object.assign(new FakeSource(MIB), { read: () => Promise.resolve(0) });
    const none = new FileBlocks(short, MIB);
    await warm(none, short, 0);
    expect([none.part(0, 1), none.bytes, short.holders]).toEqual([null, 0, 0]);
  });

  it("that cannot be read are tried again, and nobody hears of it", async () => {
    const source = new FakeSource(MIB);
    const read = source.read.bind(source);
    source.read = () => Promise.reject(new Error("EIO"));
    const blocks = new FileBlocks(source, MIB);
    await warm(blocks, source, 0);
    expect(blocks.part(0, 1)).toBeNull();
    source.read = read;
    await warm(blocks, source, 0);
    expect(blocks.part(0, 1)).not.toBeNull();
  });
});

describe("a range of a large file", () => {
  const SIZE = 3 * MIB + 5;
  let site: StaticSite;
  let served: Served;

  beforeEach(async () => {
    site = new StaticSite({ "film.bin": octets(SIZE) });
    served = await site.serve();
  });

  afterEach(() => site[Symbol.asyncDispose]());

  async function part(start: number, end: number): Promise<Buffer> {
    const { status, headers, body } = await served.get("/film.bin", { range: `bytes=${start}-${end}` });
    expect([status, headers["content-range"]]).toEqual([206, `bytes ${start}-${end}/${SIZE}`]);
    return body;
  }

  it("comes from memory from the third time on, and counts in the cache", async () => {
    const before = served.handler.stats().bytes;
    for (let i = 0; i < 4; i++) {
      expect((await part(MIB, MIB + 4095)).equals(octets(SIZE).subarray(MIB, MIB + 4096))).toBe(true);
    }
    expect(served.handler.stats().bytes - before).toBeGreaterThan(BLOCK);
    expect(served.handler.stats().bytes - before).toBeLessThan(BLOCK + 5000);
  });

  it("keeps nothing where the cache has no octets", async () => {
    const plain = await site.serve({ maxCacheBytes: 0 });
    for (let i = 0; i < 4; i++) {
      const { body } = await plain.get("/film.bin", { range: "bytes=0-4095" });
      expect(body.equals(octets(SIZE).subarray(0, 4096))).toBe(true);
    }
    expect(plain.handler.stats().bytes).toBe(0);
  });

  it("is of the file that is there within a second after it was replaced, and of none but one", async () => {
    for (let i = 0; i < 4; i++) await part(MIB, MIB + 4095);
    const next = octets(SIZE, 1);
    writeFileSync(join(site.www, "new"), next);
    utimesSync(join(site.www, "new"), OLD, OLD);
    renameSync(join(site.www, "new"), join(site.www, "film.bin"));
    const old = octets(SIZE).subarray(MIB, MIB + 4096);
    const seen = async (): Promise<string> => {
      const body = await part(MIB, MIB + 4095);
      return body.equals(old) ? "old" : String(body.equals(next.subarray(MIB, MIB + 4096)));
    };
    expect(await seen()).not.toBe("false");
    await expect.poll(seen, { timeout: 1500, interval: 20 }).toBe("true");
  });

  it("never has octets of two versions while the file is written in its place, its time put back", async () => {
    const path = join(site.www, "film.bin");
    const end = new AbortController();
    // A file of one letter at a time
    const writing = (async () => {
      for (let i = 0; !end.signal.aborted; i++) {
        const fd = openSync(path, "r+");
        writeSync(fd, Buffer.alloc(SIZE, 97 + (i % 26)), 0, SIZE, 0);
        closeSync(fd);
        utimesSync(path, OLD, new Date(OLD.getTime() + i * 1000));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await new Promise(setImmediate);
    const mixed: string[] = [];
    for (let i = 0; i < 150; i++) {
      const body = await served
        .get("/film.bin", { range: `bytes=${BLOCK - 2000}-${BLOCK + 1999}` })
        .then((answer) => answer.body)
        // Broken off: what was sent could not be told to be whole
        .catch(() => Buffer.alloc(0));
      if (new Set(body).size > 1) mixed.push(body.toString("latin1").replace(/(.)\1*/g, "$1"));
    }
    end.abort();
    await writing;
    expect(mixed).toEqual([]);
  });

  it("is still answered when the file was closed in silence, from the same blocks", async () => {
    for (let i = 0; i < 4; i++) await part(0, 4095);
    await expect.poll(() => served.handler.stats().openFiles).toBe(0);
    expect((await part(0, 4095)).equals(octets(4096))).toBe(true);
    expect(served.handler.stats().bytes).toBeGreaterThan(BLOCK);
  });

  it("gives descriptors back whoever leaves", async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(served.port, "127.0.0.1");
      socket.write("GET /film.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-4095\r\n\r\n".repeat(3));
      await once(socket, i % 2 === 0 ? "data" : "connect");
      socket.resetAndDestroy();
    }
    await expect.poll(() => served.handler.stats().openFiles).toBe(0);
  });
});
