/** Configuration, users, keys and log are not served, though they may lie in the folder that is. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CONFIG_NAMES } from "../../src/cli/config-find.ts";
import { ownFilesOf, pathsBelow } from "../../src/cli/config-hide.ts";
import { readIntent } from "../../src/cli/config-intent.ts";
import type { Intent } from "../../src/cli/config-intent.ts";
import { makeHandler } from "../../src/cli/make-handler.ts";
import type { MadeHandler } from "../../src/cli/make-handler.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { request } from "../../src/testing/index.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-own-"));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function intentOf(line: string, workingFolder = folder): Promise<Intent> {
  const { words, flags } = readUsage(line.split(" "));
  return readIntent(words[0], flags, { environment: {}, workingFolder, isTerminal: false });
}

async function handlerOf(line: string, workingFolder = folder): Promise<MadeHandler> {
  const { subject, settings, given } = await intentOf(line, workingFolder);
  return makeHandler(subject, settings, given, { workingFolder, environment: {} });
}

function write(name: string, content: unknown): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
}

describe("a file of the command's own in the folder that is served", () => {
  it("is found where it lies below", () => {
    expect(pathsBelow("/srv", ["/srv/a/fairlead.config.ts", "/srv/key.pem", "/srv/key.pem", "/srv", "/etc/x"])).toEqual(
      ["a/fairlead.config.ts", "key.pem"],
    );
  });

  it("is found by its real place too", () => {
    symlinkSync(join(folder, "site"), join(folder, "link"));
    write("site/key.pem", "a key");
    for (const [root, file] of [
      ["site", "link/key.pem"],
      ["link", "site/key.pem"],
    ] as const) {
      expect(pathsBelow(join(folder, root), [join(folder, file)])).toEqual(["key.pem"]);
    }
  });

  it.each(["", "/x", "/x/", "/x/y z"])("is 404 and not listed, behind the prefix %j", async (prefix) => {
    write("site/fairlead.config.json", { list: true, files: { prefix } });
    write("site/a/users", "ada:secret");
    write("site/a/page.html", "a page");
    const { handler } = await handlerOf("site --config site/fairlead.config.json --log-file site/a/access.log");
    const below = new URL(prefix, "http://a.example").pathname.replace(/\/$/, "");
    expect((await request(handler, `${below}/FAIRLEAD.config.json`)).status).toBe(404);
    expect((await request(handler, `${below}/a/./%61ccess.log?x`)).status).toBe(404);
    const { entries } = (await (
      await request(handler, `${below}/`, { headers: { accept: "application/json" } })
    ).json()) as { entries: { name: string }[] };
    expect(entries.map(({ name }) => name)).toEqual(["a"]);
  });

  it.each([
    ["--no-config", "site", "site"],
    // One that holds elsewhere, and the one where the command was started
    ["-c other.json", "site", "site"],
    ["--no-config", ".", ""],
  ])("is hidden also where it does not hold: %s", async (flags, root, place) => {
    write("other.json", {});
    for (const name of CONFIG_NAMES) write(join(place, name), "secret");
    write("site/shown.json", {});
    const { handler } = await handlerOf(`${root} ${flags}`);
    for (const name of CONFIG_NAMES) expect((await request(handler, `/${name}`)).status).toBe(404);
    expect((await request(handler, root === "." ? "/site/shown.json" : "/shown.json")).status).toBe(200);
  });

  it("is hidden where the command was started, also below", async () => {
    write("site/fairlead.config.json", "secret");
    write("site/shown.json", {});
    const { handler } = await handlerOf(".. --no-config", join(folder, "site"));
    expect((await request(handler, "/site/fairlead.config.json")).status).toBe(404);
    expect((await request(handler, "/site/shown.json")).status).toBe(200);
  });

  it("is whatever the command reads or writes itself", async () => {
    write("fairlead.config.json", {});
    const { settings: read } = await intentOf("site --auth @users --log-file access.log");
    const servers = [{ names: ["b.example"], certFile: "b.pem", keyFile: "b-key.pem" }];
    const settings = { ...read, server: { tls: { servers, certFile: "a.pem", keyFile: "a-key.pem" } } };
    const named = ["access.log", "users", "b.pem", "b-key.pem", "a.pem", "a-key.pem"];
    const names = [...CONFIG_NAMES, ...named];
    expect(ownFilesOf(settings, folder).toSorted()).toEqual(names.map((name) => join(folder, name)).toSorted());
    const byFlags = await intentOf("site --no-config --tls-cert c.pem --tls-key d.pem");
    expect(ownFilesOf(byFlags.settings, folder)).toEqual(
      expect.arrayContaining([join(folder, "c.pem"), join(folder, "d.pem")]),
    );
  });
});

it("is told by explain as the command's own", async () => {
  write("site/fairlead.config.json", "secret");
  const { files } = await handlerOf("site --no-config");
  const { status, steps } = await files!.explain(new Request("http://localhost/fairlead.config.json"));
  expect(status).toBe(404);
  expect(steps.map(({ step, outcome }) => `${step} ${outcome}`)).toContain("find hidden");
});
