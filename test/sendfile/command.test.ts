/** `--sendfile` where nothing can call C: told at the start with all other mistakes, not when a file is asked for. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { runUnserved } from "../cli/support/quiet-world.ts";

const reason = vi.hoisted(() => ({ message: "sendfile needs the package koffi: npm install koffi" }));

vi.mock("../../src/sendfile/linux-sendfile.ts", () => ({
  linuxSendfile: () => {
    throw new Error(reason.message);
  },
}));

const folder = realpathSync(mkdtempSync(join(tmpdir(), "fairlead-sendfile-")));

afterAll(() => rmSync(folder, { recursive: true }));

it("says what to install, beside what else is wrong", async () => {
  const alone = await runUnserved(folder, [".", "--sendfile"]);
  expect(alone.exitCode).toBe(1);
  expect(alone.errors.split("\n").slice(0, 2)).toEqual([
    "fairlead: --sendfile: sendfile needs the package koffi: npm install koffi",
    "  Install it where fairlead is, or leave this out: files are then read and written",
  ]);
  const together = await runUnserved(folder, [".", "--sendfile", "--log-file", "no/log"]);
  expect(together.errors).toContain("2 things are wrong");
});

it("says to install nothing where that would not help", async () => {
  reason.message = "sendfile needs Linux on x64 or arm64, and this is darwin on arm64: leave the option out";
  const { errors } = await runUnserved(folder, [".", "--sendfile"]);
  expect(errors.split("\n").slice(0, 2)).toEqual([
    `fairlead: --sendfile: ${reason.message}`,
    "  Leave this out: files are then read and written",
  ]);
});
