import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-start-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "<h1>hello</h1>");
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, file?: string): RunningCommand {
  const command = new RunningCommand(args, { cwd: folder, env, ...(file === undefined ? {} : { file }) });
  running.push(command);
  return command;
}

/** What it takes from elsewhere before it does anything, through all that it takes so from us. */
function staticImports(path: string, seen: Set<string> = new Set()): Set<string> {
  const found = new Set<string>();
  if (seen.has(path)) return found;
  seen.add(path);
  const text = readFileSync(path, "utf8");
  const names = path.endsWith(".cjs")
    ? text.matchAll(/^(?:let|const) \S+ = require\("([^"]+)"\);$/gm)
    : text.matchAll(/^(?:import|export)\b[^"]*"([^"]+)";$/gm);
  for (const [, name = ""] of names) {
    if (!name.startsWith(".")) found.add(name);
    else for (const one of staticImports(join(dirname(path), name), seen)) found.add(one);
  }
  return found;
}

describe("what a start loads", () => {
  const ENGINE = ["fs", "net", "os", "path", "stream", "tty", "url", "util"].map((name) => `node:${name}`);

  it.each([
    ["the library", "index.js", ["lru-cache", "mrmime"]],
    ["the command as modules", "cli/main.js", ["lru-cache", "mrmime"]],
    // That one package is in it
    ["the command as a script", "cli/quick-main.cjs", ["node:diagnostics_channel"]],
    ["what people call", "cli/start.cjs", ["node:module", "node:vm"]],
  ])("%s: the engine's part of Node, and no package but those for files", (_what, entry, more) => {
    const found = [...staticImports(join(DIST, entry))];
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter((name) => ![...ENGINE, ...more].includes(name))).toEqual([]);
  });

  it("is three files for a folder, and neither cryptography, compression, nor the platform's fetch and streams", async () => {
    const spy = join(folder, "spy.cjs");
    writeFileSync(
      spy,
      `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(join(folder, "loaded.json"))},
        JSON.stringify({ files: Object.keys(require.cache), builtins: process.moduleLoadList })));`,
    );
    const command = start(["site", "-p", "0"], {
      NODE_V8_COVERAGE: "",
      NODE_OPTIONS: `--require ${JSON.stringify(spy)}`,
    });
    const response = await fetch(await command.url(), { headers: { "accept-encoding": "identity" } });
    expect(await response.text()).toBe("<h1>hello</h1>");
    expect(await command.end("SIGTERM")).toBe(0);
    const { files, builtins } = JSON.parse(readFileSync(join(folder, "loaded.json"), "utf8")) as {
      files: string[];
      builtins: string[];
    };
    expect(files.map((file) => basename(file)).toSorted()).toEqual(
      ["core.cjs", "quick-main.cjs", "spy.cjs", "start.cjs"].toSorted(),
    );
    const unneeded =
      /^NativeModule (?:crypto|zlib|tls|https?|readline|worker_threads|internal\/deps\/undici\/undici|internal\/webstreams\/readablestream|fs\/promises|perf_hooks)$/;
    expect(builtins).toContain("NativeModule net");
    expect(builtins.filter((name) => unneeded.test(name))).toEqual([]);
  });
});

describe("a table of routes", () => {
  it("loads nothing of Node's own fetch", () => {
    const script = `
      import { Response, serve } from ${JSON.stringify(join(DIST, "index.js"))};
      const handler = () => new Response("x");
      const server = await serve({ port: 0, routes: { "/": handler, "/a": { GET: handler }, "/b": new Response("b") } });
      await server.close();
      process.stdout.write(process.moduleLoadList.filter((name) => name.includes("deps/undici/undici")).join());`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
      encoding: "utf8",
    });
    expect([stdout, stderr, status]).toEqual(["", "", 0]);
  });
});

describe("compiled code", () => {
  /** A copy of the command, which nobody else starts. */
  function install(): { file: string; kept: () => string[] } {
    for (const part of ["cli", "parts"]) {
      mkdirSync(join(folder, "package/dist", part), { recursive: true });
      for (const name of readdirSync(join(DIST, part)).filter((one) => one.endsWith(".cjs"))) {
        copyFileSync(join(DIST, part, name), join(folder, "package/dist", part, name));
      }
    }
    copyFileSync(join(DIST, "../package.json"), join(folder, "package/package.json"));
    const parts = join(folder, "package/dist/parts");
    const kept = (): string[] =>
      readdirSync(parts)
        .filter((name) => name.includes(".cache"))
        .map((name) => join(parts, name));
    return { file: join(folder, "package/dist/cli/start.cjs"), kept };
  }

  async function serveOnce(file: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const command = start(["site", "-p", "0"], { NODE_V8_COVERAGE: "", ...env }, file);
    expect(await (await fetch(await command.url())).text()).toBe("<h1>hello</h1>");
    expect(await command.end("SIGTERM")).toBe(0);
    expect(command.errors).toBe("");
  }

  it("is kept at the end of the first run, taken by the next and not written again", async () => {
    const { file, kept } = install();
    await serveOnce(file);
    const [path = "", ...others] = kept();
    expect(others).toEqual([]);
    expect(path).toMatch(/core-[0-9a-f]{16}-.+\.cache$/);
    const before = statSync(path, { bigint: true });
    expect(before.size).toBeGreaterThan(100_000n);
    await serveOnce(file);
    expect(kept()).toEqual([path]);
    const after = statSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("is not kept by a command that only says something", async () => {
    const { file, kept } = install();
    expect(await start(["--help"], {}, file).end()).toBe(0);
    expect(kept()).toEqual([]);
  });

  it("is written anew where V8 does not take it", async () => {
    const { file, kept } = install();
    await serveOnce(file);
    const [path = ""] = kept();
    writeFileSync(path, "not what V8 has made");
    await serveOnce(file);
    expect(kept()).toEqual([path]);
    expect(statSync(path).size).toBeGreaterThan(100_000);
  });

  it("fails no start where it can be neither read nor written, and leaves nothing behind", async () => {
    const { file, kept } = install();
    await serveOnce(file);
    const [path = ""] = kept();
    rmSync(path);
    mkdirSync(join(path, "taken"), { recursive: true });
    await serveOnce(file);
    expect(kept()).toEqual([path]);
    expect(readdirSync(path)).toEqual(["taken"]);
  });

  it.each(["NODE_DISABLE_COMPILE_CACHE", "NODE_V8_COVERAGE"])("is none of ours under %s", async (name) => {
    const { file, kept } = install();
    await serveOnce(file, { [name]: join(folder, "coverage") });
    expect(kept()).toEqual([]);
  });
});

describe("an app", () => {
  // The trailing slash hides it from the guess of start.ts, so that the scripts hand it over
  it.each(["app.mjs", "app.mjs/", "--root=app.mjs/."])("shares its classes with the command: %s", async (word) => {
    const library = JSON.stringify(pathToFileURL(join(DIST, "index.js")).href);
    writeFileSync(
      join(folder, "app.mjs"),
      `import { HttpError, Response } from ${library};
      export const fetch = (request) => {
        if (request.url.endsWith("/teapot")) throw new HttpError(418, "short and stout");
        return new Response("app");
      };`,
    );
    const command = start([word, "-p", "0"]);
    const url = await command.url();
    expect(await (await fetch(url)).text()).toBe("app");
    expect((await fetch(`${url}teapot`)).status).toBe(418);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it.each(["explain", "fetch"])("is asked as modules, too: %s", async (verb) => {
    writeFileSync(join(folder, "app.mjs"), `export const fetch = () => new Response("app");`);
    const command = start([verb, "/", "--root=app.mjs/"]);
    expect(await command.end()).toBe(0);
    expect(command.output).toContain(verb === "fetch" ? "app" : "200");
  });

  it.each(["stuck.mjs", "stuck.mjs/"])("that never finishes loading is told of: %s", async (word) => {
    writeFileSync(join(folder, "stuck.mjs"), "await new Promise(() => {});");
    const command = start([word, "-p", "0"]);
    expect(await command.end()).toBe(1);
    expect(command.errors.match(/the module never finished loading/g)).toHaveLength(1);
  });
});
