/**
 * One question to an app in two ways: called by itself with the platform's own Request, and over a socket on our server.
 *
 * What the wire adds (Date, framing, the fields of the connection) is left out of the comparison, and codings are undone:
 * their octets depend on how content was split.
 */
import { gunzipSync, inflateSync } from "node:zlib";
import { Agent } from "undici";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";

/** What is asked. `body` makes a new one each time, so that streams and forms can be sent twice. */
export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => string | Uint8Array | FormData | URLSearchParams | ReadableStream<Uint8Array>;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  /** Sorted, several of one name as they came. */
  readonly fields: readonly string[];
  readonly content: string;
}

/** An app as its framework calls it. */
export type AppFetch = (request: globalThis.Request) => globalThis.Response | Promise<globalThis.Response>;

/** In place of the address that each server has. */
const ORIGIN = "http://origin.example";
const OF_THE_WIRE = new Set(["date", "connection", "keep-alive", "transfer-encoding", "content-length"]);

/** An app on its framework's own server. */
export interface OwnServer {
  readonly origin: string;
  close(): Promise<unknown>;
}

/** An app, served by us and in its own way. */
export class BothWays implements AsyncDisposable {
  readonly server: TestServer;
  readonly #app: AppFetch;
  readonly #own: OwnServer | null;
  readonly #agent: Agent = new Agent();

  private constructor(app: AppFetch, server: TestServer, own: OwnServer | null) {
    this.#app = app;
    this.server = server;
    this.#own = own;
  }

  /** @param own the framework's own server; without one the app is called with a Request of the platform */
  static async open(app: AppFetch, own: OwnServer | null = null): Promise<BothWays> {
    // As its users write it: serve({ fetch: app.fetch })
    return new BothWays(app, await startTestServer(app), own);
  }

  /** Asks the app in its own way. */
  async direct(question: Question): Promise<Answer> {
    if (this.#own !== null) return this.#ask(this.#own.origin, question);
    const response = await this.#app(requestOf(ORIGIN, question));
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    const isEmpty = question.method === "HEAD" || [204, 304].includes(response.status);
    return answerOf(response.status, fields, isEmpty ? Buffer.alloc(0) : Buffer.from(await response.arrayBuffer()));
  }

  /** Asks our server. */
  served(question: Question): Promise<Answer> {
    return this.#ask(this.server.url.origin, question);
  }

  async #ask(origin: string, question: Question): Promise<Answer> {
    // The platform encodes forms; the client gets octets or a stream
    const { method, headers, body } = requestOf(origin, question);
    const isStreamed = question.body?.() instanceof ReadableStream;
    const octets =
      isStreamed || body === null ? body : Buffer.from(await new Response(body as ReadableStream).arrayBuffer());
    const response = await this.#agent.request({
      origin,
      // As text: a URL would tidy the path up
      path: question.path,
      method,
      headers: Object.fromEntries(headers),
      body: octets as Buffer,
    });
    const fields = Object.entries(response.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one) => `${name}: ${one}`.replaceAll(origin, ORIGIN)),
    );
    const answer = answerOf(response.statusCode, fields, Buffer.from(await response.body.arrayBuffer()));
    return { ...answer, content: answer.content.replaceAll(origin, ORIGIN) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
    await Promise.all([this.#own?.close(), this.server.close()]);
  }
}

function requestOf(origin: string, { method = "GET", path, headers = {}, body }: Question): globalThis.Request {
  const given = body?.();
  return new Request(origin + path, {
    method,
    headers,
    ...(given === undefined ? {} : { body: given, duplex: "half" }),
  });
}

function answerOf(status: number, lines: readonly string[], content: Buffer): Answer {
  const fields = lines
    .filter((line) => !OF_THE_WIRE.has(line.slice(0, line.indexOf(":"))))
    // RFC 9110 §5.6.6: white space around the semicolon means nothing
    .map((line) => (line.startsWith("content-type: ") ? line.replaceAll("; ", ";") : line))
    .toSorted();
  const coding = fields.find((line) => line.startsWith("content-encoding: "))?.slice("content-encoding: ".length);
  return { status, fields, content: decode(coding, content).toString("latin1") };
}

function decode(coding: string | undefined, content: Buffer): Buffer {
  if (content.length === 0) return content;
  if (coding === "gzip") return gunzipSync(content);
  return coding === "deflate" ? inflateSync(content) : content;
}

/** A stream of text, in pieces. */
export function streamOf(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
  });
}

/** A form with fields and a file. */
export function formOf(
  fields: Readonly<Record<string, string>>,
  file?: readonly [name: string, text: string],
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file !== undefined) form.append("file", new Blob([file[1]], { type: "text/plain" }), file[0]);
  return form;
}
