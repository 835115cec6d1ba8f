import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "fairlead-module-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let serial = 0;

/** Writes a module under a name of its own. */
function write(extension: string, text: string): string {
  const path = join(folder, `module-${++serial}${extension}`);
  writeFileSync(path, text);
  return path;
}

/** What became of a module: the text that its handler answers with, or the error. */
interface Loaded {
  readonly text?: string;
  readonly message?: string;
  readonly advice?: string;
  readonly exitCode?: number;
}

/** Asks a module through the built command: with Node's own loader, which the test runner's would replace. */
function load(path: string): Loaded {
  const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", command, "fetch", path, "/"], {
    encoding: "utf8",
  });
  if (status === 0) return { text: stdout };
  const [message = "", ...advice] = stderr.trimEnd().split("\n");
  return {
    message: message.replace(/^fairlead: /, ""),
    advice: advice.map((line) => line.replace(/^ {2}/, "")).join("\n"),
    exitCode: status ?? -1,
  };
}

describe("a module with a handler", () => {
  it.each([
    ["fetch, .mjs", ".mjs", `export const fetch = () => new Response("ok");`],
    ["default.fetch, .mjs", ".mjs", `export default { word: "ok", fetch() { return new Response(this.word); } };`],
    ["a default function, .mjs", ".mjs", `export default () => new Response("ok");`],
    [
      "an app with its fetch on the prototype",
      ".mjs",
      `class App { #w = "ok"; fetch() { return new Response(this.#w); } } export default new App();`,
    ],
    ["a function with a fetch", ".mjs", `export default Object.assign(() => 1, { fetch: () => new Response("ok") });`],
    ["CommonJS, .cjs", ".cjs", `module.exports = () => new Response("ok");`],
    ["CommonJS with a name, .js", ".js", `exports.fetch = () => new Response("ok");`],
    ["TypeScript", ".ts", `export const fetch = (request: Request): Response => new Response("ok");`],
    [
      "TypeScript, default",
      ".mts",
      `interface A { b: string }\nexport default { fetch: (): Response => new Response("ok" satisfies A["b"]) };`,
    ],
    [
      "TypeScript that cannot be stripped",
      ".ts",
      `enum Word { Ok = "ok" }\nexport default (): Response => new Response(Word.Ok);`,
    ],
    [
      "TypeScript that waits",
      ".mts",
      `const word: string = await Promise.resolve("ok");\nexport const fetch = () => new Response(word);`,
    ],
  ])("is run: %s", (_what, extension, text) => {
    expect(load(write(extension, text))).toEqual({ text: "ok" });
  });

  // `npm init` of today writes that type, and everybody writes modules all the same
  it.each([
    [".ts", `import { sep } from "node:path";\nexport const fetch = (): Response => new Response(sep && "ok");`],
    [
      ".ts",
      `/** Waits. */\nconst word: string = await Promise.resolve("ok");\nexport default () => new Response(word);`,
    ],
    [".js", `import { sep } from "node:path";\nexport const fetch = () => new Response(sep && "ok");`],
    [".js", `export default { fetch: () => new Response("ok") };`],
    [".js", `const { sep } = require("node:path");\nexports.fetch = () => new Response(sep && "ok");`],
    [".mjs", `export const fetch = () => new Response("ok");`],
    [".cjs", `exports.fetch = () => new Response("ok");`],
  ])("is taken for what it is in a package of type commonjs: %s %s", (extension, text) => {
    const place = join(folder, `commonjs-${++serial}`);
    mkdirSync(join(place, "src"), { recursive: true });
    writeFileSync(join(place, "package.json"), JSON.stringify({ name: "app", type: "commonjs" }));
    writeFileSync(join(place, `src/app${extension}`), text);
    expect(load(join(place, `src/app${extension}`))).toEqual({ text: "ok" });
  });

  it("may import others, in TypeScript by their true name", () => {
    const other = write(".mts", `export const word: string = "ok";`);
    const text = `import { word } from "./${basename(other)}";\nexport const fetch = () => new Response(word);`;
    expect(load(write(".mts", text))).toEqual({ text: "ok" });
  });
});

describe("a module in TypeScript", () => {
  it.each(["", ".js", ".ts"])("may import another as ./name%s on every Node", (ending) => {
    const other = write(".ts", "export const word: string = 'found';");
    const name = basename(other, ".ts");
    const path = write(
      ".ts",
      `import { word } from "./${name}${ending}"; export const fetch = () => new Response(word);`,
    );
    expect(load(path)).toEqual({ text: "found" });
  });
});

const NODE_MODULES = new URL("../../node_modules/", import.meta.url).href;
const EXPRESS = `import express from "${NODE_MODULES}express/index.js"; const app = express();`;
const KOA = `import Koa from "${NODE_MODULES}koa/lib/application.js"; const app = new Koa();`;
const FASTIFY = `import fastify from "${NODE_MODULES}fastify/fastify.js"; const app = fastify();`;
const CONNECT = `import connect from "${NODE_MODULES}connect/index.js"; const app = connect();`;

describe("an app of another framework", () => {
  it.each([
    ["Express", `${EXPRESS} export default app;`, "export default nodeHandler(app);"],
    ["Koa", `${KOA} export default app;`, "export default nodeHandler(app.callback());"],
    ["Fastify", `${FASTIFY} export default app;`, "await app.ready();\n  export default nodeHandler(app.routing);"],
    ["Connect", `${CONNECT} export default app;`, "export default nodeHandler(app);"],
    ["Express", `${EXPRESS} export const api = app, port = 3;`, "export default nodeHandler(api);"],
  ])("is told how it becomes a handler: %s, %s", (name, text, expression) => {
    const error = load(write(".mjs", text));
    expect(error.message).toMatch(new RegExp(`exports no handler, but an app of ${name}$`));
    expect(error.advice).toBe(`Make a handler of it:\n  import { nodeHandler } from "fairlead/node";\n  ${expression}`);
    expect(error.exitCode).toBe(1);
  });

  it.each([
    ["node:http", ".mjs", "export default createServer();", "export default nodeHandler((req, res) => { … });"],
    ["node:https", ".mjs", "export const server = createServer();", "export default nodeHandler((req, res) => { … });"],
    ["node:http", ".cjs", "module.exports = createServer();", "module.exports = nodeHandler((req, res) => { … });"],
  ])("is not a server of %s, whose listener becomes one: %s", (name, extension, text, line) => {
    const importing =
      extension === ".cjs" ? `const { createServer } = require("${name}")` : `import { createServer } from "${name}"`;
    const error = load(write(extension, `${importing}; ${text}`));
    expect(error.message).toMatch(/exports no handler, but a server of node:http$/);
    expect(error.advice).toMatch(/^Make a handler of the listener that createServer\(\) was given:\n/);
    expect(error.advice?.split("\n").at(-1)).toBe(`  ${line}`);
  });

  it.each([
    ["express", "module.exports = nodeHandler(app);"],
    [
      "fastify",
      "module.exports = nodeHandler(async (req, res) => {\n    await app.ready();\n    app.routing(req, res);\n  });",
    ],
  ])("is told so in the words of scripts: %s", (name, expression) => {
    const required = fileURLToPath(`${NODE_MODULES}${name}`);
    const { advice } = load(write(".cjs", `module.exports = require(${JSON.stringify(required)})();`));
    expect(advice).toBe(`Make a handler of it:\n  const { nodeHandler } = require("fairlead/node");\n  ${expression}`);
  });

  it.each([
    ["Express", `${EXPRESS} app.get("/", (_, response) => void response.send("ok")); export default nodeHandler(app);`],
    ["Koa", `${KOA} app.use((c) => { c.body = "ok"; }); export default nodeHandler(app.callback());`],
    [
      "Fastify",
      `${FASTIFY} app.get("/", async () => "ok"); await app.ready(); export default nodeHandler(app.routing);`,
    ],
    [
      "Fastify, in a script",
      `${FASTIFY} app.get("/", async () => "ok");
      export default nodeHandler(async (req, res) => { await app.ready(); app.routing(req, res); });`,
    ],
  ])("answers when it has become one: %s", (_name, text) => {
    const node = new URL("../../dist/node/index.js", import.meta.url).href;
    expect(load(write(".mjs", `import { nodeHandler } from "${node}"; ${text}`))).toEqual({ text: "ok" });
  });

  it.each([
    "Object.assign(() => new Response('ok'), { listen() {}, set() {} })",
    "Object.assign(() => new Response('ok'), { handle() {}, use() {}, routes: [] })",
    "({ listen() {}, callback() {}, fetch: () => new Response('ok') })",
    "Object.assign(() => 1, { handle() {}, set() {}, listen() {}, fetch: () => new Response('ok') })",
  ])("is not what a handler with members of its own is: %s", (handler) => {
    expect(load(write(".mjs", `export default ${handler};`))).toEqual({ text: "ok" });
  });
});

describe("a module that cannot be run", () => {
  it("says so when its top level never comes to an end", () => {
    const { message, exitCode } = load(write(".mjs", "await new Promise(() => {});"));
    expect(message).toContain("never finished loading");
    expect(exitCode).toBe(1);
  });

  it("says which of its exports is a class", () => {
    const { message } = load(write(".mjs", "export class App { fetch() {} }"));
    expect(message).toContain("App (a class, make one)");
  });

  it("shows frames of its own only", () => {
    const { advice } = load(write(".mjs", "throw new Error('at once');"));
    expect(advice?.split("\n").filter((line) => !line.includes(folder))).toEqual([]);
  });

  it.each([
    [".mjs", "export {};"],
    [".cjs", "void 0;"],
    [".cjs", "module.exports = {};"],
    [".mjs", "export default {};"],
    [".mjs", "export default undefined;"],
  ])("is told to be run by Node, if it starts a server of its own and exports nothing: %s %s", (extension, text) => {
    const path = write(extension, text);
    const { message, advice, exitCode } = load(path);
    expect(message).toBe(`${path} exports no handler, but nothing at all`);
    expect(advice).toMatch(`A module that starts a server of its own is run without this command:\n  node ${path}\n`);
    expect(advice).toContain("Or export one of these in its place, each a function of a Request");
    expect(exitCode).toBe(1);
  });

  it.each([
    ["nothing", "export {};", "but nothing at all"],
    ["other things", "export const port = 1, hostname = 2;", "but only hostname, port"],
    ["a class", "export default class App {}", "but only default"],
    ["no function by that name", "export const fetch = 3;", "but only fetch"],
  ])("says what to export where it exports %s", (_what, text, said) => {
    const error = load(write(".mjs", text));
    expect(error.message).toContain(`exports no handler, ${said}`);
    expect(error.advice).toContain("export function fetch(request)");
    expect(error.exitCode).toBe(1);
  });

  it.each([
    [".mjs", "export const a = 1;\nconst b = ;\n"],
    [".ts", "export const a: number = 1;\nconst b: = 3;\n"],
  ])("shows the place of a syntax error, %s", (extension, text) => {
    const path = write(extension, text);
    const error = load(path);
    expect(error.message).toContain("cannot be read as a module: ");
    expect(`${error.message}\n${error.advice}`).toContain(`${basename(path)}:2`);
  });

  it("says so where the syntax error is in another module", () => {
    const other = write(".mjs", "const b = ;\n");
    const error = load(write(".mjs", `import "./${basename(other)}"; export const fetch = 1;`));
    expect(error.message).toContain("or a module that it imports");
  });

  it("says which package is missing and how to install it", () => {
    const error = load(write(".mjs", `import "@not/there/deep.js"; export const fetch = 1;`));
    expect(error.message).toContain("imports @not/there");
    expect(error.advice).toBe("Install it where the module lies: npm install @not/there");
  });

  it.each([".mjs", ".mts"])("says which file is missing, %s", (extension) => {
    const error = load(write(extension, `import { a } from "./not-there.js"; export const fetch = () => a;`));
    expect(error.message).toMatch(/imports \S*not-there\.js, which cannot be found/);
    expect(error.advice).toContain("extension");
  });

  it("shows where it failed while it was loaded", () => {
    const path = write(".mjs", `\nthrow new Error("no database");`);
    const error = load(path);
    expect(error.message).toBe(`${path} failed while it was loaded: no database`);
    expect(error.advice).toContain(`${basename(path)}:2:7`);
  });
});
