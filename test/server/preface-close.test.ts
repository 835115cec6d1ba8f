/**
 * close() while connections are before their protocol: who has not begun goes like an idle connection, who has may finish.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServeOptions } from "../../src/server/options.ts";
import { until } from "./support/open-connections.ts";
import { authority, startTls, textOf, type TlsSetup } from "./support/tls-server.ts";

const own = await authority.issue({ names: ["a.test"] });
const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.9 54321 443\r\n";
const REQUEST = "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";
/** Seven octets of a ClientHello. */
const HELLO = Buffer.from([0x16, 3, 1, 2, 0, 1, 0]);
const proxyProtocol = { from: ["127.0.0.0/8"] };

/** What comes first, what leaves a peer silent, and what is begun and not whole. */
const KINDS: ReadonlyArray<readonly [string, Partial<ServeOptions>, silent: string, begun: string | Buffer]> = [
  ["TLS", { tls: own }, "", HELLO],
  ["TLS or plain text", { tls: { ...own, allowPlain: true } }, "", HELLO],
  ["PROXY and plain text", { proxyProtocol }, "", HEADER.slice(0, 10)],
  ["PROXY and TLS", { proxyProtocol, tls: own }, "", HEADER.slice(0, 10)],
  ["TLS behind a whole header", { proxyProtocol, tls: own }, HEADER, Buffer.concat([Buffer.from(HEADER), HELLO])],
];

/** The server's ends of connections, in the order in which they came. */
const accepted: Socket[] = [];
const onAccepted = (message: unknown): void => void accepted.push((message as { readonly socket: Socket }).socket);

beforeAll(() => subscribe("net.server.socket", onAccepted));
afterAll(() => void unsubscribe("net.server.socket", onAccepted));

/** Connects, and says something that the server has read when this resolves. */
async function dial(setup: TlsSetup, bytes: string | Buffer): Promise<Socket> {
  const count = accepted.length;
  const socket = await setup.plain();
  await until(() => accepted.length > count);
  await say(socket, bytes);
  return socket;
}

/** Says more on the connection that came last. */
async function say(socket: Socket, bytes: string | Buffer): Promise<void> {
  const raw = accepted.at(-1) as Socket;
  const read = raw.bytesRead;
  if (bytes.length > 0) socket.write(bytes);
  await until(() => raw.bytesRead >= read + bytes.length);
}

/** A stream over a socket that lets so many octets through, and the rest when it is told to. */
function holdBack(raw: Socket, count: number): { readonly stream: Duplex; readonly release: () => void } {
  let left = count;
  let held: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (left > 0) raw.write(chunk.subarray(0, left));
      if (left < chunk.length) held.push(chunk.subarray(left));
      left = Math.max(0, left - chunk.length);
      done();
    },
  });
  raw.on("data", (chunk: Buffer) => stream.push(chunk));
  raw.on("end", () => stream.push(null));
  const release = (): void => {
    left = Infinity;
    raw.write(Buffer.concat(held));
    held = [];
  };
  return { stream, release };
}

describe.each(KINDS)("close() before the protocol: %s", (_, options, silent, begun) => {
  it("lets go at once of who has not begun", async () => {
    await using setup = await startTls(options);
    const socket = await dial(setup, silent);
    const closed = setup.server.close();
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 0, durationMs: 0 });
    expect(setup.refusals).toEqual([]);
  });

  it("gives who has not begun the time of a last call, and says nothing of it", async () => {
    await using setup = await startTls(options);
    const socket = await dial(setup, silent);
    const closed = setup.server.close({ lastCallMs: 4_000 });
    setup.time.advance(3_000);
    expect(setup.server.connections).toBe(1);
    setup.time.advance(1_500);
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
    expect(setup.refusals).toEqual([]);
  });

  it("counts who has begun and is cut off at the end of the drain", async () => {
    await using setup = await startTls(options);
    const socket = await dial(setup, begun);
    const closed = setup.server.close({ drainMs: 4_000, lastCallMs: 1_000 });
    setup.time.advance(3_900);
    expect(setup.server.connections).toBe(1);
    setup.time.advance(200);
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 1 });
  });

  it("holds who has begun to the time of a handshake", async () => {
    await using setup = await startTls({ ...options, timeouts: { handshakeMs: 3_000 } });
    const socket = await dial(setup, begun);
    const closed = setup.server.close();
    setup.time.advance(3_500);
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
    expect(setup.refusals).toHaveLength(1);
  });
});

describe("who has begun when close() is called", () => {
  it.each([["at once", {}] as const, ["in the time of a last call", { lastCallMs: 2_000 }] as const])(
    "finishes a handshake and is answered once, %s",
    async (_, how) => {
      await using setup = await startTls({ tls: own });
      const raw = await dial(setup, "");
      const { stream, release } = holdBack(raw, HELLO.length);
      const begin = (): ReturnType<typeof tlsConnect> =>
        tlsConnect({ socket: stream, ca: authority.cert, servername: "a.test" });
      const isLate = "lastCallMs" in how;
      let socket = isLate ? null : begin();
      const hasBegun = (): boolean => accepted.at(-1)?.bytesRead === HELLO.length;
      if (!isLate) await until(hasBegun);
      const closed = setup.server.close(how);
      socket ??= begin();
      await until(hasBegun);
      // Longer than a last call
      setup.time.advance(3_000);
      release();
      await once(socket, "secureConnect");
      socket.write(REQUEST);
      const answer = await textOf(socket);
      expect(answer).toContain("200 OK");
      expect(answer).toMatch(/connection: close/i);
      expect(await closed).toMatchObject({ destroyedConnections: 0 });
    },
  );

  it("is answered and let go where the rest comes together with a request", async () => {
    await using setup = await startTls({ proxyProtocol });
    const socket = await dial(setup, HEADER.slice(0, 10));
    const closed = setup.server.close();
    socket.write(HEADER.slice(10) + REQUEST);
    expect(await textOf(socket)).toContain("200 OK");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
  });

  it.each([
    ["of two seconds", {}, 2_000],
    ["of a last call that is longer", { lastCallMs: 3_000 }, 3_000],
  ])("has a moment for its handshake behind its header, %s", async (_, how, ms) => {
    await using setup = await startTls({ proxyProtocol, tls: own });
    const socket = await dial(setup, HEADER.slice(0, 10));
    const closed = setup.server.close(how);
    await say(socket, HEADER.slice(10));
    setup.time.advance(ms - 500);
    expect(setup.server.connections).toBe(1);
    setup.time.advance(1_500);
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
    expect(setup.refusals).toEqual([]);
  });

  it("has a moment for a request behind its handshake, and no more", async () => {
    await using setup = await startTls({ tls: own });
    const { stream, release } = holdBack(await dial(setup, ""), HELLO.length);
    const socket = tlsConnect({ socket: stream, ca: authority.cert, servername: "a.test" });
    await until(() => accepted.at(-1)?.bytesRead === HELLO.length);
    const closed = setup.server.close();
    release();
    await once(socket, "secureConnect");
    // What TLS has sent behind the handshake is here: the server is done with it too
    await once(socket, "session");
    setup.time.advance(1_000);
    expect(setup.server.connections).toBe(1);
    setup.time.advance(1_500);
    expect(await textOf(socket)).toBe("");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
  });
});
