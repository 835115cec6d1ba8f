/** What workers have used since the start stays hidden when a restart brings other settings. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-own-workers-"));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configure(name: string): void {
  writeFileSync(join(folder, "fairlead.config.json"), JSON.stringify({ auth: `@site/${name}` }));
}

it.skipIf(process.platform === "win32")(
  "keeps back what was in use before SIGHUP replaced the workers",
  async () => {
    for (const name of ["users1", "users2", "users3"]) writeFileSync(join(folder, "site", name), "ada:secret\n");
    writeFileSync(join(folder, "site/page.txt"), "shown");
    configure("users1");
    const command = new RunningCommand(["site", "-p", "0", "--workers", "1"], { cwd: folder });
    try {
      const url = await command.url();
      const statuses = async (...names: string[]): Promise<number[]> => {
        const answers: number[] = [];
        for (const name of names) {
          const headers = { authorization: `Basic ${btoa("ada:secret")}`, connection: "close" };
          answers.push((await fetch(new URL(name, url), { headers })).status);
        }
        return answers;
      };
      expect(await statuses("users1", "users2", "page.txt")).toEqual([404, 200, 200]);
      for (const name of ["users2", "users3"]) {
        configure(name);
        command.output = "";
        command.child.kill("SIGHUP");
        await command.until(/All workers are new/);
      }
      expect(await statuses("users1", "users2", "users3", "page.txt")).toEqual([404, 404, 404, 200]);
    } finally {
      await command.end("SIGTERM");
    }
  },
  30_000,
);
