/**
 * Floods of ranges (CVE-2011-3192 "Apache killer" and its like): however many, overlapping, backwards or huge, an answer is hardly
 * longer than the file, memory does not grow, and nothing is a 500 (RFC 9110 §14.2, §17.15).
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve, type Server } from "../../src/server/server.ts";
import { ranged } from "../../src/replies/index.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get } from "./support/asked.ts";

const KIB = 1024;
const SIZE = 300 * KIB;
let site: StaticSite;
const ports = new Map<string, number>();
const servers: Server[] = [];

beforeAll(async () => {
  site = new StaticSite({ "file.bin": Buffer.alloc(SIZE, "abcdefghij"), "empty.bin": "" });
  ports.set("a file", (await site.serve()).port);
  ports.set("an uncached file", (await site.serve({ maxCacheBytes: 0, maxCacheEntries: 0 })).port);
  const server = await serve({ port: 0, fetch: (request) => ranged(request, Buffer.alloc(SIZE, "abcdefghij")) });
  servers.push(server);
  ports.set("ranged()", server.port);
});
afterAll(async () => {
  for (const server of servers) server.closeNow();
  await site[Symbol.asyncDispose]();
});

const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join(",");
const HUGE = "9".repeat(400);

const HOSTILE: ReadonlyArray<readonly [string, string]> = [
  ["thousands of one octet", many(1300, (index) => `${index * 2}-${index * 2}`)],
  ["the same again and again", many(1500, () => "0-")],
  ["all of it but a little, often", many(1300, (index) => `${index}-`)],
  ["all of it, backwards", many(1500, (index) => `${1500 - index}-`)],
  ["the end, again and again", many(2000, (index) => `-${index + 1}`)],
  ["overlapping in pairs", many(600, (index) => `${index * 10}-${index * 10 + 19}`)],
  ["two hundred that are allowed", many(200, (index) => `${index * 1000}-${index * 1000 + 499}`)],
  ["nested", many(1000, (index) => `${index}-${SIZE - index}`)],
  ["empty members", `0-0${",".repeat(5000)}1-1`],
  ["white space", `0-0${" ,\t".repeat(3000)}`],
  ["huge numbers", `0-${HUGE},${HUGE}-,${HUGE}-${HUGE},-${HUGE}`],
  ["numbers around 2^53", "9007199254740991-9007199254740993,0-9007199254740992,-9007199254740993"],
  ["numbers around 2^64", "18446744073709551615-,0-18446744073709551616"],
  ["leading zeros", `${"0".repeat(3000)}1-${"0".repeat(3000)}2`],
  ["none that fits", many(1000, (index) => `${SIZE + index}-`)],
  ["the wrong way round", "5-2"],
  ["negative", "--1,-0,-00"],
  ["letters", "a-b,0x0-0x5,1e1-2e2,٠-٥"],
];

describe.each(["a file", "an uncached file", "ranged()"])("of %s", (name) => {
  it.each(HOSTILE)("%s cost no more than the whole", async (_, set) => {
    const port = ports.get(name) as number;
    const range = Buffer.from(`bytes=${set}`).toString("latin1");
    const { status, text, faults, fields } = await get(port, "/file.bin", { Range: range });
    expect([200, 206, 416]).toContain(status);
    expect(faults).toEqual([]);
    // The parts of a set have heads of their own, at most 200 of them
    expect(text.length).toBeLessThan(SIZE + 64 * KIB);
    if (status === 200) expect(text.length).toBe(SIZE);
    if (status === 416) expect(fields["content-range"]).toBe(`bytes */${SIZE}`);
  });

  it.each(["thousands of one octet", "the same again and again", "all of it, backwards", "nested"])(
    "%s get the whole, once",
    async (flood) => {
      const [, set = ""] = HOSTILE.find(([known]) => known === flood) ?? [];
      const { status } = await get(ports.get(name) as number, "/file.bin", { Range: `bytes=${set}` });
      expect(status).toBe(200);
    },
  );

  it("that are asked for at once by many do not gather in memory", async () => {
    const port = ports.get(name) as number;
    const range = `bytes=${many(200, (index) => `${index * 1000}-${index * 1000 + 999}`)}`;
    const before = process.memoryUsage().rss;
    const answers = await Promise.all(Array.from({ length: 40 }, () => get(port, "/file.bin", { Range: range })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([206]));
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * KIB * KIB);
  });
});

it.each(["bytes=0-", "bytes=-1", "bytes=0-0,1-1"])("of nothing are answered without fuss: %s", async (range) => {
  const { status, faults } = await get(ports.get("a file") as number, "/empty.bin", { Range: range });
  expect([200, 416]).toContain(status);
  expect(faults).toEqual([]);
});
