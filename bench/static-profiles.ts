/**
 * Profiles of files: the same folder behind each subject, plain and under TLS, steered by server CPU per request.
 *
 * Files are compared octet by octet before and after the load; while it runs, one answer of the load's own kind at a time is
 * compared with what the disk has (of files above 1 MB four KB out of the middle).
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { type Answer, fetchOnce } from "./answer.ts";
import type { Load } from "./load/result.ts";
import { saturate } from "./plain-profiles.ts";
import type { Subject } from "./process.ts";
import type { Profile } from "./profile.ts";
import { type Checker, LOAD_FIGURES, roundOf } from "./round.ts";
import { makeStaticTree, type StaticTree } from "./static-tree.ts";
import { targetOf } from "./targets.ts";

/** What is asked for. */
interface Question {
  readonly about: string;
  /** Null for the mixed files in turn. */
  readonly path: string | null;
  readonly connections?: number;
  /** Who of ours answers; `fairlead-static` unless it says otherwise. */
  readonly ours?: string;
  /** Fields besides Host; `ETAG` stands for the tag that the subject gives. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly status?: number;
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  "static-mixed": { about: "20 files of 1 to 300 KB in turn", path: null },
  "static-4k": { about: "a file of 4 KB", path: "/4k.html" },
  "static-64k": { about: "a file of 64 KB", path: "/64k.js" },
  "static-1m": { about: "a file of 1 MB", path: "/1m.png", connections: 16 },
  "static-100m": { about: "a file of 100 MB", path: "/100m.bin", connections: 4 },
  "static-100m-sendfile": {
    about: "a file of 100 MB, sendfile asked for on both sides",
    path: "/100m.bin",
    connections: 4,
    ours: "fairlead-sendfile",
  },
  "static-304": {
    about: "revalidation of a file of 4 KB: 304",
    path: "/4k.html",
    fields: { "If-None-Match": "ETAG" },
    status: 304,
  },
  "static-range": {
    about: "4 KB in the middle of a file of 1 MB",
    path: "/1m.png",
    fields: { Range: "bytes=400000-404095" },
    status: 206,
  },
  "static-range-100m": {
    about: "4 KB in the middle of a file of 100 MB",
    path: "/100m.bin",
    fields: { Range: "bytes=40000000-40004095" },
    status: 206,
  },
  "static-precompressed": {
    about: "a script of 140 KB with a .gz beside it, to clients that take gzip",
    path: "/bundle.js",
    fields: { "Accept-Encoding": "gzip" },
  },
};

type Scheme = "http" | "https";

let tree: StaticTree | null = null;

/** Makes the folder of this run. Subjects read its path from the environment. @returns what removes it */
export function openTree(): () => void {
  const made = makeStaticTree();
  tree = made;
  process.env["FAIRLEAD_BENCH_FOLDER"] = made.folder;
  return () => made.remove();
}

/** The folder of this run. */
export function theTree(): StaticTree {
  if (tree === null) throw new Error("the profile was not prepared");
  return tree;
}

function profileOf(name: string, question: Question): Profile {
  return {
    name,
    about: question.about,
    family: "static",
    figures: LOAD_FIGURES,
    reference: "nginx-static",
    ours: [question.ours ?? "fairlead-static"],
    peers: [],
    target: targetOf(name),
    tools: ["wrk"],
    isSaturating: true,
    // It takes no 304 for a success
    isForH2load: question.status !== 304,
    prepare: openTree,
    run: async (subject, settings) => {
      const files = theTree();
      const paths = question.path === null ? files.mixed : [question.path];
      const fields = await fieldsFor(subject, paths, question);
      const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}\r\n`);
      const load: Load = {
        requests: paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`),
        status: question.status ?? 200,
        connections: question.connections ?? 64,
        get: { paths, fields },
      };
      const checker = fileChecker(subject, files, paths, { fields, status: load.status, scheme: "http" });
      return roundOf(subject, checker, settings, (seconds) => saturate(subject, load, seconds, settings));
    },
  };
}

/** With the subject's own entity tag in the place of `ETAG`. */
async function fieldsFor(
  subject: Subject,
  paths: readonly string[],
  { fields = {} }: Question,
): Promise<Readonly<Record<string, string>>> {
  if (!Object.values(fields).includes("ETAG")) return fields;
  const { headers } = await fetchOnce(subject.port, paths[0] ?? "/");
  const etag = headers.etag ?? "";
  if (!/^(?:W\/)?"[^"]+"$/.test(etag)) throw new Error(`${subject.label}: no entity tag: ${etag}`);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value.replace("ETAG", etag)]));
}

/** Files up to this size are compared whole while the load runs. */
const WHOLE_BYTES = 2 ** 20;

/** Checks files. */
export function fileChecker(
  subject: Subject,
  files: StaticTree,
  paths: readonly string[],
  asked: { readonly fields: Readonly<Record<string, string>>; readonly status: number; readonly scheme: Scheme },
): Checker {
  const { scheme, status } = asked;
  let turn = 0;
  return {
    whole: async () => {
      for (const path of paths) {
        const answer = await fetchOnce(subject.port, path, { scheme });
        const hash = createHash("sha256").update(answer.content).digest("hex");
        if (answer.status !== 200 || hash !== files.hashes.get(path))
          throw new Error(`${subject.label}: wrong ${path}`);
      }
      await askedOnce();
    },
    once: async () => ((await askedOnce()) ? 1 : 0),
    close: () => {},
  };

  /** @returns true if the question was the load's own */
  async function askedOnce(): Promise<boolean> {
    const path = paths[turn++ % paths.length] ?? "/";
    const isHuge = status === 200 && files.slice(path, 0, Infinity).length > WHOLE_BYTES;
    const headers = isHuge ? { Range: "bytes=400000-404095" } : asked.fields;
    const answer = await fetchOnce(subject.port, path, { scheme, headers });
    const expected = isHuge ? 206 : status;
    const fault = answer.status === expected ? faultOfFile(answer, files, path, headers) : "wrong status";
    if (fault !== null) throw new Error(`${subject.label}: ${path}: ${answer.status}, ${fault}`);
    return !isHuge;
  }
}

/** What is wrong with an answer, or null. */
function faultOfFile(
  { status, headers, content }: Answer,
  files: StaticTree,
  path: string,
  asked: Readonly<Record<string, string>>,
): string | null {
  if (headers.date === undefined) return "no Date";
  if (status === 304) return content.length === 0 ? null : "content with 304";
  const isGzip = asked["Accept-Encoding"] === "gzip";
  if (isGzip && headers["content-encoding"] !== "gzip") return "not compressed";
  if (!/^\d+$/.test(headers["content-length"] ?? "")) return "no Content-Length";
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(asked["Range"] ?? "") ?? [];
  const end = last === undefined ? Infinity : Number(last) + 1;
  const right = files.slice(path, Number(first ?? 0), end);
  return right.equals(isGzip ? gunzipSync(content) : content) ? null : "wrong content";
}

export const STATIC_PROFILES: readonly Profile[] = Object.entries(QUESTIONS).map(([name, question]) =>
  profileOf(name, question),
);
