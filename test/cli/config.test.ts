import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { readIntent } from "../../src/cli/config-intent.ts";
import type { Intent } from "../../src/cli/config-intent.ts";
import { SETTABLE, settingOf, variableOf } from "../../src/cli/config-layers.ts";
import type { Environment } from "../../src/cli/config-layers.ts";
import { placeFinder } from "../../src/cli/config-place.ts";
import { readConfig, SERVER_SETTINGS } from "../../src/cli/config-schema.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { defineConfig } from "../../src/config/index.ts";
import type { Config, ServerConfig } from "../../src/config/index.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-config-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "<h1>hello</h1>");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is wanted by a line of arguments, an environment and the files of the folder. */
async function intentOf(line = "", environment: Environment = {}): Promise<Intent> {
  const { words, flags } = readUsage(line === "" ? [] : line.split(" "));
  return readIntent(words[0], flags, { environment, workingFolder: folder, isTerminal: false });
}

async function mistakeOf(line = "", environment: Environment = {}): Promise<CommandError> {
  try {
    await intentOf(line, environment);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("there was no mistake");
}

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
}

describe("flag over environment over file over default", () => {
  it.each([
    ["", {}, {}, 8080, "127.0.0.1"],
    ["", {}, { port: 1 }, 1, "127.0.0.1"],
    ["", { PORT: "2" }, { port: 1 }, 2, "127.0.0.1"],
    ["-p 3", { PORT: "2" }, { port: 1, host: "::1" }, 3, "::1"],
    ["", { HOST: "::1" }, { port: 1, host: "0.0.0.0" }, 1, "::1"],
    ["", {}, { listen: "tcp://[::1]:9" }, 9, "::1"],
    // Saying one way where to listen takes back the other way of a lower layer
    ["-p 3", {}, { listen: "tcp://[::1]:9" }, 3, "127.0.0.1"],
    ["-l tcp://[::1]:9", { PORT: "2" }, { host: "0.0.0.0", port: 1 }, 9, "::1"],
  ])("%j, %j, %j: %d at %s", async (line, environment, config, port, hostname) => {
    write("fairlead.config.json", config);
    const { settings } = await intentOf(line, environment);
    expect(settings.targets).toEqual([{ kind: "tcp", hostname, port }]);
  });

  it("has a variable for every flag", async () => {
    const { settings } = await intentOf("", {
      FAIRLEAD_CACHE: "10m",
      FAIRLEAD_CLEAN_URLS: "off",
      FAIRLEAD_SINGLE: "yes",
      FAIRLEAD_HEADER: "x-a: 1, 2\nx-b: 3",
      FAIRLEAD_CORS: "https://a.example,https://b.example",
      FAIRLEAD_LOG: "combined",
      FAIRLEAD_QUIET: "",
    });
    expect(settings).toMatchObject({
      isQuiet: false,
      logForm: "combined",
      files: { cache: 600, hasCleanUrls: false, singlePage: true },
      gate: {
        corsOrigins: ["https://a.example", "https://b.example"],
        headers: [
          ["x-a", "1, 2"],
          ["x-b", "3"],
        ],
      },
    });
  });

  it("is not misled by what Kubernetes sets for a service of that name", async () => {
    const { settings } = await intentOf("", { FAIRLEAD_PORT: "tcp://10.0.0.1:80", FAIRLEAD_SERVICE_HOST: "10.0.0.1" });
    expect(settings.targets).toEqual([{ kind: "tcp", hostname: "127.0.0.1", port: 8080 }]);
  });

  it("takes what stands on the command line for what is served", async () => {
    mkdirSync(join(folder, "other"));
    write("fairlead.config.json", { root: "site" });
    expect((await intentOf()).subject.path).toBe(join(folder, "site"));
    expect((await intentOf("other")).subject.path).toBe(join(folder, "other"));
    expect((await intentOf("--no-config")).subject.path).toBe(folder);
  });
});

describe("the file", () => {
  it("may be TypeScript, with types that are gone when it runs", async () => {
    write("fairlead.config.ts", "const port: number = 1;\nexport default { port } as const;");
    expect((await intentOf()).settings.targets).toMatchObject([{ port: 1 }]);
  });

  it.each(["js", "mjs"])("may be a module: .%s", async (extension) => {
    write(`fairlead.config.${extension}`, "export default { cache: 60, limits: { maxFields: 7 } };");
    const { settings } = await intentOf();
    expect(settings.files.cache).toBe(60);
    expect(settings.server).toEqual({ limits: { maxFields: 7 } });
  });

  it("is named, from the folder of the command, and its paths are from its own", async () => {
    mkdirSync(join(folder, "etc"));
    write("etc/web.json", { root: "../site", auth: "@users", logFile: "log", listen: ["unix:s.sock", "tcp://:1"] });
    const { settings, subject } = await intentOf("-c etc/web.json");
    expect(subject.path).toBe(join(folder, "site"));
    expect(settings).toMatchObject({
      gate: { auth: `@${join(folder, "etc/users")}` },
      logFile: join(folder, "etc/log"),
      targets: [{ kind: "unix", path: join(folder, "etc/s.sock") }, { port: 1 }],
      configFile: join(folder, "etc/web.json"),
    });
    expect((await intentOf("", { FAIRLEAD_CONFIG: "etc/web.json" })).subject.path).toBe(join(folder, "site"));
  });

  it("is read again when it has changed", async () => {
    write("fairlead.config.mjs", "export default { port: 1 };");
    await intentOf();
    write("fairlead.config.mjs", "export default { port: 2 };");
    const world = { environment: {}, workingFolder: folder, isTerminal: false };
    const { settings } = await readIntent(undefined, new Map(), world, true);
    expect(settings.targets).toMatchObject([{ port: 2 }]);
  });

  it.each([
    ["-c none.json", 1, /there is no configuration file none\.json/],
    ["-c site", 2, /names a configuration file, and site is none/],
    ["-c-1", 2, /caching off is --cache off/],
    ["-c3600", 2, /caching for 3600 seconds is --cache 3600s/],
    ["-c site/index.html", 1, /is no configuration file/],
  ])("that cannot be: %s", async (line, exitCode, message) => {
    const error = await mistakeOf(line);
    expect(error.exitCode).toBe(exitCode);
    expect(error.message).toMatch(message);
  });

  it("must be one", async () => {
    write("fairlead.config.json", {});
    write("fairlead.config.js", "export default {};");
    expect((await mistakeOf()).message).toBe(
      "there are two configuration files: fairlead.config.js and fairlead.config.json",
    );
  });

  it("says on which line JSON ends to be JSON", async () => {
    write("fairlead.config.json", '{\n  "port": 1,\n  "host": }\n');
    expect((await mistakeOf()).message).toMatch(/^fairlead\.config\.json(?::3)? is no JSON: /);
  });

  it("says where a module fails", async () => {
    write("fairlead.config.mjs", "throw new Error('no luck');");
    const error = await mistakeOf();
    expect(error.message).toMatch(/fairlead\.config\.mjs failed while it was loaded: no luck/);
    expect(error.exitCode).toBe(1);
  });
});

describe("mistakes in the file", () => {
  it("are told all at once, each with its line and the name that was meant", async () => {
    write(
      "fairlead.config.json",
      `{
  "prot": 3000,
  "cleanurls": false,
  "quiet": "yes",
  "fetch": "x",
  "listing": true,
  "cache": "soon",
  "limits": {
    "maxFeilds": 3,
    "maxHeadBytes": 1
  },
  "files": { "index": 1, "etag": true, "maxCache": 1 },
  "host": ""
}`,
    );
    const error = await mistakeOf("", { FAIRLEAD_QR: "perhaps" });
    expect(error).toMatchObject({ exitCode: 2, message: "13 settings are wrong" });
    const lines = error.advice.filter((line) => !line.startsWith("  "));
    expect(lines).toEqual([
      `the environment's FAIRLEAD_QR is "perhaps", which is neither on nor off`,
      "fairlead.config.json:2: prot: there is no such setting, did you mean port?",
      "fairlead.config.json:3: cleanurls: there is no such setting, did you mean cleanUrls?",
      `fairlead.config.json:4: quiet: "yes" was given, true or false is allowed`,
      expect.stringMatching(/^fairlead\.config\.json:5: fetch: an app is a module of its own/) as string,
      "fairlead.config.json:6: listing: there is no such setting, did you mean list?",
      `fairlead.config.json:12: files.index: 1 was given, text is allowed`,
      "fairlead.config.json:12: files.etag: there is no such setting",
      "fairlead.config.json:12: files.maxCache: there is no such setting, did you mean files.maxCacheBytes?",
      expect.stringMatching(/^fairlead\.config\.json:10: limits\.maxHeadBytes: 1 was given, an integer from/) as string,
      "fairlead.config.json:9: limits.maxFeilds: there is no such setting, did you mean limits.maxFields?",
      "host in fairlead.config.json:13 is empty",
      `cache in fairlead.config.json:7 is "soon", which is no time`,
    ]);
  });

  it.each([
    ["--admin 9180", "If 9180 is the value of --admin, write --admin=9180"],
    ["--open /docs", "If /docs is the value of --open, write --open=/docs"],
    ["--host myhost", "If myhost is the value of --host, write --host=myhost"],
    ["9180", "A port is --port 9180"],
    ["help", "That is --help"],
    ["explian", "Did you mean fairlead explain?"],
    ["https://a.example", "A URL cannot be served: fairlead passes nothing on to other servers"],
    ["-p 80 9180", "Give a folder, a file or a module, or nothing at all for the current folder"],
  ])("are not made of words that were meant for a flag: %s", async (line, hint) => {
    const error = await mistakeOf(line);
    expect(error.message).toMatch(/^there is no /);
    expect(error.advice[0]).toBe(hint);
  });

  it("say where the root stands that is not there, and refuse one that is empty", async () => {
    write("fairlead.config.json", '{ "root":\n"gone" }');
    expect((await mistakeOf()).message).toBe(`root in fairlead.config.json:1: there is no ${join(folder, "gone")}`);
    expect((await mistakeOf("--root=")).message).toBe("what shall be served is empty");
    write("fairlead.config.json", "[]");
    expect(await mistakeOf()).toMatchObject({
      message: "fairlead.config.json holds an array of 0, an object of settings is allowed",
      advice: ['{ "root": "./site" }'],
    });
  });

  it.each([
    ["getter", "export default { get port() { return of(); } };", "failed while it was read: no luck"],
    ["list of members", "export default new Proxy({}, { ownKeys: () => of() });", "failed while it was read: no luck"],
    ["top level", "of();", "failed while it was loaded: no luck"],
    ["text that is no JSON", 'JSON.parse("{");', "failed while it was loaded: Expected property name"],
  ])("show no frames but the file's own: %s", async (_what, text, said) => {
    write("fairlead.config.mjs", `const of = () => {\n  throw new Error("no \\n luck");\n};\n${text}`);
    const error = await mistakeOf();
    expect(error.message).toContain(said);
    expect(error.advice.length).toBeGreaterThan(0);
    for (const line of error.advice) expect(line).toMatch(/^\s+at .*fairlead\.config\.mjs:\d+:\d+\)?$/);
  });

  it.each([
    ["throw { code: 5 };", "{ code: 5 }"],
    ["throw null;", "null"],
    ["throw Object.create(null);", "[Object: null prototype] {}"],
    ["throw new TypeError();", "TypeError without a message"],
    ["const e = new Error('odd \\x1b[31m'); e.stack = 5; throw e;", "odd \\x1b[31m"],
  ])("are told whatever is thrown: %s", async (text, said) => {
    write("fairlead.config.mjs", text);
    expect((await mistakeOf()).message).toBe(
      `${join(folder, "fairlead.config.mjs")} failed while it was loaded: ${said}`,
    );
  });

  it.each([
    ["export default 3;", /exports 3, an object of settings is allowed/],
    ["export const port = 3;", /exports nothing by default/],
    ["export default () => ({});", /exports a function/],
    ["export default Promise.resolve({ port: 3000 });", /exports a Promise/],
    ["export default new Map([['port', 3000]]);", /exports a Map/],
  ])("of the whole: %s", async (text, message) => {
    write("fairlead.config.mjs", text);
    const error = await mistakeOf();
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(1);
  });

  it("are lines, whatever the names", async () => {
    write("fairlead.config.json", { "a\r\u001b[31m": 1 });
    const { message } = await mistakeOf();
    expect(message).toBe(String.raw`fairlead.config.json: a\r\u001b[31m: there is no such setting`);
  });

  it("do not show a password", async () => {
    write("fairlead.config.json", { auth: { user: "ada", password: "secret" } });
    expect((await mistakeOf()).message).not.toContain("secret");
  });

  it("are found in any value, and nothing is ever thrown but them", () => {
    const source = { path: "/x/fairlead.config.json", shown: "fairlead.config.json", placeOf: () => "" };
    const names = [...SETTABLE.map(({ name }) => settingOf(name)), ...SERVER_SETTINGS, "files", "x"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.anything()), (value) => {
        expect(Array.isArray(readConfig(value, source).mistakes)).toBe(true);
      }),
    );
  });
});

describe("places", () => {
  const text = `// port: 1
import x from "y";
export default defineConfig({
  /* host: 2 */ "log-file": "port: 3",
  port,
  limits: {
    maxFields: 3 },
  "timeouts": { "headMs": 1 },
});`;
  it.each([
    ["port", "f.ts:5"],
    ["limits.maxFields", "f.ts:7"],
    ["limits.other", "f.ts:6"],
    ["timeouts.headMs", "f.ts:8"],
    ["host", "f.ts"],
    ["log-file", "f.ts:4"],
    ["limits.headMs", "f.ts:6"],
  ])("%s is at %s", (setting, place) => {
    expect(placeFinder(text, "f.ts")(setting)).toBe(place);
  });
});

describe("serve.json", () => {
  it("is taken as far as it means the same, and the rest is told", async () => {
    mkdirSync(join(folder, "site/out"));
    write("site/app.html", "");
    write("site/serve.json", {
      public: "out",
      cleanUrls: false,
      directoryListing: false,
      symlinks: true,
      rewrites: [{ source: "**", destination: "/app.html" }],
      redirects: [{ source: "/a", destination: "/b" }],
      headers: [{ source: "**", headers: [{ key: "x-a", value: "1" }] }],
    });
    const { settings, subject } = await intentOf("site");
    expect(subject.path).toBe(join(folder, "site"));
    expect(settings).toMatchObject({
      files: { hasCleanUrls: false, listsFolders: false, followsLinks: false, singlePage: "app.html" },
      gate: { headers: [["x-a", "1"]] },
    });
    expect(settings.notes).toEqual([
      "public, cleanUrls, directoryListing, rewrites, headers taken from site/serve.json; not taken: " +
        "symlinks (links that lead out of the folder are followed by --follow), redirects (they stand in the folder's _redirects)",
    ]);
  });

  it("cannot lead out of its folder", async () => {
    write("site/serve.json", { public: "../.." });
    expect((await mistakeOf("site")).message).toMatch(/site\/serve\.json:2: public: .* leads out of the folder/);
  });

  it.each([[[]], [{ headers: [null, 1] }], [{ rewrites: [null] }], [{ headers: [{ source: "**", headers: [null] }] }]])(
    "never fails by what it holds: %j",
    async (content) => {
      write("site/serve.json", content);
      await intentOf("site").catch((error: unknown) => expect(error).toBeInstanceOf(CommandError));
    },
  );

  it("gives way to a file of ours", async () => {
    write("site/serve.json", { cleanUrls: false });
    write("fairlead.config.json", {});
    expect((await intentOf("site")).settings.files.hasCleanUrls).toBe(true);
  });
});

describe("the type", () => {
  it("has every flag, and the options of the server", () => {
    expect(Object.keys(OF_FLAGS).toSorted()).toEqual(
      [...SETTABLE.map(({ name }) => settingOf(name)), "files"].toSorted(),
    );
    // Of TLS a file may say either
    for (const name of SERVER_SETTINGS.filter((one) => one !== "tls")) expect(OF_FLAGS).not.toHaveProperty(name);
  });

  it("gives back what it gets", () => {
    const config = { port: 1, limits: { maxFields: 3 } };
    expect(defineConfig(config)).toBe(config);
    expectTypeOf(defineConfig).parameter(0).toEqualTypeOf<Config>();
  });

  it("names variables that can be set by a shell", () => {
    for (const { name } of SETTABLE) expect(variableOf(name)).toMatch(/^[A-Z][A-Z_]+$/);
  });
});

/** The compiler holds it against the type. */
const OF_FLAGS: Record<Exclude<keyof Config, Exclude<keyof ServerConfig, "tls">>, true> = {
  root: true,
  port: true,
  host: true,
  listen: true,
  portSwitching: true,
  workers: true,
  open: true,
  qr: true,
  tls: true,
  tlsCert: true,
  tlsKey: true,
  acme: true,
  domain: true,
  acmeDirectory: true,
  admin: true,
  single: true,
  cache: true,
  cleanUrls: true,
  list: true,
  dotfiles: true,
  follow: true,
  compress: true,
  precompressed: true,
  rules: true,
  sendfile: true,
  auth: true,
  cors: true,
  isolated: true,
  headers: true,
  quiet: true,
  verbose: true,
  log: true,
  logFile: true,
  color: true,
  files: true,
};
