import { describe, expect, it } from "vitest";
import { BufferPool } from "../../src/server/buffer-pool.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

describe("BufferPool", () => {
  it.each([
    [1, 16 * KIB],
    [16 * KIB, 16 * KIB],
    [16 * KIB + 1, 64 * KIB],
    [200 * KIB, 256 * KIB],
    [257 * KIB, MIB],
    [5 * MIB, MIB],
  ])("gives for %i octets a buffer of %i", (wanted, size) => {
    expect(new BufferPool().take(wanted).length).toBe(size);
  });

  it("uses again what was given back", () => {
    const pool = new BufferPool();
    const buffer = pool.take(MIB);
    pool.give(buffer);
    expect(pool.outBytes).toBe(0);
    expect(pool.idleBytes).toBe(MIB);
    expect(pool.take(MIB) === buffer).toBe(true);
    expect(pool.idleBytes).toBe(0);
  });

  it("never uses again what was dropped", () => {
    const pool = new BufferPool();
    const buffer = pool.take(MIB);
    pool.drop(buffer);
    expect(pool.outBytes).toBe(0);
    expect(pool.take(MIB) === buffer).toBe(false);
  });

  it("keeps no more than 16 MiB idle, and nothing when cleared", () => {
    const pool = new BufferPool();
    const taken = Array.from({ length: 20 }, () => pool.take(MIB));
    for (const buffer of taken) pool.give(buffer);
    expect(pool.idleBytes).toBe(16 * MIB);
    pool.clear();
    expect(pool.idleBytes).toBe(0);
    expect(pool.outBytes).toBe(0);
  });

  it("gives smaller buffers the more is out", () => {
    const pool = new BufferPool();
    for (let i = 0; i < 64; i++) pool.take(MIB);
    expect(pool.take(MIB).length).toBe(64 * KIB);
    while (pool.outBytes < 128 * MIB) pool.take(MIB);
    expect(pool.take(MIB).length).toBe(16 * KIB);
  });
});
