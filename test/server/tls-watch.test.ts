/** Files of certificates that change, also between being loaded and being watched. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { TimeSource } from "../../src/server/clock.ts";
import { CertificateWatch, factsOf, LOOK_MS, QUIET_MS } from "../../src/server/tls-watch.ts";

let folder = "";
let file = "";
/** What is to be called, and after how long. */
let due: [delayMs: number, callback: () => void][] = [];

const TIME: TimeSource = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  after: (delayMs, callback) => {
    due.push([delayMs, callback]);
    return () => {};
  },
  every: () => () => {},
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-watch-"));
  file = join(folder, "site.pem");
  due = [];
  writeFileSync(file, "old");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("tells a change that came behind the loading and before the watch", () => {
  const loaded = factsOf([file]);
  writeFileSync(file, "newer");
  let changes = 0;
  const watch = new CertificateWatch([file], loaded, TIME, () => ++changes > 0);
  expect(due.map(([delayMs]) => delayMs)).toEqual([QUIET_MS]);
  due[0]?.[1]();
  due[0]?.[1]();
  watch.stop();
  expect(changes).toBe(1);
});

it("tells a change again at each look until it is taken up", () => {
  const looks: (() => void)[] = [];
  const every: TimeSource["every"] = (periodMs, callback) => {
    expect(periodMs).toBe(LOOK_MS);
    looks.push(callback);
    return () => {};
  };
  const told: boolean[] = [];
  const isTakenUp = [false, false, true];
  const watch = new CertificateWatch([file], factsOf([file]), { ...TIME, every }, () => {
    told.push(isTakenUp[told.length] ?? true);
    return told.at(-1) === true;
  });
  writeFileSync(file, "newer");
  for (let look = 0; look < 6; look++) looks[0]?.();
  watch.stop();
  expect(told).toEqual([false, false, true]);
});

it("tells nothing where nothing has changed", () => {
  const watch = new CertificateWatch([file], factsOf([file]), TIME, () => expect.fail("told"));
  expect(due).toEqual([]);
  watch.stop();
});
