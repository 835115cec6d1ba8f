/**
 * All that the profiles ask, once each, by family: what is asked, and what an answer must be whoever gives it.
 *
 * Contents are compared octet by octet. What may differ, which is fields, is check-subjects.ts's business.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { RawAnswer, RawQuestion } from "./raw-answer.ts";
import type { StaticTree } from "./static-tree.ts";

/** One question and its rule. */
export interface Question extends RawQuestion {
  /** Unique in its family. */
  readonly name: string;
  readonly status: number;
  /** What is wrong with the content, which has no coding any more, or null. */
  readonly faultOf: (content: Buffer) => string | null;
  /** Codings that are allowed; empty: none is. */
  readonly codings: readonly string[];
  /** Stands for the entity tag that the subject gave in the answer before. */
  readonly isTagged: boolean;
}

const NOTHING = new Uint8Array(0);
/** As it stands in requests for the entity tag of the answer before. */
export const ETAG = "ETAG";
const UPLOAD_BYTES = 20 * 1024 * 1024;
/** What a browser says besides. */
const BROWSER = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Cache-Control": "no-cache",
  "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark; consent=1",
  "Referer": "http://127.0.0.1/index.html",
  "Sec-Fetch-Mode": "navigate",
  "Upgrade-Insecure-Requests": "1",
};

function question(name: string, path: string, faultOf: Question["faultOf"], rest: Partial<Question> = {}): Question {
  const base = {
    method: "GET",
    fields: {},
    content: NOTHING,
    chunkBytes: 0,
    status: 200,
    codings: [],
    isTagged: false,
  };
  return { ...base, name, path, faultOf, ...rest };
}

function is(expected: string | Buffer): Question["faultOf"] {
  const bytes = Buffer.from(expected as string);
  return (content) =>
    content.equals(bytes) ? null : `${content.length} octets, ${JSON.stringify(content.toString("latin1", 0, 60))}`;
}

function isJson(expected: unknown): Question["faultOf"] {
  return (content) => {
    const isSame = JSON.stringify(JSON.parse(content.toString())) === JSON.stringify(expected);
    return isSame ? null : `other JSON: ${content.toString("utf8", 0, 60)}`;
  };
}

/** What `subjects/library.js` makes. */
function books(count: number): unknown {
  const book = (id: number): unknown => ({
    id,
    title: `Book ${id}`,
    cents: 950 + id,
    tags: ["fiction", "sea"],
    isInStock: true,
  });
  return { items: Array.from({ length: count }, (_, i) => book(i + 1)) };
}

const HELLO = is("Hello, World!");
const PLAIN = [
  question("small", "/", HELLO),
  question("fields", "/", HELLO, { fields: BROWSER }),
  question("again", "/", HELLO),
];

const POSTED = { title: "The Wire", authors: ["A. Author"], price: 12.5 };
const post = (content: string | Uint8Array, type?: string): Partial<Question> => ({
  method: "POST",
  content: Buffer.from(content as string),
  fields: type === undefined ? {} : { "Content-Type": type },
});
const APP = [
  ...[2, 10, 45, 90].map((count) => question(`json-${count}`, `/json?items=${count}`, isJson(books(count)))),
  question("json-gzip", "/gzip?items=90", isJson(books(90)), {
    fields: { "Accept-Encoding": "gzip" },
    codings: ["gzip"],
  }),
  question("query", "/search?q=web+server&page=2", is("web server, page 2")),
  question("post-json", "/book", isJson({ ...POSTED, id: 1 }), post(JSON.stringify(POSTED), "application/json")),
  question("query-utf8", "/search?q=caf%C3%A9&page=1", is("café, page 1")),
  question("post-form", "/form", is("Ada, 36"), post("name=Ada&age=36", "application/x-www-form-urlencoded")),
  question("upload", "/upload", is(String(UPLOAD_BYTES)), post(new Uint8Array(UPLOAD_BYTES))),
  question("upload-chunked", "/upload", is(String(UPLOAD_BYTES)), {
    ...post(new Uint8Array(UPLOAD_BYTES)),
    chunkBytes: 65_536,
  }),
];

function part(tree: StaticTree, path: string, start: number, end: number): Question["faultOf"] {
  return is(readFileSync(join(tree.folder, path)).subarray(start, end + 1));
}

function staticQuestions(tree: StaticTree): Question[] {
  const whole = (path: string): Question["faultOf"] => is(readFileSync(join(tree.folder, path)));
  const coded = whole("/bundle.js");
  const tagged = { fields: { "If-None-Match": ETAG }, status: 304, isTagged: true };
  const paths = [...tree.mixed, "/4k.html", "/64k.js", "/1m.png", "/100m.bin"];
  return [
    ...paths.map((path) => question(path, path, whole(path))),
    question("4k-again", "/4k.html", whole("/4k.html")),
    question("304", "/4k.html", is(""), tagged),
    question("range-1m", "/1m.png", part(tree, "/1m.png", 400_000, 404_095), {
      fields: { Range: "bytes=400000-404095" },
      status: 206,
    }),
    question("range-100m", "/100m.bin", part(tree, "/100m.bin", 40_000_000, 40_004_095), {
      fields: { Range: "bytes=40000000-40004095" },
      status: 206,
    }),
    question("gzip-beforehand", "/bundle.js", coded, {
      fields: { "Accept-Encoding": "gzip" },
      codings: ["gzip", ""],
    }),
    question("br-beforehand", "/bundle.js", coded, {
      fields: { "Accept-Encoding": "br, gzip" },
      codings: ["br", "gzip", ""],
    }),
  ];
}

/** Questions by family. */
export function questionsFor(tree: StaticTree): Readonly<Record<string, readonly Question[]>> {
  const files = staticQuestions(tree);
  return {
    "plain": PLAIN,
    "tls": PLAIN,
    "app": APP,
    "hello": [question("param", "/users/ada", is("Hello, ada!"))],
    "static": files,
    "static-tls": files.filter(({ name }) => !name.includes("100m")),
  };
}

/** What is wrong with an answer whoever gives it, fields but for framing aside; empty: nothing. */
export function faultsOf(question: Question, answer: RawAnswer, tree: StaticTree): string[] {
  const faults: string[] = [];
  const { status, fields } = answer;
  if (status !== question.status) return [`status ${status} in place of ${question.status}`];
  const coding = fields.get("content-encoding") ?? "";
  const isAllowed = question.codings.length === 0 ? coding === "" : question.codings.includes(coding);
  if (!isAllowed) return [`content coding ${JSON.stringify(coding)}`];
  const fault = question.faultOf(decoded(answer.content, coding));
  if (fault !== null) faults.push(`wrong content: ${fault}`);
  if (!fields.has("date")) faults.push("no date");
  const range = /^bytes=(\d+-\d+)$/.exec(question.fields["Range"] ?? "")?.[1];
  if (range !== undefined) {
    const expected = `bytes ${range}/${statSync(join(tree.folder, question.path)).size}`;
    if (fields.get("content-range") !== expected) faults.push(`content-range ${fields.get("content-range")}`);
  }
  return faults;
}

function decoded(content: Buffer, coding: string): Buffer {
  if (coding === "gzip") return gunzipSync(content);
  return coding === "br" ? brotliDecompressSync(content) : content;
}
