/** Files of the command's own are kept back under every name that leads to them, whatever was made of links since the start. */
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readIntent } from "../../src/cli/config-intent.ts";
import { Reloader } from "../../src/cli/config-reload.ts";
import { makeHandler } from "../../src/cli/make-handler.ts";
import type { MadeHandler } from "../../src/cli/make-handler.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { request } from "../../src/testing/index.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-identity-"));
  write("site/shown.txt", "shown");
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content = "secret"): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A link at `name`, to `destination` as it is written. */
function link(destination: string, name: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  symlinkSync(destination, join(folder, name));
}

interface Run {
  readonly made: MadeHandler;
  readonly reloader: Reloader;
}

async function start(line: string, workingFolder = folder, environment: Record<string, string> = {}): Promise<Run> {
  const { words, flags } = readUsage(line.split(" "));
  const world = { environment, workingFolder, isTerminal: false };
  const intent = await readIntent(words[0], flags, world);
  const made = await makeHandler(intent.subject, intent.settings, intent.given, world);
  return { made, reloader: new Reloader(words[0], flags, world, intent, made.handler, () => {}) };
}

async function statuses({ reloader }: Run, ...paths: string[]): Promise<number[]> {
  const answers: number[] = [];
  for (const path of paths) answers.push((await request(reloader.fetch, path)).status);
  return answers;
}

async function namesIn({ reloader }: Run, path: string): Promise<string[]> {
  const answer = await request(reloader.fetch, path, { headers: { accept: "application/json" } });
  return ((await answer.json()) as { entries: { name: string }[] }).entries.map(({ name }) => name);
}

/** Later than what was seen of own files may be held to be true. */
function later(): void {
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + 2000);
}

const TLS = "--tls-cert cert.pem --tls-key";

describe("an own file is as good as not there", () => {
  it("by a link to its folder, and in the listing of that", async () => {
    write("site/keys/key.pem");
    write("site/keys/page.txt", "shown");
    link("keys", "site/alias");
    const run = await start(`site --list ${TLS} site/keys/key.pem`);
    expect(await statuses(run, "/keys/key.pem", "/alias/key.pem", "/alias/page.txt")).toEqual([404, 404, 200]);
    expect(await namesIn(run, "/alias/")).toEqual(["page.txt"]);
  });

  it("by a link of another name, in listings too", async () => {
    write("site/key.pem");
    link("key.pem", "site/other.txt");
    const run = await start(`site --list ${TLS} site/key.pem`);
    expect(await statuses(run, "/other.txt")).toEqual([404]);
    expect(await namesIn(run, "/")).toEqual(["shown.txt"]);
  });

  it("by a hard link, in listings of every order too", async () => {
    write("key.pem");
    linkSync(join(folder, "key.pem"), join(folder, "site/hard.txt"));
    const run = await start(`site --list ${TLS} key.pem`);
    expect(await statuses(run, "/hard.txt")).toEqual([404]);
    expect(await namesIn(run, "/")).toEqual(["shown.txt"]);
    expect(await namesIn(run, "/?sort=size")).toEqual(["shown.txt"]);
  });

  it("by links that lead out, with --follow", async () => {
    write("keys/key.pem");
    write("fairlead.config.json", "{}");
    link("../keys", "site/out");
    link("..", "site/up");
    const run = await start(`site --follow ${TLS} keys/key.pem --no-config`);
    expect(await statuses(run, "/out/key.pem", "/up/keys/key.pem", "/up/fairlead.config.json")).toEqual([
      404, 404, 404,
    ]);
    expect(await statuses(run, "/up/site/shown.txt")).toEqual([200]);
  });

  it("where a configuration is looked for, by a link to the folder itself", async () => {
    write("site/fairlead.config.json", "{}");
    link(".", "site/again");
    const run = await start("site --no-config");
    expect(await statuses(run, "/again/fairlead.config.json", "/again/shown.txt")).toEqual([404, 200]);
  });

  it("as the log that is made after the start, though its path goes through a link", async () => {
    link("site", "slink");
    const run = await start("site --log-file slink/new.log");
    write("site/new.log");
    expect(await statuses(run, "/new.log")).toEqual([404]);
  });

  it("as the log that is made after the start, by a link in the folder", async () => {
    mkdirSync(join(folder, "site/logs"));
    link("logs", "site/alias");
    const run = await start("site --log-file site/logs/new.log");
    expect(await statuses(run, "/alias/new.log")).toEqual([404]);
    write("site/logs/new.log");
    later();
    expect(await statuses(run, "/alias/new.log", "/logs/new.log")).toEqual([404, 404]);
  });

  it("as what the log becomes when it is rotated, by any name and in listings, also later", async () => {
    const rotated = ["1", "2.gz", "10.zst", "2026-11-22.bz2"].map((end) => `access.log.${end}`);
    const dated = ["access.log-20261122", "access.log-20261122.xz"];
    for (const name of [...rotated, ...dated, "access.log"]) write(`site/logs/${name}`);
    const others = ["access.log.txt", "access.log-old", "access.log.1.txt", "xaccess.log.1", "error.log.1"];
    for (const name of others) write(`site/logs/${name}`, "shown");
    link("logs", "site/alias");
    link("logs/access.log.1", "site/other.txt");
    const run = await start("site --list --log-file site/logs/access.log");
    for (const name of [...rotated, ...dated]) {
      expect(await statuses(run, `/logs/${name}`, `/alias/${name}`), name).toEqual([404, 404]);
    }
    expect(await statuses(run, "/other.txt", ...others.map((name) => `/logs/${name}`))).toEqual([
      404, 200, 200, 200, 200, 200,
    ]);
    expect((await namesIn(run, "/logs/")).toSorted()).toEqual(others.toSorted());
    renameSync(join(folder, "site/logs/access.log"), join(folder, "site/logs/access.log.3"));
    expect(await statuses(run, "/logs/access.log.3")).toEqual([404]);
    write("site/logs/access.log");
    write("site/logs/access.log.4.gz");
    later();
    expect(await statuses(run, "/logs/access.log.3", "/logs/access.log.4.gz", "/logs/access.log")).toEqual([
      404, 404, 404,
    ]);
    await run.reloader.reload();
    expect(await statuses(run, "/logs/access.log.3", "/logs/access.log.txt")).toEqual([404, 200]);
  });

  it("as the key that its link leads to by now, even if it was served before", async () => {
    write("site/archive/privkey1.pem");
    write("site/archive/privkey2.pem");
    link("../archive/privkey1.pem", "site/live/privkey.pem");
    const run = await start(`site ${TLS} site/live/privkey.pem`);
    expect(await statuses(run, "/archive/privkey1.pem", "/archive/privkey2.pem")).toEqual([404, 200]);
    link("../archive/privkey2.pem", "site/live/next");
    renameSync(join(folder, "site/live/next"), join(folder, "site/live/privkey.pem"));
    later();
    // A file that was looked at before is answered with once more while it is looked at again
    await statuses(run, "/archive/privkey2.pem");
    await vi.waitFor(async () => {
      expect(await statuses(run, "/live/privkey.pem", "/archive/privkey1.pem", "/archive/privkey2.pem")).toEqual([
        404, 404, 404,
      ]);
    });
    await run.reloader.reload();
    expect(await statuses(run, "/archive/privkey1.pem", "/archive/privkey2.pem")).toEqual([404, 404]);
  });

  it("though its name begins with two dots", async () => {
    write("site/..key.pem");
    const run = await start(`site --dotfiles ${TLS} site/..key.pem`);
    expect(await statuses(run, "/..key.pem")).toEqual([404]);
  });

  it("where the command was started in a folder whose name begins with two dots", async () => {
    write("site/..here/fairlead.config.json", "{}");
    const run = await start(".. --dotfiles --no-config", join(folder, "site/..here"));
    expect(await statuses(run, "/..here/fairlead.config.json")).toEqual([404]);
  });

  it("below a root that is given as a link", async () => {
    write("site/below/fairlead.config.json", "{}");
    link("site", "root");
    const run = await start(`${join(folder, "root")} --no-config`, join(folder, "site/below"));
    expect(await statuses(run, "/below/fairlead.config.json", "/shown.txt")).toEqual([404, 200]);
  });

  it("with what was derived from it", async () => {
    write("site/key.pem");
    for (const extension of ["gz", "br", "zst"]) write(`site/key.pem.${extension}`);
    const run = await start(`site ${TLS} site/key.pem`);
    expect(await statuses(run, "/key.pem.gz", "/key.pem.br", "/key.pem.zst")).toEqual([404, 404, 404]);
  });

  it("after SIGHUP too, as what it names first is in use until a restart", async () => {
    const config = (key: string): void =>
      write("fairlead.config.json", JSON.stringify({ tlsCert: "cert.pem", tlsKey: key }));
    for (const name of ["site/k1.pem", "site/k2.pem", "site/k3.pem"]) write(name);
    config("site/k1.pem");
    const run = await start("site");
    expect(await statuses(run, "/k1.pem", "/k2.pem")).toEqual([404, 200]);
    for (const key of ["site/k2.pem", "site/k3.pem"]) {
      config(key);
      expect(await run.reloader.reload()).toBe(true);
    }
    expect(await statuses(run, "/k1.pem", "/k2.pem", "/k3.pem", "/shown.txt")).toEqual([404, 404, 404, 200]);
  });

  it.each([
    ["--tls", { XDG_CONFIG_HOME: "state" }, "state/fairlead/certificates/authority.pem"],
    ["--acme a@b.example --domain b.example", { STATE_DIRECTORY: "state" }, "state/acme/account.json"],
  ])("with the whole folder of certificates of %s", async (flags, places, name) => {
    write(`site/${name}`);
    link("state", "site/alias");
    link(dirname(name), "site/straight");
    mkdirSync(join(folder, "site", dirname(name), "deeper"));
    link(`${dirname(name)}/deeper`, "site/below");
    const environment = Object.fromEntries(
      Object.entries(places).map(([variable, place]) => [variable, join(folder, "site", place)]),
    );
    const run = await start(`site --list ${flags}`, folder, environment);
    expect(await statuses(run, `/${name}`, `/${name.replace("state", "alias")}`)).toEqual([404, 404]);
    expect(await statuses(run, dirname(`/${name}`), `${dirname(`/${name.replace("state", "alias")}`)}/`)).toEqual([
      404, 404,
    ]);
    expect(await statuses(run, "/shown.txt", "/straight/", "/below/")).toEqual([200, 404, 404]);
    const parent = dirname(dirname(name)).replace("state", "alias");
    expect(await namesIn(run, `/${parent}/`)).toEqual([]);
    expect(await namesIn(run, "/")).toEqual(["alias", "state", "shown.txt"]);
  });

  it("and explain tells why", async () => {
    write("site/keys/key.pem");
    link("keys", "site/alias");
    const { made } = await start(`site ${TLS} site/keys/key.pem`);
    const { steps } = await made.files!.explain(new Request("http://localhost/alias/key.pem"));
    expect(steps).toContainEqual({ step: "find", outcome: "hidden", why: "option hide" });
  });
});
