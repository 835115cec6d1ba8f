import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, expect, it } from "vitest";
import { serveStatic } from "../../src/static/serve-static.ts";

const folder = mkdtempSync(join(tmpdir(), "fairlead-faulty-rules-"));
const path = join(folder, "_redirects");
afterAll(() => rmSync(folder, { recursive: true }));

it("makes a mistake in the rules an error at start, with its line", () => {
  writeFileSync(path, "/old /new 301\n/bad\n");
  expect(() => serveStatic(folder, { rules: true })).toThrow(/_redirects:2: /);
});

it("keeps the rules that were there when a later version is faulty, and says so once", async () => {
  writeFileSync(path, "/old /new 301\n");
  let nowMs = Date.now();
  const handler = serveStatic(folder, {
    rules: true,
    time: { nowMs: () => nowMs, elapsedMs: () => nowMs, after: () => () => {} },
  });
  writeFileSync(path, "/bad\n");
  utimesSync(path, new Date(), new Date(Date.now() + 5_000));
  nowMs += 5_000;
  const warned = once(process, "warning");
  const answer = await handler.fetch(new Request("http://a.example/old"));
  expect([answer.status, answer.headers.get("location")]).toEqual([301, "/new"]);
  const [warning] = (await warned) as [Error & { code: string }];
  expect(warning.code).toBe("FAIRLEAD_RULES");
  expect(warning.message).toContain("_redirects:1: ");
});

it("reads the rules again also where only what cannot be served is asked for, without a server", async () => {
  const fields = join(folder, "_headers");
  writeFileSync(path, "");
  writeFileSync(fields, "/*\n  X-Version: one\n");
  let nowMs = Date.now();
  const handler = serveStatic(folder, {
    rules: true,
    time: { nowMs: () => nowMs, elapsedMs: () => nowMs, after: () => () => {} },
  });
  const versionAt = async (name: string): Promise<string | null> =>
    (await handler.fetch(new Request(`http://a.example/${name}`))).headers.get("x-version");
  expect([await versionAt(".hidden"), await versionAt("%ff")]).toEqual(["one", "one"]);
  for (const [name, version] of [
    [".hidden", "two"],
    ["%ff", "three"],
  ] as const) {
    writeFileSync(fields, `/*\n  X-Version: ${version}\n`);
    utimesSync(fields, new Date(), new Date(nowMs + 5_000));
    nowMs += 5_000;
    expect(await versionAt(name)).toBe(version);
  }
});
