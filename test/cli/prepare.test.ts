import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runUnserved } from "./support/quiet-world.ts";

let folder = "";

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fairlead-prepare-")));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A start that comes to nothing: its exit code and the lines that say why. */
async function start(...args: readonly string[]): Promise<{ exitCode: number; lines: string[] }> {
  const { exitCode, errors } = await runUnserved(folder, args);
  return { exitCode, lines: errors.trimEnd().split("\n") };
}

describe("a start", () => {
  it("tells all that is wrong at once, and leaves nothing behind", async () => {
    writeFileSync(join(folder, "site/_redirects"), "/a\n");
    const wrong = await start(
      "site",
      "-p",
      "x",
      "--auth",
      "ada",
      "--log-file",
      "no/log",
      "-H",
      "a b: c",
      "--tls-cert",
      "a",
    );
    expect(wrong.exitCode).toBe(2);
    expect(wrong.lines[0]).toBe("fairlead: 6 things are wrong");
    expect(wrong.lines.filter((line) => /^ {2}\S/.test(line))).toEqual([
      '  --port is "x", which is no port',
      expect.stringMatching(/^ {2}.*_redirects:1: /) as string,
      "  --auth is no name and password",
      expect.stringMatching(/^ {2}--header: .*a b/) as string,
      "  --tls-cert: /a does not exist",
      "  --log-file: /no/log cannot be written: there is no folder /no",
    ]);
    const other = await start("nowhere", "--auth", "ada", "--log-file", "requests.log");
    expect(other.lines.filter((line) => /^ {2}\S/.test(line))).toEqual([
      "  what shall be served does not exist; it is not shown, since it may be a password",
      "  --auth is no name and password",
    ]);
    expect(existsSync(join(folder, "requests.log"))).toBe(false);
  });

  it("tells every rule of a folder that is wrong on a line of its own, with its place", async () => {
    writeFileSync(join(folder, "site/_redirects"), "/a\n/ok /b\n/c /d 999\n");
    writeFileSync(join(folder, "site/_headers"), "X-A: b\n");
    const { exitCode, lines } = await start("site");
    // As with any other file
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      "fairlead: 3 things are wrong",
      // As it stands, also what looks like part of a path
      expect.stringMatching(/^ {2}site\/_redirects:1: [^;]+ "http:\/\/" or "https:\/\/"$/) as string,
      expect.stringMatching(/^ {2}site\/_redirects:3: [^;]+$/) as string,
      expect.stringMatching(/^ {2}site\/_headers:1: [^;]+$/) as string,
      "    Mend them, or serve the folder as if there were no rules: --no-rules",
    ]);
  });

  it("tells each value of what may be given several times, and each part of what belongs together", async () => {
    const tell = async (...args: string[]): Promise<string[]> =>
      (await start("site", ...args)).lines.filter((line) => /^(?:fairlead:| {2}) ?--/.test(line));
    expect(await tell("-H", "x", "-H", ": y", "-p", "x", "--host=", "--host=a b")).toEqual([
      '  --port is "x", which is no port',
      "  --host is empty",
      '  --host is "a b", which is no address',
      '  --header is "x", which is no field',
      '  --header is ": y", which is no field',
    ]);
    expect(await tell("-l", "80", "-l", "unix:")).toHaveLength(2);
    expect(await tell("--acme", "me", "--domain", "a b", "--domain", "c d", "--acme-directory", "x")).toHaveLength(4);
  });

  it("refuses a descriptor that is no socket, before libuv gets hold of it and closes it", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    const opened = openSync(path, "r");
    for (const fd of [opened, 987_654]) {
      for (const workers of [[], ["--workers", "2"]]) {
        const { exitCode, lines } = await start("site", "-l", `fd:${fd}`, ...workers);
        expect(lines[0]).toBe(`fairlead: cannot listen on descriptor ${fd}: this is no open listening socket`);
        expect(exitCode).toBe(1);
      }
    }
    closeSync(opened);
  });

  it("names all flags about files that are given to an app", async () => {
    writeFileSync(join(folder, "app.mjs"), "export default () => new Response();");
    expect((await start("app.mjs", "--cache", "1y", "--single", "-p", "0")).lines).toEqual([
      "fairlead: --single, --cache are about files, and /app.mjs is a module that answers itself",
      "  Leave them out; in the module, serveStatic() has options for them",
    ]);
  });

  it("loads no app where something else is wrong already", async () => {
    writeFileSync(join(folder, "app.mjs"), "globalThis.wasLoaded = true; throw new Error('no luck');");
    const { lines } = await start("app.mjs", "--workers", "none", "--auth", "ada");
    expect(lines.join("\n")).toMatch(/2 things are wrong[^]*--workers[^]*--auth/);
    expect(Reflect.has(globalThis, "wasLoaded")).toBe(false);
    expect((await start("app.mjs", "--auth", "ada")).lines.join("\n")).toMatch(/failed while it was loaded[^]*--auth/);
    Reflect.deleteProperty(globalThis, "wasLoaded");
  });

  it.each([
    ["nofile", "it does not exist"],
    ["site", "it is a folder"],
    ["site/page/users", "part of its path is no folder"],
  ])("says why there are no users in %s: %s", async (name, why) => {
    writeFileSync(join(folder, "site/page"), "");
    const { exitCode, lines } = await start("site", "--auth", `@${name}`);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      `fairlead: --auth: /${name} cannot be read: ${why}`,
      expect.stringMatching(/^ {2}Give the name of a file/) as string,
    ]);
  });

  it("tells of a single file that is a link to elsewhere, which would be 404", async () => {
    writeFileSync(join(folder, "page.pdf"), "");
    symlinkSync("../page.pdf", join(folder, "site/link.pdf"));
    expect(await start("site/link.pdf")).toEqual({
      exitCode: 1,
      lines: [
        "fairlead: /site/link.pdf is a link that leads out of its folder, and such links are not followed",
        "  Give /page.pdf itself, or --follow",
      ],
    });
    symlinkSync("page.pdf", join(folder, "inside.pdf"));
    for (const args of [["inside.pdf"], ["site/link.pdf", "--follow"]])
      expect((await start(...args, "--auth", "ada")).lines).toHaveLength(2);
  });

  it("tells every line that is wrong of a file of users", async () => {
    writeFileSync(join(folder, "users"), "ada:x\nbob\n# note\n:eve\n");
    const { lines } = await start("site", "--auth", "@users");
    expect(lines.filter((line) => line.includes("is no name"))).toEqual([
      "  line 2 of /users is no name and password",
      "  line 4 of /users is no name and password",
    ]);
  });
});
