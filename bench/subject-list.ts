/**
 * Who takes part: every subject with its command line, its version, and why it cannot run here if it cannot.
 *
 * Subjects read from the environment: FAIRLEAD_BENCH_FOLDER, the folder of the profiles of files; FAIRLEAD_BENCH_CERT and
 * FAIRLEAD_BENCH_KEY, certificate and key of those of TLS; FAIRLEAD_BENCH_PORT for commands that are measured from their start,
 * which are told their port and say none. How each is set up, and why so, is in fairness.md; check-subjects.ts compares what
 * they answer. Nothing here starts a server.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One who takes part. */
export interface SubjectSpec {
  /** Unique, without spaces: `fastify`, `nginx-static`. */
  readonly name: string;
  /** One line: the set-up, whatever the version. */
  readonly about: string;
  /** `node`: a script, started once for each Node that is measured. `program`: has a binary of its own. */
  readonly runsOn: "node" | "program";
  /**
   * Families of work it answers: `plain`, `app`, `static`, `tls`, `static-tls`, `startup`; `hello`, /users/:name;
   * `log`, the greeting with a log; `precompressed`, files with their .gz and .br beside them.
   */
  readonly serves: readonly string[];
  /** Why it cannot run here and how to get it, or null. */
  missing(): string | null;
  /** As the peer names itself, on the Node of that path. */
  version(node: string): string;
  /**
   * The command line; `node` is the path of a binary. The process prints one line `{"port":N}` on its standard output when it
   * listens on 127.0.0.1. Those of the family `startup` print none: they serve FAIRLEAD_BENCH_FOLDER on FAIRLEAD_BENCH_PORT,
   * both as they stand when this is called.
   */
  command(node: string): readonly string[];
}

/** Packages that only the bench has; a command installs them. */
const PEERS = fileURLToPath(new URL("peers/", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));

function pathOf(script: string): string {
  return fileURLToPath(new URL(`subjects/${script}`, import.meta.url));
}

/** Folder of an installed package: of the bench's own, else of the repository's. Null if it is neither. */
function packageFolder(name: string): string | null {
  const places = [PEERS, ROOT].map((place) => `${place}node_modules/${name}/`);
  return places.find((place) => existsSync(`${place}package.json`)) ?? null;
}

function packageVersion(name: string): string {
  const text = readFileSync(`${packageFolder(name)}package.json`, "utf8");
  return `${name} ${(JSON.parse(text) as { version: string }).version}`;
}

function nodeVersion(node: string): string {
  return `Node ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`;
}

const noPackage = (name: string): string => `${name} is not installed (npm run bench -- --install)`;

/** A script on Node that needs these packages; the first names its version. */
function onNode(name: string, serves: string, about: string, packages: readonly string[] = []): SubjectSpec {
  return {
    name,
    about,
    runsOn: "node",
    serves: serves.split(" "),
    missing: () => {
      const absent = packages.filter((one) => packageFolder(one) === null);
      return absent.length === 0 ? null : absent.map(noPackage).join("; ");
    },
    version: (node) => [...packages.slice(0, 1).map(packageVersion), nodeVersion(node)].join(" on "),
    command: (node) => ["env", "NODE_ENV=production", node, pathOf(`${name}.js`)],
  };
}

/** A script of ours, on the built package. */
function ours(name: string, serves: string, about: string): SubjectSpec {
  return {
    ...onNode(name, serves, about),
    missing: () => (existsSync(`${ROOT}dist/index.js`) ? null : "dist is not built (npm run build)"),
    version: (node) => {
      const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
      return `fairlead ${version} on ${nodeVersion(node)}`;
    },
  };
}

/** A program from Debian, of which program.sh becomes one. */
function program(name: string, serves: string, about: string): SubjectSpec {
  const [binary = name] = name.split("-");
  const versionWords = binary === "caddy" ? ["version"] : ["-v"];
  return {
    name,
    about,
    runsOn: "program",
    serves: serves.split(" "),
    missing: () => (findProgram(binary) === null ? `${binary} is not installed (apt install ${binary})` : null),
    version: () => {
      const { stdout, stderr } = spawnSync(findProgram(binary) ?? binary, versionWords, { encoding: "utf8" });
      const words = /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "";
      return `${binary} ${words}`;
    },
    command: (node) => ["sh", pathOf("support/program.sh"), node, name],
  };
}

/** A script on a runtime that is a package of the bench: its binary without the package's own launcher. */
function onRuntime(runtime: "bun" | "deno", name: string, serves: string, about: string): SubjectSpec {
  const binary = (): string | null => {
    const places = RUNTIMES[runtime].map((path) => `${PEERS}node_modules/${path}`);
    return places.find((path) => existsSync(path)) ?? null;
  };
  return {
    name,
    about,
    runsOn: "program",
    serves: serves.split(" "),
    missing: () => {
      const path = binary();
      if (path === null) return noPackage(runtime);
      const { status, stderr } = spawnSync(path, ["--version"], { encoding: "utf8" });
      return status === 0 ? null : `${runtime} does not run on this system: ${stderr.trim().split("\n")[0] ?? ""}`;
    },
    version: () => packageVersion(runtime),
    command: () => [...RUNTIME_WORDS[runtime].map((word) => word || (binary() ?? runtime)), pathOf(`${name}.js`)],
  };
}

/** Where their binaries are; the packages' own scripts, which npm may not be allowed to run, copy the second to the first. */
const RUNTIMES = {
  bun: ["bun/bin/bun.exe", "@oven/bun-linux-x64/bin/bun", "@oven/bun-linux-aarch64/bin/bun"],
  deno: ["@deno/linux-x64-glibc/deno", "@deno/linux-arm64-glibc/deno"],
} as const;

/** What stands in front of the script; the empty word is the binary. */
const RUNTIME_WORDS = {
  bun: ["env", "NODE_ENV=production", "", "run"],
  deno: ["env", "DENO_NO_UPDATE_CHECK=1", "", "run", "--quiet", "--no-config", "--no-lock", "--allow-all"],
} as const;

/** A command that is measured from its start: as people type it, with the places where it stands in braces. */
function atStart(name: string, about: string, needs: string, words: string): SubjectSpec {
  const isProgram = needs === "caddy";
  return {
    ...onNode(name, "startup", about, isProgram || needs === "" ? [] : [needs]),
    ...(isProgram && {
      runsOn: "program",
      missing: program(needs, "", "").missing,
      version: program(needs, "", "").version,
    }),
    command: (node) => {
      const { FAIRLEAD_BENCH_FOLDER: folder = ".", FAIRLEAD_BENCH_PORT: port = "8080" } = process.env;
      const places = { node, folder, port, package: packageFolder(needs) ?? "", subjects: pathOf("") };
      const fill = (word: string): string =>
        word.replace(/\{(\w+)\}/, (_, place: string) => places[place as keyof typeof places]);
      return words.split(" ").map(fill);
    },
  };
}

/** Path of a program, looked for beside the PATH too, where Debian keeps servers. */
function findProgram(name: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path)) ?? null;
}

const PLAIN: readonly SubjectSpec[] = [
  ours("fairlead", "plain", "serve() with a fetch handler"),
  ours("fairlead-plain-app", "plain", "serve() with an App of one route"),
  ours("fairlead-log", "plain log", "serve() with the access log on: a line of JSON per request to a file"),
  ours("fairlead-workers", "plain", "two worker processes that share the port, watched by a third"),
  onNode("floor", "plain hello", "no server: node:net and answers known by heart, nothing parsed or checked"),
  onNode("floor-tls", "tls", "the same under TLS, by node:tls"),
  onNode("node-http", "plain", "node:http with Content-Length declared"),
  onNode("node-http-log", "plain log", "node:http with a line per request by pino to a file", ["pino"]),
  onNode("fastify", "plain", "Fastify with one route", ["fastify"]),
  onNode("fastify-log", "plain log", "Fastify with its own logger to a file, two lines per request", [
    "fastify",
    "pino",
  ]),
  onNode("express", "plain", "Express with one route", ["express"]),
  onNode("hono", "plain", "Hono on its own Node server, one route", ["hono", "@hono/node-server"]),
  onRuntime("bun", "bun", "plain", "Bun.serve() with a fetch handler"),
  onRuntime("deno", "deno", "plain", "Deno.serve() with a handler"),
  program("nginx", "plain", "nginx with return 200, one worker"),
  program("caddy", "plain", "Caddy with respond"),
  program("lighttpd", "plain", "lighttpd with a file of 13 octets"),
  program("h2o", "plain", "h2o with a file of 13 octets, one thread"),
];

const APP: readonly SubjectSpec[] = [
  ours("fairlead-app", "app", "serve() with a table of routes, compress() and readPieces()"),
  ours("fairlead-app-stream", "app", "the same with uploads by for await over request.body"),
  onNode("node-http-app", "app", "node:http, zlib on its thread pool, content collected once"),
  onNode("node-http-app-sync", "app", "the same with zlib on the main thread"),
  onNode("fastify-app", "app", "Fastify, @fastify/compress, @fastify/formbody", [
    "fastify",
    "@fastify/compress",
    "@fastify/formbody",
  ]),
  onNode("express-app", "app", "Express, its parsers, compression", ["express", "compression"]),
  onNode("hono-app", "app", "Hono on its own Node server, hono/compress", ["hono", "@hono/node-server"]),
  onRuntime("bun", "bun-app", "app", "Bun.serve() with routes, Bun.gzipSync"),
  onRuntime("deno", "deno-app", "app", "Deno.serve(), node:zlib"),
];

/** The same route on ours and beneath it, to tell what a layer costs. */
const HELLO: readonly SubjectSpec[] = [
  ours("fairlead-routed", "hello", "App with three middleware and a param"),
  ours("fairlead-bare", "hello", "a bare handler that does the same"),
  ours("hono-fairlead", "hello", "Hono on serve()"),
  onNode("hono-node", "hello", "Hono on its own Node server", ["hono", "@hono/node-server"]),
  ours("express-fairlead", "hello", "Express on fairlead/node"),
  onNode("express-node", "hello", "Express on node:http", ["express"]),
];

const STATIC: readonly SubjectSpec[] = [
  ours("fairlead-static", "static precompressed", "serveStatic() with its defaults"),
  ours("fairlead-sendfile", "static", "serveStatic(), large files by linuxSendfile() and koffi"),
  program("nginx-static", "static precompressed", "nginx with sendfile and open_file_cache, one worker"),
  program("caddy-static", "static precompressed", "Caddy with file_server"),
  program("lighttpd-static", "static", "lighttpd with sendfile"),
  program("h2o-static", "static precompressed", "h2o with file.dir, one thread"),
  onRuntime("bun", "bun-static", "static", "Bun.serve() with a route for each file"),
  onRuntime("deno", "deno-static", "static", "Deno.serve() with a handler for files"),
  onNode("sirv-static", "static precompressed", "sirv on node:http, as for production", ["sirv"]),
  onNode("sirv-cli-static", "static precompressed", "the command sirv, without log", ["sirv-cli"]),
  onNode("serve-static", "static", "the command serve, without log", ["serve"]),
  onNode("http-server-static", "static precompressed", "the command http-server, without log", ["http-server"]),
  onNode("express-static", "static", "express.static", ["express"]),
  onNode("fastify-static", "static precompressed", "@fastify/static", ["@fastify/static", "fastify"]),
];

const TLS: readonly SubjectSpec[] = [
  ours("fairlead-tls", "tls", "serve() with a certificate"),
  onNode("node-https", "tls", "node:https with Content-Length declared"),
  onRuntime("bun", "bun-tls", "tls", "Bun.serve() with a certificate"),
  onRuntime("deno", "deno-tls", "tls", "Deno.serve() with a certificate"),
  program("nginx-tls", "tls", "nginx with return 200 under TLS, one worker"),
  program("caddy-tls", "tls", "Caddy with respond under TLS"),
  ours("fairlead-static-tls", "static-tls", "serveStatic() under TLS"),
  onRuntime("bun", "bun-static-tls", "static-tls", "Bun.serve() with a route for each file, under TLS"),
  onRuntime("deno", "deno-static-tls", "static-tls", "Deno.serve() with a handler for files, under TLS"),
  program("nginx-static-tls", "static-tls", "nginx for files under TLS, one worker"),
  program("caddy-static-tls", "static-tls", "Caddy with file_server under TLS"),
];

const STARTUP: readonly SubjectSpec[] = [
  {
    ...ours("fairlead-command", "startup", "the command fairlead in a folder"),
    // As packed where FAIRLEAD_BENCH_COMMAND says so
    command: (node) => {
      const { FAIRLEAD_BENCH_FOLDER: folder = ".", FAIRLEAD_BENCH_PORT: port = "8080" } = process.env;
      return [node, process.env["FAIRLEAD_BENCH_COMMAND"] ?? `${ROOT}dist/cli/start.cjs`, folder, "--port", port];
    },
  },
  atStart(
    "sirv-cli",
    "the command sirv in a folder",
    "sirv-cli",
    "{node} {package}bin.js {folder} --host 127.0.0.1 --port {port}",
  ),
  atStart(
    "serve",
    "the command serve in a folder",
    "serve",
    "{node} {package}build/main.js {folder} --listen tcp://127.0.0.1:{port}",
  ),
  atStart(
    "http-server",
    "the command http-server in a folder",
    "http-server",
    "{node} {package}bin/http-server {folder} -a 127.0.0.1 --port {port}",
  ),
  atStart(
    "caddy-file-server",
    "caddy file-server in a folder",
    "caddy",
    "env XDG_DATA_HOME={folder}/.caddy XDG_CONFIG_HOME={folder}/.caddy caddy file-server --root {folder} --listen 127.0.0.1:{port}",
  ),
  atStart(
    "node-net",
    "a socket of Node's that says the page: the floor",
    "",
    "{node} {subjects}support/node-net.cjs {folder} --port {port}",
  ),
];

/** Everybody. */
export const SUBJECTS: readonly SubjectSpec[] = [...PLAIN, ...APP, ...HELLO, ...STATIC, ...TLS, ...STARTUP];
