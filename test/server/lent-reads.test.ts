import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { expect, it, describe } from "vitest";
import { LentReads } from "../../src/server/lent-reads.ts";

/** A server whose sockets lend their reads, with what each of them was lent. */
async function open(onRead: (reads: LentReads, chunk: Buffer, serverSide: Socket) => void): Promise<{
  dialUnread(): Promise<{ client: Socket; serverSide: Socket }>;
  dial(): Promise<{ client: Socket; serverSide: Socket; reads: LentReads | null }>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets: Socket[] = [];
  async function dialUnread(): Promise<{ client: Socket; serverSide: Socket }> {
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[serverSide]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [[Socket], []];
    sockets.push(client, serverSide);
    return { client, serverSide };
  }
  return {
    dialUnread,
    async dial() {
      const { client, serverSide } = await dialUnread();
      serverSide.resume();
      const reads: LentReads | null = LentReads.of(serverSide, (chunk) =>
        onRead(reads as LentReads, chunk, serverSide),
      );
      return { client, serverSide, reads };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Writes, and waits until all of it was read on the other side. */
async function say(client: Socket, serverSide: Socket, text: string): Promise<void> {
  const wanted = serverSide.bytesRead + text.length;
  client.write(text, "latin1");
  while (serverSide.bytesRead < wanted) await new Promise(setImmediate);
}

describe("reads that are lent", () => {
  it("are had by the sockets of a server on this Node, and nothing comes as data", async () => {
    const chunks: string[] = [];
    await using opened = await open((_reads, chunk) => chunks.push(chunk.toString("latin1")));
    const { client, serverSide, reads } = await opened.dial();
    let pieces = 0;
    serverSide.on("data", () => pieces++);
    await say(client, serverSide, "one");
    await say(client, serverSide, "two");
    expect(reads).toBeInstanceOf(LentReads);
    expect([chunks, pieces]).toEqual([["one", "two"], 0]);
  });

  it("are of one memory for all sockets, and gone with the next read", async () => {
    const chunks: Buffer[] = [];
    await using opened = await open((_reads, chunk) => chunks.push(chunk));
    const first = await opened.dial();
    const second = await opened.dial();
    await say(first.client, first.serverSide, "first");
    await say(second.client, second.serverSide, "SECOND");
    const [one, two] = chunks as [Buffer, Buffer];
    expect(one.buffer).toBe(two.buffer);
    expect(one.toString()).toBe("SECON");
  });

  it("can be kept from the second on, and are lent again as soon as nobody keeps them", async () => {
    const kept: Buffer[] = [];
    const given: boolean[] = [];
    let isKeeping = true;
    await using opened = await open((reads, chunk) => {
      if (isKeeping) given.push(reads.give());
      kept.push(chunk);
    });
    const { client, serverSide } = await opened.dial();
    for (const word of ["lent", "keep", "this"]) await say(client, serverSide, word);
    expect(given).toEqual([false, true, true]);
    isKeeping = false;
    for (const word of ["own4", "lent", "last"]) await say(client, serverSide, word);
    const buffers = kept.map((chunk) => chunk.buffer);
    expect(new Set(buffers.slice(0, 4)).size).toBe(4);
    expect([buffers[4], buffers[5]]).toEqual([buffers[0], buffers[0]]);
    expect(kept.slice(1, 4).map(String)).toEqual(["keep", "this", "own4"]);
  });

  it("are lent again behind the last that is kept: a quiet socket holds no memory", async () => {
    const kept: Buffer[] = [];
    await using opened = await open((reads, chunk) => {
      kept.push(chunk);
      reads.give();
      if (kept.length === 3) reads.giveNoMore();
    });
    const { client, serverSide } = await opened.dial();
    for (const word of ["lent", "keep", "last", "next"]) await say(client, serverSide, word);
    const buffers = kept.map((chunk) => chunk.buffer);
    expect(new Set(buffers.slice(0, 3)).size).toBe(3);
    expect(buffers[3]).toBe(buffers[0]);
    expect(kept.slice(1, 3).map(String)).toEqual(["keep", "last"]);
  });

  it("are asked for twice in one read for one buffer", async () => {
    const given: boolean[] = [];
    await using opened = await open((reads) => given.push(reads.give(), reads.give()));
    const { client, serverSide } = await opened.dial();
    await say(client, serverSide, "a");
    await say(client, serverSide, "b");
    expect(given).toEqual([false, false, true, true]);
  });

  it("stop while the socket is paused, and end when the peer does", async () => {
    const chunks: string[] = [];
    await using opened = await open((_reads, chunk, serverSide) => {
      chunks.push(String(chunk));
      serverSide.pause();
    });
    const { client, serverSide } = await opened.dial();
    await say(client, serverSide, "one");
    client.end("two");
    // Answered on the same loop: by then the second piece would have been read
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(chunks).toEqual(["one"]);
    serverSide.resume();
    while (chunks.length < 2) await new Promise(setImmediate);
    serverSide.resume();
    await once(serverSide, "end");
    expect(chunks).toEqual(["one", "two"]);
  });

  it("stop again when the stream has started them behind the back of who has paused", async () => {
    await using opened = await open(() => {});
    const { client, serverSide } = await opened.dialUnread();
    const chunks: string[] = [];
    serverSide.once("data", () => {
      expect(LentReads.of(serverSide, (chunk) => chunks.push(String(chunk)))).not.toBeNull();
      // Behind a piece of data the stream looks for more, once, paused or not
      serverSide.pause();
    });
    client.write("first");
    await once(serverSide, "pause");
    for (let time = 0; time < 5; time++) {
      client.write(`${time}`);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    expect(chunks.length).toBeLessThanOrEqual(1);
    serverSide.resume();
    while (chunks.join("").length < 5) await new Promise(setImmediate);
    expect(chunks.join("")).toBe("01234");
  });

  it("are not had by a socket that is not open", () => {
    const socket = new Socket();
    socket.resume();
    expect(LentReads.of(socket, () => {})).toBeNull();
  });

  it("are not had by one that is paused, or holds something: order would be lost", async () => {
    await using opened = await open(() => {});
    const client = await opened.dialUnread();
    expect(LentReads.of(client.serverSide, () => {})).toBeNull();
    client.serverSide.pause();
    client.client.write("held");
    while (client.serverSide.readableLength === 0) await new Promise(setImmediate);
    expect(LentReads.of(client.serverSide, () => {})).toBeNull();
    const chunks: string[] = [];
    client.serverSide.once("data", (chunk: Buffer) => {
      chunks.push(String(chunk));
      expect(LentReads.of(client.serverSide, (lent) => chunks.push(`lent ${String(lent)}`))).not.toBeNull();
    });
    client.serverSide.resume();
    while (chunks.length === 0) await new Promise(setImmediate);
    await say(client.client, client.serverSide, "more");
    expect(chunks).toEqual(["held", "lent more"]);
  });
});
