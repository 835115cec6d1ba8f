/**
 * Profiles of apps: JSON, forms, uploads, and frameworks, the same work behind each subject.
 *
 * Each subject answers the same paths (`subjects/` says how). Every answer is compared, member by member, before, during and
 * after the load: a server that is fast and wrong has no place in a table.
 */
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { Client } from "undici";
import { wrk } from "./load/wrk.ts";
import type { Subject } from "./process.ts";
import type { Profile } from "./profile.ts";
import { type Checker, LOAD_FIGURES, roundOf } from "./round.ts";
import { targetOf } from "./targets.ts";

/** One request and what its answer must be. */
interface Question {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly content: string | Uint8Array;
  /** Sends the content in chunks of this size; 0: by its length. */
  readonly chunkBytes: number;
  /** Throws, or says what is wrong, of the content without coding; null if nothing is. */
  readonly faultOf: (content: string) => string | null;
}

/** A profile of questions asked in turn. */
interface AppQuestions {
  readonly about: string;
  readonly family: string;
  readonly reference: string;
  readonly ours: readonly string[];
  readonly connections: number;
  readonly questions: readonly Question[];
}

const UPLOAD_BYTES = 20 * 1024 * 1024;
const JSON_FIELDS = { "Content-Type": "application/json" };

function question(method: string, path: string, faultOf: Question["faultOf"], rest: Partial<Question> = {}): Question {
  return { method, path, fields: {}, content: "", chunkBytes: 0, ...rest, faultOf };
}

function is(expected: string): Question["faultOf"] {
  return (content) => (content === expected ? null : `${JSON.stringify(content.slice(0, 100))} is not ${expected}`);
}

/** `{ items: [{ id, title, price, tags }] }` with so many items: about 90 octets each. */
function hasItems(count: number): Question["faultOf"] {
  return (content) => {
    const { items } = JSON.parse(content) as { items: { id: number; title: string }[] };
    const last = items.at(-1);
    return items.length === count && last?.id === count && last.title === `Book ${count}` ? null : "other items";
  };
}

const POSTED = JSON.stringify({ title: "The Wire", authors: ["A. Author"], price: 12.5 });
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

const JSON_QUESTIONS = [2, 10, 45, 90].map((count) => question("GET", `/json?items=${count}`, hasItems(count)));
const MIXED = [
  question("GET", "/search?q=web+server&page=2", is("web server, page 2")),
  question("POST", "/book", (content) => ((JSON.parse(content) as { id?: number }).id === 1 ? null : "no id"), {
    fields: JSON_FIELDS,
    content: POSTED,
  }),
  question("GET", "/search?q=caf%C3%A9&page=1", is("café, page 1")),
  question("POST", "/form", is("Ada, 36"), { fields: FORM, content: "name=Ada&age=36" }),
];
const HELLO = [question("GET", "/users/ada", is("Hello, ada!"))];
const upload = (chunkBytes: number): Question[] => [
  question("POST", "/upload", is(String(UPLOAD_BYTES)), { content: new Uint8Array(UPLOAD_BYTES), chunkBytes }),
];

const NODE = { family: "app", reference: "node-http-app", ours: ["fairlead-app"], connections: 64 };
const FRAMEWORK = { family: "hello", connections: 64, questions: HELLO };

const QUESTIONS: Readonly<Record<string, AppQuestions>> = {
  "json": { ...NODE, about: "JSON of 0.2 to 8 KB, made for each request", questions: JSON_QUESTIONS },
  "json-gzip": {
    ...NODE,
    about: "JSON of 8 KB, compressed with gzip for each request",
    questions: [question("GET", "/gzip?items=90", hasItems(90), { fields: { "Accept-Encoding": "gzip" } })],
  },
  "mix": { ...NODE, about: "GET with a query, POST of JSON, POST of a form, in turn", questions: MIXED },
  "upload": { ...NODE, about: "upload of 20 MB by length, octets counted", connections: 4, questions: upload(0) },
  "upload-chunked": {
    ...NODE,
    about: "upload of 20 MB in chunks of 64 KB, octets counted",
    connections: 4,
    questions: upload(65_536),
  },
  "app": {
    ...FRAMEWORK,
    about: "App with three middleware and a param, to a bare handler that does the same",
    reference: "fairlead-bare",
    ours: ["fairlead-routed"],
  },
  "hono": {
    ...FRAMEWORK,
    about: "Hono with a param, on Fairlead and on its own Node server",
    reference: "hono-node",
    ours: ["hono-fairlead"],
  },
  "express": {
    ...FRAMEWORK,
    about: "Express with a param, on fairlead/node and on node:http",
    reference: "express-node",
    ours: ["express-fairlead"],
  },
};

export const APP_PROFILES: readonly Profile[] = Object.entries(QUESTIONS).map(([name, { questions, ...rest }]) => ({
  ...rest,
  name,
  figures: LOAD_FIGURES,
  peers: [],
  target: targetOf(name),
  tools: ["wrk"],
  isSaturating: true,
  run: (subject, settings) => {
    const connections = settings.connections ?? rest.connections;
    const load = { requests: questions.map(requestOf), status: 200, connections };
    return roundOf(subject, answerChecker(subject, questions), settings, (seconds) =>
      wrk(subject, load, seconds, settings.loadCore),
    );
  },
}));

/** Asks in turn, over one connection. */
function answerChecker(subject: Subject, questions: readonly Question[]): Checker {
  const client = new Client(`http://127.0.0.1:${subject.port}`);
  let turn = 0;
  return {
    whole: async () => {
      for (const one of questions) await ask(client, subject, one);
    },
    once: async () => {
      const one = questions[turn++ % questions.length];
      if (one !== undefined) await ask(client, subject, one);
      return 1;
    },
    close: () => void client.destroy(),
  };
}

/** The request as it goes over the wire. */
function requestOf({ method, path, fields, content, chunkBytes }: Question): Buffer {
  const bytes = Buffer.from(content as string);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  if (chunkBytes > 0) lines.push("Transfer-Encoding: chunked\r\n");
  else if (method === "POST") lines.push(`Content-Length: ${bytes.length}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  if (chunkBytes === 0) return Buffer.concat([head, bytes]);
  const chunks = [head];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
}

/** A content without a length that is told beforehand: undici sends each piece as a chunk. */
function* chunksOf(content: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
}

async function ask(client: Client, subject: Subject, one: Question): Promise<void> {
  const { method, path, fields, chunkBytes } = one;
  const content = Buffer.from(one.content as string);
  const sent = chunkBytes > 0 ? Readable.from(chunksOf(content, chunkBytes)) : content;
  const response = await client.request({ method, path, headers: fields, body: method === "POST" ? sent : null });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  const coding = response.headers["content-encoding"];
  if (fields["Accept-Encoding"] === "gzip" && coding !== "gzip") throw new Error(`${subject.label}: not compressed`);
  const fault = one.faultOf((coding === "gzip" ? gunzipSync(bytes) : bytes).toString());
  if (response.statusCode !== 200 || fault !== null) {
    throw new Error(`${subject.label}: ${method} ${path}: ${response.statusCode}, ${fault ?? "wrong status"}`);
  }
  for (const name of ["date", "content-type"]) {
    if (response.headers[name] === undefined) throw new Error(`${subject.label}: ${path} has no ${name}`);
  }
}
