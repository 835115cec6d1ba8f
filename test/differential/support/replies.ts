/**
 * Answers of every framing, whole and broken, by path; and what a client must see of each, whoever stands between.
 *
 * The broken ones are the point: a client must never take a part for the whole (RFC 9112 §8).
 */
import { connect } from "node:net";
import { type Context, Response, serve, type Server } from "../../../src/index.ts";
import { type Answer, readAnswers } from "./answers.ts";

/** What a client must see. */
export interface Reply {
  readonly path: string;
  readonly method: "GET" | "HEAD" | "POST";
  /** In words, for the name of the test. */
  readonly what: string;
  readonly status: number;
  /** All of it; null where it must not arrive whole. */
  readonly content: string | null;
}

const LARGE = "0123456789abcdef".repeat(16 * 1024);
const PIECE = "piece of content.".repeat(100);

/** All answers. */
export const REPLIES: readonly Reply[] = [
  { path: "/text", method: "GET", what: "text of known length", status: 200, content: "hello" },
  { path: "/text", method: "HEAD", what: "HEAD for it", status: 200, content: "" },
  { path: "/empty", method: "GET", what: "no content", status: 200, content: "" },
  { path: "/large", method: "GET", what: "256 KiB", status: 200, content: LARGE },
  { path: "/stream", method: "GET", what: "a stream", status: 200, content: PIECE.repeat(3) },
  { path: "/stream", method: "HEAD", what: "HEAD for a stream", status: 200, content: "" },
  { path: "/trailers", method: "GET", what: "a stream with trailers", status: 200, content: PIECE },
  { path: "/declared", method: "GET", what: "a stream of declared length", status: 200, content: PIECE },
  { path: "/204", method: "GET", what: "204 with content given by the handler", status: 204, content: "" },
  { path: "/304", method: "GET", what: "304 with content given by the handler", status: 304, content: "" },
  { path: "/early", method: "GET", what: "103 twice, then an answer", status: 200, content: "late" },
  { path: "/early", method: "HEAD", what: "the same for HEAD", status: 200, content: "" },
  { path: "/throws", method: "GET", what: "a handler that throws", status: 500, content: "" },
  { path: "/unread", method: "POST", what: "an answer before the content is read", status: 200, content: "unread" },
  { path: "/broken", method: "GET", what: "a stream that breaks", status: 200, content: null },
  {
    path: "/broken-declared",
    method: "GET",
    what: "a stream of declared length that breaks",
    status: 200,
    content: null,
  },
  { path: "/short", method: "GET", what: "a stream shorter than declared", status: 200, content: null },
  { path: "/aborted", method: "GET", what: "a request that the handler gives up", status: 502, content: null },
];

/** Two pieces, then an error. */
async function* breaking(): AsyncGenerator<Uint8Array> {
  const piece = new TextEncoder().encode(PIECE);
  yield piece;
  yield piece;
  // Otherwise head and error are one event, and nothing of the answer is sent
  await new Promise((resolve) => void setImmediate(resolve));
  throw new Error("the source is gone");
}

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new TextEncoder().encode(PIECE);
}

function stream(source: AsyncGenerator<Uint8Array>, headers: Record<string, string> = {}): Response {
  return new Response(ReadableStream.from(source), { headers });
}

async function reply(request: Request, context: Context): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url);
  const length = PIECE.length;
  switch (pathname) {
    case "/text":
      return new Response("hello");
    case "/empty":
      return new Response(null);
    case "/large":
      return new Response(LARGE);
    case "/stream":
      return stream(pieces(3));
    case "/declared":
      return stream(pieces(1), { "content-length": String(length) });
    case "/trailers":
      await context.exchange.respond(
        { status: 200, reason: "", fields: ["Trailer", "X-Sum"], trailers: () => ["X-Sum", "1"] },
        pieces(1),
      );
      return undefined;
    case "/204":
    case "/304":
      void context.exchange.respond({ status: Number(pathname.slice(1)), reason: "", fields: [] }, "no content");
      return undefined;
    case "/early":
      context.sendInformational(103, { link: "</a.css>; rel=preload" });
      context.sendInformational(103, { link: "</b.css>; rel=preload" });
      return new Response("late");
    case "/throws":
      throw new Error("thrown");
    case "/unread":
      return new Response("unread");
    case "/broken":
      return stream(breaking());
    case "/broken-declared":
      return stream(breaking(), { "content-length": String(3 * length) });
    case "/short":
      return stream(pieces(2), { "content-length": String(3 * length) });
    case "/aborted":
      context.exchange.abort(new Error("given up"));
      return undefined;
    default:
      return new Response(`answer to ${pathname}${search}.`);
  }
}

/** Our own server, which gives these. Errors of handlers are what is wanted, and not told. */
export async function serveReplies(): Promise<Server> {
  return serve({
    port: 0,
    hooks: { onFault: () => {} },
    fetch: (request, context) => reply(request as Request, context),
  });
}

/** What a client has received: its answers, and whether the connection broke. */
export interface Received {
  readonly answers: readonly Answer[];
  readonly isReset: boolean;
}

/**
 * Asks for an answer, and for the answer to `next` right behind it.
 *
 * @param version of HTTP, `1.0` or `1.1`
 */
export async function receive(port: number, { path, method }: Reply, version: string, next: string): Promise<Received> {
  let text = "";
  let isReset = false;
  const onread = {
    // libuv takes a reset behind a read that did not fill its buffer for an end
    buffer: Buffer.alloc(1),
    callback: (_: number, bytes: Uint8Array): boolean => {
      text += String.fromCharCode(bytes[0] ?? 0);
      return true;
    },
  };
  const socket = connect({ port, host: "127.0.0.1", onread });
  socket.on("error", () => (isReset = true));
  const content = method === "POST" ? "x".repeat(1000) : "";
  const length = content === "" ? "" : `Content-Length: ${content.length}\r\n`;
  const connection = version === "1.0" ? "Connection: keep-alive\r\n" : "";
  const first = `${method} ${path} HTTP/${version}\r\nHost: a.example\r\nTE: trailers\r\n${connection}${length}\r\n${content}`;
  socket.write(`${first}GET ${next} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`);
  await new Promise((resolve) => void socket.once("close", resolve));
  return { answers: readAnswers(text, [method, "GET"]), isReset };
}

/** What is wrong with what was received: of the answer, or of the one to `next` where there is one. `""` if nothing is. */
export function faultIn(reply: Reply, { answers, isReset }: Received, next: string): string {
  const [first, second] = answers;
  if (second !== undefined && second.content !== `answer to ${next}.`) return `${next} was answered ${second.content}`;
  if (reply.content === null) {
    // Nobody may think that this was all
    if (first === undefined || !first.isWhole || first.status >= 500) return "";
    return first.framing === "close" && isReset ? "" : "a part looks like the whole";
  }
  if (first === undefined) return "there is no answer";
  if (!first.isWhole || (first.framing === "close" && isReset)) return "the answer is not whole";
  if (first.status !== reply.status) return `the status is ${first.status}`;
  return reply.status === 500 || first.content === reply.content ? "" : "the content is another";
}
