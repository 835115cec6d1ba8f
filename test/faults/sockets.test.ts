/** Connections that break at every stage: nobody else notices, the handler hears of it, and what was held for them is given back. */
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { authority, startTls } from "../server/support/tls-server.ts";
import { type Peer, startVictim, until, type Victim } from "../hazards/support/victim.ts";

const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Handlers' signals that were aborted, and errors that they got. */
let aborted = 0;
let failed = 0;

const handler = async (request: globalThis.Request): Promise<Response> => {
  request.signal.addEventListener("abort", () => aborted++);
  if (request.method === "POST") {
    try {
      return new Response(await request.text());
    } catch (error) {
      failed++;
      throw error;
    }
  }
  if (request.url.endsWith("/ask")) return new Response("fine");
  if (request.url.endsWith("/wait")) return new Promise<Response>(() => {});
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield Buffer.alloc(64 * 1024);
        await turn();
      }
    } finally {
      failed++;
    }
  };
  return new Response(endless() as never);
};

/** What a peer has sent, and what must have happened before it leaves. */
const STAGES: ReadonlyArray<readonly [string, string, (victim: Victim, peer: Peer) => boolean]> = [
  ["before the first octet", "", (victim) => victim.server.connections === 1],
  ["in the middle of a head", "GET / HT", (victim) => victim.server.connections === 1],
  ["while content is read", `${POST}half of it`, (victim) => victim.exchanges.length === 1],
  ["while the handler thinks", GET.replace("/ ", "/wait "), (victim) => victim.exchanges.length === 1],
  ["while the answer is written", GET, (_, peer) => peer.text.length > 100_000],
];

describe.each(STAGES)("a peer that leaves %s", (_, bytes, isThere) => {
  it.each(["reset", "end", "destroy"] as const)("by a %s is forgotten, and the next is served", async (manner) => {
    aborted = 0;
    failed = 0;
    await using victim = await startVictim({ fetch: handler });
    const peer = victim.dial();
    await once(peer.socket, "connect");
    if (bytes !== "") await peer.send(bytes);
    await until(() => isThere(victim, peer));
    if (manner === "reset") peer.socket.resetAndDestroy();
    else if (manner === "destroy") peer.socket.destroy();
    else {
      peer.socket.end();
      // Who has only ended its side still gets its answer; the endless one, and the one that never comes, it ends itself
      if (!bytes.startsWith("POST")) setImmediate(() => peer.socket.destroy());
    }
    await until(() => {
      // Who has left without a reset while nothing is sent is found out by the clock
      if (bytes.includes("/wait")) victim.time.advance(1000);
      return victim.server.connections === 0 || victim.exchanges.length === 0 || aborted + failed > 0;
    });
    expect(await victim.ask()).toBe("200");
    await until(() => victim.server.connections === 0);
    if (victim.exchanges[0]?.request.target !== "/ask") expect(aborted + failed).toBeGreaterThan(0);
    expect(victim.outcomes).not.toContain("broken");
  });
});

describe("a TLS handshake", () => {
  const own = authority.issue({ names: ["a.test"] });

  it.each<[string, Buffer]>([
    ["that is broken off at once", Buffer.alloc(0)],
    ["of half a record", Buffer.from("160301020001", "hex")],
    ["of garbage in a record", Buffer.concat([Buffer.from("1603010040", "hex"), Buffer.alloc(64, 0xff)])],
  ])("%s leaves nothing behind", async (_, bytes) => {
    await using setup = await startTls({ tls: await own });
    const socket = connect({ port: setup.server.port, host: "127.0.0.1" }).on("error", () => {});
    await once(socket, "connect");
    if (bytes.length > 0) socket.write(bytes);
    await turn();
    socket.resetAndDestroy();
    await until(() => setup.server.connections === 0);
    const good = await setup.secure();
    good.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(good, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    good.destroy();
  });
});

it("a full queue of connections is worked off, and nobody in it is lost", async () => {
  await using victim = await startVictim({ backlog: 1 });
  // The system's clients try again after a second
  const peers = Array.from({ length: 4 }, () => victim.dial());
  await Promise.all(peers.map((peer) => peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")));
  await Promise.all(peers.map((peer) => peer.closed));
  expect(new Set(peers.map((peer) => peer.status))).toEqual(new Set(["200"]));
});
