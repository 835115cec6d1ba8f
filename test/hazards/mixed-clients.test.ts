/**
 * Many clients at once, each with octets of its own, over all ways in: what a handler gets is what its client sent, to the octet,
 * and stays so. All reads share one memory (decision 0012), so a mistake shows one client what another has sent.
 */
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { describe, expect, it } from "vitest";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import type { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { TestAuthority } from "../server/support/certificates.ts";

const CLIENTS = 24;
const REQUESTS = 12;

/** Numbers from 0 to 1, the same for the same seed. */
function dice(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
}

/** Letters that no other seed has. */
function lettersOf(seed: number, length: number): Buffer {
  const roll = dice(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = 97 + Math.floor(roll() * 26);
  return bytes;
}

/** Overwrites all of a piece's memory that is not the piece, as its owner may. */
function scribble(piece: Uint8Array): Uint8Array {
  const all = new Uint8Array(piece.buffer);
  all.fill(0x21, 0, piece.byteOffset);
  all.fill(0x21, piece.byteOffset + piece.length);
  return piece;
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    pieces.push(scribble(piece));
    if (pieces.length % 3 === 0) await new Promise(setImmediate);
  }
  await new Promise(setImmediate);
  return Buffer.concat(pieces);
}

async function gatherWithBuffers(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const reader = body.getReader({ mode: "byob" });
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(50_000));
    if (done) return Buffer.concat(pieces);
    pieces.push(value);
  }
}

async function gatherBoth(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const [one, other] = await Promise.all(body.tee().map(gather));
  return one?.equals(other as Buffer) === true ? one : Buffer.from("the branches differ");
}

/** Ways to read content. */
const READINGS: Readonly<Record<string, (request: Request) => Promise<Uint8Array>>> = {
  text: async (request) => Buffer.from(await request.text()),
  late: async (request) => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    return Buffer.from(await request.text());
  },
  json: async (request) => Buffer.from(String(await request.json())),
  buffer: async (request) => new Uint8Array(await request.arrayBuffer()),
  blob: async (request) => new Uint8Array(await (await request.blob()).arrayBuffer()),
  form: async (request) => Buffer.from((await request.formData()).get("word") as string),
  stream: async (request) => gather(request.body as ReadableStream<Uint8Array>),
  transferred: async (request) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of request.body as ReadableStream<Uint8Array>) {
      pieces.push(structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] }));
    }
    return Buffer.concat(pieces);
  },
  buffers: async (request) => gatherWithBuffers(request.body as ReadableStream<Uint8Array>),
  branches: async (request) => gatherBoth(request.body as ReadableStream<Uint8Array>),
};
const NAMES = Object.keys(READINGS);

/** Answers with the seed, and whether all came as it was sent. */
const handler: Handler = async (request, context) => {
  const [, name = "", seed = "", length = ""] = new URL(request.url).pathname.split("/");
  const wanted = lettersOf(Number(seed), Number(length));
  const tell = (bytes: Uint8Array): string => `${seed} ${wanted.equals(bytes) ? "right" : "WRONG"};`;
  if (name === "tunnel") {
    const { readable, writable } = context.upgrade();
    void gather(readable).then(async (bytes) => {
      const writer = writable.getWriter();
      await writer.write(Buffer.from(tell(bytes)));
      await writer.close();
    });
    return undefined;
  }
  const read = READINGS[name] as (request: Request) => Promise<Uint8Array>;
  const bytes = await read(request);
  return new Response(request.headers.get("x-seed") === seed ? tell(bytes) : `${seed} has another's head;`);
};

/** A request as octets. */
function messageOf(name: string, seed: number, roll: () => number): Buffer {
  const length = 1 + Math.floor(roll() < 0.5 ? roll() * 300 : roll() * 150_000);
  const letters = lettersOf(seed, length);
  const head = (fields: string): Buffer =>
    Buffer.from(`POST /${name}/${seed}/${length} HTTP/1.1\r\nHost: localhost\r\nX-Seed: ${seed}\r\n${fields}\r\n\r\n`);
  if (name === "tunnel") return Buffer.concat([head("Connection: upgrade\r\nUpgrade: letters"), letters]);
  const around: Record<string, [string, string]> = { json: ['"', '"'], form: ["word=", ""] };
  const [before, behind] = around[name] ?? ["", ""];
  const content = Buffer.concat([Buffer.from(before), letters, Buffer.from(behind)]);
  const type = "Content-Type: application/x-www-form-urlencoded";
  if (roll() < 0.5) return Buffer.concat([head(`${type}\r\nContent-Length: ${content.length}`), content]);
  const parts: Uint8Array[] = [head(`${type}\r\nTransfer-Encoding: chunked`)];
  for (let at = 0; at < content.length;) {
    const chunk = content.subarray(at, at + 1 + Math.floor(roll() * 70_000));
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
    at += chunk.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

/** Sends requests, some behind one another, and tells what is answered: `<seed> right` for each. */
async function converse(socket: Socket, first: string, client: number): Promise<{ said: string[]; wanted: string[] }> {
  const roll = dice(client);
  const parts: Uint8Array[] = [Buffer.from(first)];
  const wanted: string[] = [];
  let heard = "";
  let wake = (): void => {};
  const happening = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
    wake();
  });
  for (const event of ["drain", "end", "error", "close"]) socket.on(event, () => wake());
  const answers = (): string[] => [...heard.matchAll(/\r\n\r\n([^;]*);/g)].map(([, answer]) => answer as string);
  for (let number = 1; number <= REQUESTS; number++) {
    const seed = client * 1_000 + number;
    const name = number === REQUESTS ? "tunnel" : (NAMES[Math.floor(roll() * NAMES.length)] as string);
    parts.push(messageOf(name, seed, roll));
    wanted.push(`${seed} right`);
    if (roll() < 0.5 && number < REQUESTS) continue;
    const bytes = Buffer.concat(parts.splice(0));
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + 1 + Math.floor(roll() < 0.5 ? roll() * 500 : roll() * 200_000));
      socket.write(piece);
      while (socket.writableNeedDrain && !socket.destroyed) await happening();
      if (roll() < 0.5) await new Promise(setImmediate);
      at += piece.length;
    }
    if (number === REQUESTS) socket.end();
    while (answers().length < number && !socket.readableEnded && !socket.destroyed) await happening();
  }
  socket.destroy();
  return { said: answers(), wanted };
}

const authority = await TestAuthority.create();
const tls = await authority.issue({ names: ["localhost"] });
const dial = (server: Server): Socket =>
  connect({ port: server.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });

const WAYS: Array<[string, Partial<ServeOptions>, (server: Server) => Socket, string]> = [
  ["in plain text", {}, dial, ""],
  ["behind a PROXY header", { proxyProtocol: { from: ["127.0.0.1"] } }, dial, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"],
  ["in plain text on a port of TLS", { tls: { ...tls, allowPlain: true } }, dial, ""],
  [
    "under TLS",
    { tls },
    (server) =>
      tlsConnect({
        port: server.port,
        host: "127.0.0.1",
        ca: authority.cert,
        servername: "localhost",
      }),
    "",
  ],
];

describe("many clients, each with octets of its own,", () => {
  it.each(WAYS)("are not mixed %s", async (_name, options, open, first) => {
    await using server = await serve({ port: 0, fetch: handler, ...options });
    const clients = Array.from({ length: CLIENTS }, (_, index) => converse(open(server), first, index + 1));
    for (const { said, wanted } of await Promise.all(clients)) expect(said).toEqual(wanted);
  });
});
