import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { howToOpen } from "../../src/cli/command-error.ts";
import { runUnserved } from "./support/quiet-world.ts";

let folder = "";

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fairlead-next-step-")));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a start that comes to nothing says. */
async function said(...args: readonly string[]): Promise<string[]> {
  const { errors } = await runUnserved(folder, args);
  return errors.trimEnd().split("\n");
}

const USERS_FILE = "with one name:password per line; fairlead hash-password prints what may stand for a password";

describe("what to do next", () => {
  it.each<[what: string, args: readonly string[], lines: readonly string[]]>([
    [
      "no name of a file of users",
      ["--auth", "@"],
      ["fairlead: --auth: @ names no file", `  Behind @ goes the name of a file ${USERS_FILE}`],
    ],
    [
      "a file of users that is missing",
      ["--auth", "@users"],
      [
        "fairlead: --auth: /users cannot be read: it does not exist",
        `  Give the name of a file that is there, or make it, ${USERS_FILE}`,
      ],
    ],
    [
      "a folder in place of a file of users",
      ["--auth", "@site"],
      ["fairlead: --auth: /site cannot be read: it is a folder", "  Give the name of a file"],
    ],
    [
      "a certificate that is missing",
      ["--tls-cert", "none"],
      [
        "fairlead: --tls-cert: /none does not exist",
        "  Give the file of a certificate that is there; --tls alone makes one for this machine",
      ],
    ],
    [
      "a certificate that is a folder",
      ["--tls-cert", "site"],
      ["fairlead: --tls-cert: /site is a folder", "  Give the name of a file"],
    ],
    [
      "a log in a folder that is missing",
      ["--log-file", "none/log"],
      [
        "fairlead: --log-file: /none/log cannot be written: there is no folder /none",
        "  Make that folder, or give another file",
      ],
    ],
    [
      "a log that is a folder",
      ["--log-file", "site"],
      ["fairlead: --log-file: /site cannot be written: it is a folder", "  Give the name of a file in it"],
    ],
    [
      "a configuration file that is missing",
      ["-c", "none.json"],
      [
        "fairlead: there is no configuration file none.json in ",
        "  Give the path of one that is there, or leave -c out",
      ],
    ],
    [
      "a configuration file below a file",
      ["-c", "file/a.json"],
      [
        "fairlead: the configuration file file/a.json cannot be read: part of its path is no folder",
        "  Give the path of one that is there, or leave -c out",
      ],
    ],
  ])("is told for %s", async (_what, args, lines) => {
    writeFileSync(join(folder, "file"), "");
    expect(await said("site", ...args)).toEqual(lines);
  });

  it("is told once for a file of users that is none, and how many lines are wrong", async () => {
    writeFileSync(join(folder, "key.pem"), "MIIE\n".repeat(28));
    expect(await said("site", "--auth", "@key.pem")).toEqual([
      "fairlead: 28 lines of /key.pem are no name and password",
      "  The first is line 1 of /key.pem; is it a file of users?",
      "  Give both with a colon between them, as in ada:secret",
    ]);
    writeFileSync(join(folder, "key.pem"), "MIIE\n".repeat(2));
    expect(await said("site", "--auth", "@key.pem")).toEqual([
      "fairlead: 2 things are wrong",
      "  line 1 of /key.pem is no name and password",
      "  line 2 of /key.pem is no name and password",
      "    Give both with a colon between them, as in ada:secret",
    ]);
  });

  it.each([
    ["EACCES", ["Let the user that runs this read it, as with chmod; ls -l shows who may"]],
    ["EPERM", ["Let the user that runs this read it, as with chmod; ls -l shows who may"]],
    ["EISDIR", ["Give the name of a file"]],
    ["ENOENT", ["Make it"]],
    ["EIO", []],
  ])("is about what is in the way: %s", (code, advice) => {
    expect(howToOpen(Object.assign(new Error(code), { code }), ["Make it"])).toEqual(advice);
  });

  it("does not repeat what stands behind a password", async () => {
    const lines = [
      "fairlead: one thing can be served, not 2; they are not shown, since one may be a password",
      "  --auth takes one word, with a colon in it: --auth USER:PASS",
    ];
    expect(await said("site", "--auth", "me", "SECRET")).toEqual(lines);
    expect(await said("--auth", "me", "SECRET", "site")).toEqual(lines);
    expect(await said("check", "site", "--auth", "me", "SECRET")).toEqual(lines);
    expect((await said("--auth", "me", "SECRET")).join()).not.toContain("SECRET");
  });
});
