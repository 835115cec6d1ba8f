/**
 * Profiles of files: the same folder behind each subject, asked by wrk, steered by server CPU per request.
 *
 * Whole files are compared octet by octet before and after the load, by a client of their own.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Subject } from "./process.ts";
import { makeStaticTree, type StaticTree } from "./static-tree.ts";
import { figuresOf, wrk } from "./wrk.ts";

/** What is asked for. */
interface Question {
  readonly about: string;
  /** Null for the mixed files in turn. */
  readonly path: string | null;
  readonly connections: number;
  /** Field lines besides Host; `ETAG` stands for the tag that the subject gives. */
  readonly fields: Readonly<Record<string, string>>;
  readonly status: number;
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  "static-mixed": { about: "20 files of 1 to 300 KB in turn", path: null, connections: 64, fields: {}, status: 200 },
  "static-4k": { about: "a file of 4 KB", path: "/4k.html", connections: 64, fields: {}, status: 200 },
  "static-64k": { about: "a file of 64 KB", path: "/64k.js", connections: 64, fields: {}, status: 200 },
  "static-1m": { about: "a file of 1 MB", path: "/1m.png", connections: 16, fields: {}, status: 200 },
  "static-100m": { about: "a file of 100 MB", path: "/100m.bin", connections: 4, fields: {}, status: 200 },
  "static-304": {
    about: "revalidation of a file of 4 KB: 304",
    path: "/4k.html",
    connections: 64,
    fields: { "If-None-Match": "ETAG" },
    status: 304,
  },
  "static-range": {
    about: "4 KB in the middle of a file of 1 MB",
    path: "/1m.png",
    connections: 64,
    fields: { Range: "bytes=400000-404095" },
    status: 206,
  },
  "static-range-100m": {
    about: "4 KB in the middle of a file of 100 MB",
    path: "/100m.bin",
    connections: 64,
    fields: { Range: "bytes=40000000-40004095" },
    status: 206,
  },
};

/** Names of the profiles of files, and what they are about. */
export const STATIC_PROFILES: ReadonlyMap<string, string> = new Map(
  Object.entries(QUESTIONS).map(([name, { about }]) => [name, about]),
);

/** The folder of this run. Subjects read its path from the environment. */
export function openTree(): StaticTree {
  const tree = makeStaticTree();
  process.env["FAIRLEAD_BENCH_FOLDER"] = tree.folder;
  return tree;
}

/** One round. */
export async function runStatic(
  name: string,
  subject: Subject,
  tree: StaticTree,
  settings: { readonly seconds: number; readonly loadCore: number },
): Promise<Readonly<Record<string, number>>> {
  const question = QUESTIONS[name];
  if (question === undefined) throw new Error(`no profile ${name}`);
  const paths = question.path === null ? tree.mixed : [question.path];
  const etag = await check(subject, tree, paths);
  const lines = Object.entries(question.fields).map(([name, value]) => `${name}: ${value.replace("ETAG", etag)}\r\n`);
  const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  const load = { requests, status: question.status, connections: question.connections };
  await wrk(subject, load, Math.max(1, settings.seconds / 3), settings.loadCore);
  const before = subject.cpuUs();
  const result = await wrk(subject, load, settings.seconds, settings.loadCore);
  const round = figuresOf(result, subject.cpuUs() - before, subject.residentBytes());
  await check(subject, tree, paths);
  return round;
}

/** Compares every file whole. @returns the entity tag of the last */
async function check(subject: Subject, tree: StaticTree, paths: readonly string[]): Promise<string> {
  let etag = "";
  for (const path of paths) {
    const [response] = (await once(get({ host: "127.0.0.1", port: subject.port, path, agent: false }), "response")) as [
      IncomingMessage,
    ];
    const hash = createHash("sha256");
    for await (const part of response) hash.update(part as Buffer);
    if (response.statusCode !== 200 || hash.digest("hex") !== tree.hashes.get(path)) {
      throw new Error(`${subject.name}: wrong content of ${path}`);
    }
    etag = response.headers.etag ?? "";
  }
  return etag;
}
