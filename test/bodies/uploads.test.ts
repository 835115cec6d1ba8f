/** Uploads over true connections: whole, chunked, slow handlers, clients that leave, refusals that keep the connection. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readForm, readJson, readMultipart, saveTo } from "../../src/bodies/index.ts";
import { type Server, serve } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { formOf, MULTIPART_TYPE, part } from "./support/multipart.ts";

const MIB = 1024 * 1024;
let root = "";
let folder = "";
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "fairlead-uploads-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = join(root, String(++count));
  mkdirSync(folder);
});

const names = (): string[] => readdirSync(folder);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(claim: () => boolean): Promise<void> {
  while (!claim()) await turn();
}

interface Running extends AsyncDisposable {
  server: Server;
  url: string;
  faults: unknown[];
}

async function start(fetch: Handler, maxContentBytes: number = 64 * MIB): Promise<Running> {
  const faults: unknown[] = [];
  const server = await serve({
    port: 0,
    fetch,
    limits: { maxContentBytes },
    hooks: { onFault: (fault) => void faults.push(fault) },
  });
  return { server, url: server.url.href, faults, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function dial(server: Server): Promise<Socket> {
  const client = connect({ port: server.port, host: "127.0.0.1" });
  client.on("error", () => {});
  await once(client, "connect");
  return client;
}

const saveParts: Handler = async (request) => {
  const saved: [string, number][] = [];
  for await (const one of readMultipart(request)) {
    if (!one.isFile) continue;
    const { name, size } = await one.saveTo(folder);
    saved.push([name, size]);
  }
  return Response.json(saved);
};

describe("a form", () => {
  it.each([
    ["by length", false],
    ["chunked", true],
  ])("of 20 MiB is saved, %s", async (_, isChunked) => {
    await using running = await start(saveParts);
    const big = Buffer.alloc(20 * MIB, "0123456789\r\n--");
    const form = new FormData();
    form.append("note", "hello");
    form.append("file", new File([big], "big.bin"));
    form.append("file", new File(["small"], "small.txt"));
    const made = new globalThis.Response(form);
    const headers = { "content-type": made.headers.get("content-type")! };
    const body = isChunked ? made.body! : await made.arrayBuffer();
    const response = await fetch(running.url, { method: "POST", headers, body, duplex: "half" });
    expect(await response.json()).toEqual([
      ["big.bin", 20 * MIB],
      ["small.txt", 5],
    ]);
    expect(readFileSync(join(folder, "big.bin")).equals(big)).toBe(true);
    expect(names().toSorted()).toEqual(["big.bin", "small.txt"]);
  });

  it("tells its progress", async () => {
    const seen: [number, number | null][] = [];
    await using running = await start(async (request) => {
      const onProgress = (received: number, declared: number | null): void => void seen.push([received, declared]);
      for await (const one of readMultipart(request, { onProgress })) await one.stream().cancel();
      return new Response("done");
    });
    const body = formOf([part("a", Buffer.alloc(MIB), "a.bin")]);
    await fetch(running.url, { method: "POST", headers: { "content-type": MULTIPART_TYPE }, body });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toEqual([body.length, body.length]);
    expect(seen.every(([received], i) => i === 0 || received > seen[i - 1]![0])).toBe(true);
  });

  it("is taken no faster than the handler takes it", async () => {
    let resume = (): void => {};
    const held = new Promise<void>((resolve) => (resume = resolve));
    let received = 0;
    await using running = await start(async (request) => {
      for await (const one of readMultipart(request, { onProgress: (bytes) => (received = bytes) })) {
        const reader = one.stream().getReader();
        await reader.read();
        await held;
        while (!(await reader.read()).done);
      }
      return new Response(String(received));
    });
    const client = await dial(running.server);
    const body = formOf([part("a", Buffer.alloc(32 * MIB), "a.bin")]);
    client.write(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${MULTIPART_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    client.write(body);
    await until(() => received > 0);
    // What the kernel and the first buffers hold, and then nothing moves any more
    let before = -1;
    while (client.bytesWritten - client.writableLength !== before) {
      before = client.bytesWritten - client.writableLength;
      for (let i = 0; i < 200; i++) await turn();
    }
    expect(client.writableLength).toBeGreaterThan(8 * MIB);
    expect(received).toBeLessThan(MIB);
    resume();
    const answer: Buffer[] = [];
    for await (const piece of client) answer.push(piece as Buffer);
    expect(Buffer.concat(answer).toString()).toMatch(new RegExp(`^HTTP/1.1 200[^]*\r\n\r\n${body.length}$`));
  });
});

describe("a client that leaves", () => {
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${MULTIPART_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const form = formOf([part("a", "x".repeat(1000), "a.txt"), part("b", "y".repeat(1000), "b.txt")]).toString();
  const stages: [string, number, string[]][] = [
    ["before the form begins", 0, []],
    ["in the first boundary", 4, []],
    ["in the header of a part", 40, []],
    ["in a file", 600, []],
    ["between parts", 1090, ["a.txt"]],
    ["in the second file", 1500, ["a.txt"]],
    ["in the closing boundary", form.length - 3, ["a.txt", "b.txt"]],
    ["before the end of the content", form.length, ["a.txt", "b.txt"]],
  ];
  it.each(stages)("%s leaves no half of a file and no fault", async (_, length, expected) => {
    const ends: unknown[] = [];
    await using running = await start(async (request, context) => {
      try {
        return await saveParts(request, context);
      } catch (error) {
        ends.push(error);
        throw error;
      }
    });
    const client = await dial(running.server);
    client.write(head);
    if (length > 0) client.write(`${length.toString(16)}\r\n${form.slice(0, length)}\r\n`);
    await until(() => running.server.stats.requests === 1);
    // All that was sent has been taken
    if (length > 500) await until(() => names().length > 0);
    for (let i = 0; i < 20; i++) await turn();
    client.destroy();
    await until(() => ends.length === 1);
    await until(() => running.server.connections === 0);
    expect(ends[0]).toMatchObject({
      code: expect.stringMatching(/^ERR_(?:CLOSED_BY_PEER|CONTENT_INCOMPLETE)$/) as string,
    });
    expect(names().toSorted()).toEqual(expected);
    expect(running.faults).toEqual([]);
  });

  it("in a raw upload leaves no file", async () => {
    const ends: unknown[] = [];
    await using running = await start(async (request) => {
      await saveTo(request, join(folder, "a.bin")).catch((error: unknown) => {
        ends.push(error);
        throw error;
      });
      return new Response("saved");
    });
    const client = await dial(running.server);
    client.write("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n123");
    await until(() => names().length === 1);
    client.destroy();
    await until(() => ends.length === 1);
    expect([names(), running.faults]).toEqual([[], []]);
  });
});

describe("a refusal", () => {
  const read: Handler = async (request) => {
    if (request.url.endsWith("/json")) return Response.json(await readJson(request));
    if (request.url.endsWith("/form")) return new Response(String(await readForm(request)));
    return saveParts(request, undefined as never);
  };

  it.each([
    ["json", "text/plain", "{}", 415, "ERR_CONTENT_TYPE"],
    ["json", "application/json", "{", 400, "ERR_JSON"],
    ["json", "application/json", "", 400, "ERR_CONTENT_MISSING"],
    ["json", "application/json", "[".repeat(500), 400, "ERR_JSON_TOO_DEEP"],
    ["form", "application/json", "{}", 415, "ERR_CONTENT_TYPE"],
    ["parts", MULTIPART_TYPE, "garbage", 400, "ERR_MULTIPART"],
    ["parts", "multipart/form-data", "x", 400, "ERR_MULTIPART_BOUNDARY"],
  ])("of %s as %s is an answer, and the connection lives", async (path, type, content, status, code) => {
    await using running = await start(read);
    const client = await dial(running.server);
    const length = Buffer.byteLength(content);
    const request = `POST /${path} HTTP/1.1\r\nHost: x\r\nAccept: application/problem+json\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${content}`;
    let said = "";
    client.on("data", (piece: Buffer) => (said += piece.toString()));
    client.write(request);
    await until(() => said.includes("}\n"));
    const first = said;
    expect(first).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*application/problem\\+json[^]*"code":"${code}"`));
    said = "";
    client.write(request);
    await until(() => said.includes("}\n"));
    expect(said.replace(/date: .*/i, "")).toBe(first.replace(/date: .*/i, ""));
    client.destroy();
    expect(running.faults).toEqual([]);
  });

  it("of too large a part comes while the client still sends", async () => {
    await using running = await start(async (request) => {
      for await (const one of readMultipart(request, { maxPartBytes: 1000 })) await one.saveTo(folder);
      return new Response("saved");
    });
    const body = formOf([part("a", Buffer.alloc(4 * MIB), "a.bin")]);
    const response = await fetch(running.url, { method: "POST", headers: { "content-type": MULTIPART_TYPE }, body });
    expect([response.status, names()]).toEqual([413, []]);
    expect(await response.text()).toContain("maxPartBytes would allow it");
  });

  it("of content that is too large for the server says the server's limit", async () => {
    await using running = await start(saveParts, MIB);
    const body = formOf([part("a", Buffer.alloc(2 * MIB), "a.bin")]);
    const response = await fetch(running.url, { method: "POST", headers: { "content-type": MULTIPART_TYPE }, body });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("limits.maxContentBytes");
    expect(names()).toEqual([]);
  });
});
