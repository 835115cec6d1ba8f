/**
 * Nothing of what one client has sent is ever seen by another, nor changed under a handler that keeps it: all sockets read into
 * one memory.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import type { Handler } from "../../src/web/handler.ts";
import { serve, type Server } from "../../src/server/server.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: x\r\n";

async function dial(server: Server): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect({ port: server.port, host: "127.0.0.1", noDelay: true });
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
  await once(socket, "connect");
  return { socket, heard: () => heard };
}

/** Other clients come and go meanwhile: each overwrites what was read before. */
async function disturb(server: Server): Promise<void> {
  const { socket } = await dial(server);
  socket.end(`GET /noise HTTP/1.1\r\nHost: noise\r\nX-Noise: ${"#".repeat(4000)}\r\nConnection: close\r\n\r\n`);
  await once(socket, "close");
}

/** Sends the parts with others' requests between, and tells what comes back. */
async function converse(handler: Handler, parts: readonly (string | Buffer)[]): Promise<string> {
  await using server = await serve({
    port: 0,
    fetch: (request, context) => (request.url.endsWith("/noise") ? new Response("noise") : handler(request, context)),
  });
  const { socket, heard } = await dial(server);
  for (const part of parts) {
    socket.write(part);
    await disturb(server);
  }
  while (!/\r\n\r\n[^]*\n$/.test(heard())) await once(socket, "data");
  await disturb(server);
  socket.destroy();
  return heard().slice(heard().indexOf("\r\n\r\n") + 4, -1);
}

/** Answers once others have overwritten the memory. */
const wordOf = (form: FormData): string => {
  const word = form.get("word");
  return typeof word === "string" ? word : "no word";
};
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));
const answer = (text: string): Response => new Response(`${text}\n`);

describe("what a client sends, with others in between,", () => {
  it("is its head, wherever that is cut", async () => {
    const head = "GET /path?query=1 HTTP/1.1\r\nHost: example.org\r\nX-Word: kept\r\n\r\n";
    for (let cut = 1; cut < head.length; cut += 7) {
      const said = await converse(
        (request) => answer(`${request.url} ${request.headers.get("x-word")}`),
        [head.slice(0, cut), head.slice(cut)],
      );
      expect(said).toBe("http://example.org/path?query=1 kept");
    }
  });

  it("is its head and those of the next requests, read late", async () => {
    const said = await converse(
      async (request) => {
        await later();
        return answer(`${request.method} ${request.url} ${[...request.headers].join(";")}`);
      },
      ["GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\r\nGET /b HTTP/1.1\r\nHost: y\r\nX-B: 2\r\n\r\n"],
    );
    expect(said.split("\n")[0]).toBe("GET http://x/a host,x;x-a,1");
  });

  const readings: Array<[string, (request: Request) => Promise<string>]> = [
    ["text()", (request) => request.text()],
    ["json()", async (request) => JSON.stringify(await request.json())],
    ["bytes of arrayBuffer()", async (request) => Buffer.from(await request.arrayBuffer()).toString()],
    ["blob()", async (request) => (await request.blob()).text()],
    ["formData()", async (request) => wordOf(await request.formData())],
  ];
  const contents: Record<string, [string, string]> = {
    "text()": ['"some text"', '"some text"'],
    "json()": ['{"a":[1,2,3],"b":"c"}', '{"a":[1,2,3],"b":"c"}'],
    "bytes of arrayBuffer()": ["octets", "octets"],
    "blob()": ["a blob", "a blob"],
    "formData()": ["word=value+of+it&x=1", "value of it"],
  };
  describe.each(readings)("is its content by %s", (name, read) => {
    const [content, expected] = contents[name] as [string, string];
    const head = `${HEAD}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${content.length}\r\n\r\n`;
    const chunked = `${HEAD}Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`;
    it.each<[string, string[]]>([
      ["with its head", [head + content]],
      ["behind its head", [head, content]],
      ["half and half", [head + content.slice(0, 4), content.slice(4)]],
      [
        "in chunks",
        [
          `${chunked}2\r\n${content.slice(0, 2)}\r\n`,
          `${(content.length - 2).toString(16)}\r\n${content.slice(2)}\r\n0\r\n\r\n`,
        ],
      ],
    ])("%s", async (_how, parts) => {
      expect(await converse(async (request) => answer(await read(request)), parts)).toBe(expected);
      const late: Handler = async (request) => {
        await later();
        return answer(await read(request));
      };
      expect(await converse(late, parts)).toBe(expected);
    });
  });

  it("is a form in parts", async () => {
    const content = '--b\r\nContent-Disposition: form-data; name="word"\r\n\r\nvalue\r\n--b--\r\n';
    const head = `${HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${content.length}\r\n\r\n`;
    const handler: Handler = async (request) => answer(wordOf(await request.formData()));
    expect(await converse(handler, [head + content])).toBe("value");
    expect(await converse(handler, [head + content.slice(0, 20), content.slice(20)])).toBe("value");
  });

  it("is what a handler keeps of a stream, in pieces small and large, and may be written to", async () => {
    const content = Buffer.alloc(700_000);
    for (let at = 0; at < content.length; at++) content[at] = 97 + (((at * 2_654_435_761) >>> 16) % 26);
    const handler: Handler = async (request) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of request.body as ReadableStream<Uint8Array>) {
        pieces.push(piece);
        // What belongs to nobody else may be overwritten, with all of its memory
        new Uint8Array(piece.buffer).subarray(0, piece.byteOffset).fill(0);
        new Uint8Array(piece.buffer).subarray(piece.byteOffset + piece.length).fill(0);
      }
      await later();
      return answer(Buffer.concat(pieces).toString("latin1"));
    };
    const head = `${HEAD}Content-Length: ${content.length}\r\n\r\n`;
    const cuts = [Buffer.from(head), content.subarray(0, 10), content.subarray(10, 100_000), content.subarray(100_000)];
    expect(await converse(handler, cuts)).toBe(content.toString("latin1"));
    const one = Buffer.concat([Buffer.from(head), content]);
    expect(await converse(handler, [one])).toBe(content.toString("latin1"));
  });

  it("is the request behind content that was kept", async () => {
    const content = "c".repeat(50_000);
    const kept: Uint8Array[] = [];
    await using server = await serve({
      port: 0,
      fetch: async (request) => {
        if (request.method === "GET") return answer(`${request.url}`);
        for await (const piece of request.body as ReadableStream<Uint8Array>) {
          new Uint8Array(piece.buffer).fill(0x21);
          kept.push(piece);
        }
        return answer("kept");
      },
    });
    const { socket, heard } = await dial(server);
    const head = `${HEAD}Content-Length: ${content.length}\r\n\r\n`;
    const next = "GET /next HTTP/1.1\r\nHost: after\r\n\r\n";
    for (let time = 0; time < 5; time++) socket.write(head + content + next);
    while ((heard().match(/http:\/\/after\/next\n/g) ?? []).length < 5) await once(socket, "data");
    expect(heard().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(10);
    expect(Buffer.concat(kept).toString("latin1")).toBe("!".repeat(250_000));
    socket.destroy();
  });

  it("is what comes through a tunnel", async () => {
    await using server = await serve({
      port: 0,
      fetch: async (_request, context) => {
        const tunnel = context.upgrade();
        const pieces: Uint8Array[] = [];
        void (async () => {
          for await (const piece of tunnel.readable) pieces.push(piece);
          const writer = tunnel.writable.getWriter();
          await writer.write(Buffer.from(`${Buffer.concat(pieces).toString()}\n`));
          await writer.close();
        })();
        return undefined;
      },
    });
    const { socket, heard } = await dial(server);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: words\r\n\r\nearly ");
    await once(socket, "data");
    for (const word of ["one ", "two ", "three"]) {
      socket.write(word);
      const other = await dial(server);
      other.socket.end(`GET / HTTP/1.1\r\n${"#".repeat(4000)}\r\n\r\n`);
      await once(other.socket, "close");
    }
    socket.end();
    await once(socket, "close");
    expect(heard().split("\r\n\r\n")[1]).toBe("early one two three\n");
  });
});
