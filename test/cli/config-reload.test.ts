import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readIntent } from "../../src/cli/config-intent.ts";
import { Reloader } from "../../src/cli/config-reload.ts";
import { makeHandler } from "../../src/cli/make-handler.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { request } from "../../src/testing/index.ts";

let folder = "";
let said: string[] = [];

beforeEach(() => {
  said = [];
  folder = mkdtempSync(join(tmpdir(), "fairlead-reload-"));
  for (const name of ["old", "new"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "index.html"), name);
  }
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(content: object | string): void {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  writeFileSync(join(folder, "fairlead.config.json"), text);
}

async function start(line = ""): Promise<Reloader> {
  const { words, flags } = readUsage(line === "" ? [] : line.split(" "));
  const world = { environment: {}, workingFolder: folder, isTerminal: false };
  const intent = await readIntent(words[0], flags, world);
  const { handler } = await makeHandler(intent.subject, intent.settings, intent.given, world);
  return new Reloader(words[0], flags, world, intent, handler, (text) => said.push(text));
}

async function answer(reloader: Reloader): Promise<{ status: number; text: string; field: string | null }> {
  const response = await request(reloader.fetch, "/");
  return { status: response.status, text: await response.text(), field: response.headers.get("x-a") };
}

describe("reading everything again", () => {
  it("serves by the new file from then on", async () => {
    write({ root: "old" });
    const reloader = await start();
    expect(await answer(reloader)).toMatchObject({ text: "old", field: null });
    write({ root: "new", headers: { "x-a": "1" } });
    expect(await reloader.reload()).toBe(true);
    expect(await answer(reloader)).toMatchObject({ text: "new", field: "1" });
    expect(said).toEqual(["Read again: fairlead.config.json."]);
  });

  it("finds a file that came, and keeps what it has when it goes: it may only be being replaced", async () => {
    const reloader = await start("old");
    write({ headers: { "x-a": "1" } });
    await reloader.reload();
    expect(await answer(reloader)).toMatchObject({ text: "old", field: "1" });
    rmSync(join(folder, "fairlead.config.json"));
    expect(await reloader.reload()).toBe(false);
    expect(await answer(reloader)).toMatchObject({ text: "old", field: "1" });
    expect(said.at(-2)).toBe(
      `Nothing has changed: ${join(folder, "fairlead.config.json")} is gone, which held until now`,
    );
    write({ headers: { "x-a": "2" } });
    expect(await reloader.reload()).toBe(true);
    expect(await answer(reloader)).toMatchObject({ text: "old", field: "2" });
  });

  it("takes the serve.json of the folder for no file in its place, but for what it is from the start", async () => {
    const foreign = join(folder, "old", "serve.json");
    writeFileSync(foreign, "{}");
    write({ auth: "ada:secret" });
    const reloader = await start("old");
    rmSync(join(folder, "fairlead.config.json"));
    expect(await reloader.reload()).toBe(false);
    expect((await answer(reloader)).status).toBe(401);
    expect(said[0]).toContain("is gone, which held until now");
    const other = await start("old");
    expect(await other.reload()).toBe(true);
    write({ headers: { "x-a": "1" } });
    expect(await other.reload()).toBe(true);
    expect(await answer(other)).toMatchObject({ status: 200, field: "1" });
  });

  it.each<[string, object | string, string]>([
    ["is no JSON", "{", "fairlead.config.json"],
    ["has a mistake", { prot: 1 }, "fairlead.config.json:1: prot: there is no such setting, did you mean port?"],
    ["names what is not there", { root: "gone" }, "there is no "],
    ["names a field that cannot be", { root: "new", headers: { "a b": "1" } }, "headers in fairlead"],
  ])("keeps what it has if the file %s", async (_what, content, message) => {
    write({ root: "old", headers: { "x-a": "0" } });
    const reloader = await start();
    write(content);
    expect(await reloader.reload()).toBe(false);
    expect(await answer(reloader)).toMatchObject({ text: "old", field: "0" });
    expect(said[0]).toContain("Nothing has changed: ");
    expect(said.join("\n")).toContain(message);
  });

  it("keeps what it has if a file that is code fails while it is read, and reads the next one", async () => {
    write({ root: "old" });
    const reloader = await start();
    rmSync(join(folder, "fairlead.config.json"));
    const code = join(folder, "fairlead.config.mjs");
    writeFileSync(code, "export default { root: 'new', get limits() { throw new Error('out of luck'); } };");
    expect(await reloader.reload()).toBe(false);
    expect(said[0]).toBe("Nothing has changed: fairlead.config.mjs failed while it was read: out of luck");
    rmSync(code);
    write({ root: "new" });
    expect(await reloader.reload()).toBe(true);
    expect((await answer(reloader)).text).toBe("new");
  });

  it("says what holds after a restart only", async () => {
    write({ root: "old", port: 1, limits: { maxFields: 3 } });
    const reloader = await start();
    write({ root: "new", port: 2, limits: { maxFields: 4 }, backlog: 5, cache: "off" });
    await reloader.reload();
    expect(said.at(-1)).toBe("Changed, and in force after a restart: port, limits, backlog.");
    expect((await answer(reloader)).text).toBe("new");
  });

  it("compares with the start: what waits is said again, what is back as it was no more", async () => {
    write({ root: "old", port: 1 });
    const reloader = await start();
    write({ root: "old", port: 2 });
    await reloader.reload();
    await reloader.reload();
    const waiting = "Changed, and in force after a restart: port.";
    expect(said.filter((line) => line === waiting)).toHaveLength(2);
    write({ root: "old", port: 1 });
    said = [];
    await reloader.reload();
    expect(said).toEqual(["Read again: fairlead.config.json."]);
  });

  it("goes on keeping lists of folders from others where the address is to become a local one", async () => {
    mkdirSync(join(folder, "old/docs"));
    write({ root: "old", host: "0.0.0.0" });
    const reloader = await start();
    const list = async (): Promise<number> => (await request(reloader.fetch, "/docs/")).status;
    expect(await list()).toBe(404);
    write({ root: "old", host: "127.0.0.1" });
    await reloader.reload();
    expect(await list()).toBe(404);
    write({ root: "old", host: "127.0.0.1", list: true });
    await reloader.reload();
    expect(await list()).toBe(200);
  });

  it("reads passwords again", async () => {
    writeFileSync(join(folder, "users"), "ada:one\n");
    const reloader = await start("old --auth @users");
    const ask = (password: string): Promise<{ status: number }> =>
      request(reloader.fetch, "/", { headers: { authorization: `Basic ${btoa(`ada:${password}`)}` } });
    expect((await ask("one")).status).toBe(200);
    writeFileSync(join(folder, "users"), "ada:two\n");
    await reloader.reload();
    expect((await ask("one")).status).toBe(401);
    expect((await ask("two")).status).toBe(200);
  });

  it("does one after the other", async () => {
    write({ root: "old" });
    const reloader = await start();
    write("{");
    const first = reloader.reload();
    const second = reloader.reload();
    void first.then(() => write({ root: "new" }));
    expect(await first).toBe(false);
    expect(await second).toBe(true);
    expect((await answer(reloader)).text).toBe("new");
  });

  it("does not put an app in the place of a folder", async () => {
    write({ root: "old" });
    const reloader = await start();
    writeFileSync(join(folder, "app.mjs"), "export const fetch = () => new Response('app');");
    write({ root: "app.mjs" });
    expect(await reloader.reload()).toBe(false);
    expect(said[0]).toContain("which needs a restart");
  });
});
