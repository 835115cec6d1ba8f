/** `git clone` from a plain folder: the dumb protocol, which is files and nothing else (gitprotocol-http). */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { areMissing, run, runWell } from "./support/program.ts";
import { WatchedSite } from "./support/watched-site.ts";

/** Without the settings of the machine or the person. */
const ENV = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Test",
  GIT_AUTHOR_EMAIL: "test@example.invalid",
  GIT_COMMITTER_NAME: "Test",
  GIT_COMMITTER_EMAIL: "test@example.invalid",
};

describe.skipIf(areMissing({ git: "git" }))("git over a folder with a bare repository", () => {
  let site: WatchedSite;
  let source = "";
  let bare = "";
  let clone = "";

  beforeAll(async () => {
    site = await WatchedSite.open({});
    source = site.folder("source");
    clone = join(site.folder("clones"), "one");
    bare = join(site.files.www, "ship's log.git");
    await git(source, "init", "-q", "-b", "main");
    writeFileSync(join(source, "log.txt"), "day 1\n");
    await commit("first");
    await git(source, "clone", "-q", "--bare", source, bare);
    await git(bare, "update-server-info");
  });
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(() => site.forget());

  async function git(cwd: string, ...args: string[]): Promise<string> {
    return (await runWell("git", args, { cwd, env: ENV })).toString().trim();
  }

  async function commit(message: string): Promise<void> {
    await git(source, "add", "-A");
    await git(source, "commit", "-q", "-m", message);
  }

  it("clones loose objects: the same commit, a sound repository", async () => {
    await git(source, "clone", "-q", site.url("/ship's%20log.git"), clone);
    expect(await git(clone, "rev-parse", "HEAD")).toBe(await git(source, "rev-parse", "HEAD"));
    expect(readFileSync(join(clone, "log.txt"), "utf8")).toBe("day 1\n");
    await git(clone, "fsck", "--strict");
    const [first] = site.notes;
    // No smart backend: the query is of no account and the answer is the file
    expect(first).toMatchObject({ target: "/ship's%20log.git/info/refs?service=git-upload-pack", status: 200 });
    expect(site.notes.every(({ status }) => status === 200 || status === 404)).toBe(true);
  });

  it("fetches what was added since, from packs", async () => {
    mkdirSync(join(source, "charts"));
    for (let i = 0; i < 40; i++) writeFileSync(join(source, "charts", `${i}.txt`), `chart ${i}\n`.repeat(500 + i));
    await commit("charts");
    await git(source, "tag", "-m", "two", "v2");
    await git(source, "push", "-q", bare, "main", "v2");
    await git(bare, "repack", "-adq");
    await git(bare, "update-server-info");
    const wanted = await git(source, "rev-parse", "HEAD");
    await expect
      .poll(async () => {
        await git(clone, "pull", "-q", "--ff-only");
        return git(clone, "rev-parse", "HEAD");
      })
      .toBe(wanted);
    await git(clone, "fsck", "--strict");
    expect(readFileSync(join(clone, "charts", "39.txt"), "utf8")).toBe("chart 39\n".repeat(539));
    expect(await git(clone, "describe")).toBe("v2");
    expect(site.notes.some(({ target, status }) => target.endsWith(".pack") && status === 200)).toBe(true);
  });

  it("is told that there is nothing elsewhere", async () => {
    const { code, stderr } = await run("git", ["clone", "-q", site.url("/none.git"), join(clone, "none")], {
      env: ENV,
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/not found/);
  });

  it("made nothing fail", () => {
    expect(site.faults).toEqual([]);
  });
});
