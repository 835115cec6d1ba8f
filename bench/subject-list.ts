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
  /** Families of work it answers: `plain`, `app`, `static`, `tls`, `static-tls`, `startup`, `hello`, `reference`. */
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

const noPackage = (name: string): string => `${name} is not installed (npm ci in bench/peers)`;

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
    command: (node) => [node, pathOf(`${name}.js`)],
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

/** A program from Debian, started by a script that writes its configuration and then is that program. */
function program(name: string, binary: string, serves: string, about: string, versionWords: string[]): SubjectSpec {
  return {
    name,
    about,
    runsOn: "program",
    serves: serves.split(" "),
    missing: () => (findProgram(binary) === null ? `${binary} is not installed (apt install ${binary})` : null),
    version: () => {
      const { stdout, stderr } = spawnSync(findProgram(binary) ?? binary, versionWords, { encoding: "utf8" });
      return (
        `${stdout}${stderr}`
          .trim()
          .split("\n")[0]
          ?.replace(/^nginx version: /, "") ?? ""
      );
    },
    command: (node) => [node, pathOf(`${name}.js`)],
  };
}

/** Path of a program, looked for beside the PATH too, where Debian keeps servers. */
function findProgram(name: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path)) ?? null;
}

export const SUBJECTS: readonly SubjectSpec[] = [
  ours("fairlead", "plain", "serve() with a fetch handler"),
  onNode("node-http", "plain", "node:http with Content-Length declared"),

  ours("fairlead-app", "app", "serve() with a table of routes and compress()"),
  onNode("node-http-app", "app", "node:http, zlib on its thread pool, content collected once"),
  ours("fairlead-routed", "hello", "App with three middleware and a param"),
  ours("fairlead-bare", "hello", "a bare handler that does the same"),
  ours("hono-fairlead", "hello", "Hono on serve()"),
  onNode("hono-node", "hello", "Hono on its own Node server", ["hono", "@hono/node-server"]),
  ours("express-fairlead", "hello", "Express on fairlead/node"),
  onNode("express-node", "hello", "Express on node:http", ["express"]),

  ours("fairlead-static", "static", "serveStatic() with its defaults"),
  program("nginx-static", "nginx", "static", "nginx with sendfile and open_file_cache, one worker", ["-v"]),
  onNode("sirv-static", "static", "sirv on node:http, as for production", ["sirv"]),

  ours("fairlead-tls", "tls", "serve() with a certificate"),
  onNode("node-https", "tls", "node:https with Content-Length declared"),
  ours("fairlead-static-tls", "static-tls", "serveStatic() under TLS"),
  program("nginx-static-tls", "nginx", "static-tls", "nginx for files under TLS, one worker", ["-v"]),
];
