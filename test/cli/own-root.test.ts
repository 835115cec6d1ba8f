/** A single file that is the command's own is not served: a start with it ends, and what becomes its own later is 404. */
import { linkSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { readIntent } from "../../src/cli/config-intent.ts";
import { makeHandler } from "../../src/cli/make-handler.ts";
import type { MadeHandler } from "../../src/cli/make-handler.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { request } from "../../src/testing/index.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-own-root-"));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content = "secret"): void {
  writeFileSync(join(folder, name), content);
}

async function start(line: string): Promise<MadeHandler> {
  const { words, flags } = readUsage(line.split(" "));
  const world = { environment: {}, workingFolder: folder, isTerminal: false };
  const { subject, settings, given } = await readIntent(words[0], flags, world);
  return makeHandler(subject, settings, given, world);
}

it.each([
  ["key.pem", "--tls-cert cert.pem --tls-key key.pem"],
  ["key.pem.gz", "--tls-cert cert.pem --tls-key key.pem"],
  ["hard.pem", "--tls-cert cert.pem --tls-key key.pem"],
  ["users", "--auth @users"],
  ["access.log", "--log-file access.log"],
  ["access.log.1", "--log-file access.log"],
])("ends the start: %s with %s", async (name, flags) => {
  for (const own of ["key.pem", "key.pem.gz", "cert.pem", "access.log", "access.log.1"]) write(own);
  write("users", "ada:secret\n");
  linkSync(join(folder, "key.pem"), join(folder, "hard.pem"));
  await expect(start(`${name} ${flags}`)).rejects.toMatchObject({
    exitCode: 1,
    message: `${join(folder, name)} is a file that the command uses itself, and such files are not served`,
    advice: ["Configuration, users, keys and logs are nobody else's: give another file, or a folder"],
  });
});

it("ends the start with a configuration, which may be meant to hold", async () => {
  write("fairlead.config.json", "{}");
  await expect(start("fairlead.config.json --no-config")).rejects.toMatchObject({
    advice: ["To serve what it says: -c fairlead.config.json"],
  });
});

it("is 404 if it becomes the command's own after the start", async () => {
  write("page.pem", "shown");
  write("key.pem");
  symlinkSync("key.pem", join(folder, "live.pem"));
  const { handler } = await start("page.pem --tls-cert cert.pem --tls-key live.pem");
  expect((await request(handler, "/page.pem")).status).toBe(200);
  symlinkSync("page.pem", join(folder, "next.pem"));
  renameSync(join(folder, "next.pem"), join(folder, "live.pem"));
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + 2000);
  // A file that was looked at before is answered with once more while it is looked at again
  await vi.waitFor(async () => expect((await request(handler, "/page.pem")).status).toBe(404));
});

it("is served beside such files otherwise", async () => {
  write("page.html", "shown");
  write("key.pem");
  const { handler } = await start("page.html --tls-cert cert.pem --tls-key key.pem --log-file access.log");
  expect((await request(handler, "/")).status).toBe(200);
  expect((await request(handler, "/key.pem")).status).toBe(404);
});
