/**
 * Proxies in front of Fairlead: no request arrives that the proxy has not sent, nobody gets the answer to another's request, and
 * answers pass undamaged or visibly broken.
 *
 * Proxies that are not installed are skipped, and say so.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../src/index.ts";
import { pass } from "./support/passage.ts";
import type { Running } from "./support/program.ts";
import { PROXIES, type Proxy } from "./support/proxies.ts";
import { faultIn, receive, REPLIES, type Reply, serveReplies } from "./support/replies.ts";
import { generatedShapes } from "./support/shapes.ts";

const shapes = generatedShapes();

/** What a proxy does wrong itself, by its name and the path. */
const KNOWN: Readonly<Record<string, string>> = {
  "nginx /early":
    "nginx before 1.29 takes 103 for the final response and waits (RFC 9110 §15.2: a proxy MUST forward it)",
  "Varnish /early": "Varnish 7.1 takes 103 for the final response and answers 503",
  "lighttpd /trailers": "lighttpd 1.4.69 closes instead of a response whose trailers came with its content",
  "lighttpd /broken": "lighttpd 1.4.69 at times gives what broke off a length (RFC 9112 §8)",
  "Caddy /broken": "Caddy 2.6 ends the chunks of a response that broke off (RFC 9112 §8)",
};

const peers = PROXIES.map((proxy) => ({
  proxy,
  title: proxy.version === null ? `${proxy.name}, which is not installed: skipped` : `${proxy.name} ${proxy.version}`,
}));

describe.each(peers)("requests behind $title", ({ proxy }) => {
  it.skipIf(proxy.version === null)(
    "are those that it has sent, and everybody gets the answers to their own",
    async () => {
      const { faults, handled, connections, requests } = await pass(proxy, shapes);
      expect(faults).toEqual([]);
      expect(handled).toBeGreaterThan(shapes.length / 2);
      // Otherwise nothing could be smuggled to others
      if (!proxy.name.endsWith("1.0") && proxy.name !== "lighttpd") expect(connections).toBeLessThan(requests / 3);
    },
    60_000,
  );
});

/** A proxy as none should be: marks the first request of a connection, and forwards octets. */
const RELAY: Proxy = {
  name: "a relay",
  version: "0",
  mark: ["x-front", /^relay$/],
  start: async (originPort) => {
    const server = createServer((client) => {
      const upstream = connect(originPort, "127.0.0.1");
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
      upstream.pipe(client);
      client.on("end", () => upstream.end());
      client.on("data", (chunk: Buffer) => {
        const text = chunk.toString("latin1").replace("HTTP/1.1\r\n", "HTTP/1.1\r\nX-Front: relay\r\n");
        upstream.write(text, "latin1");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as { port: number }).port, stop: async () => void server.close() };
  },
};

describe("requests behind a relay that does not read what it forwards", () => {
  it("are noticed", async () => {
    const smuggling = shapes.filter(({ name }) => name === "content: two requests");
    const { faults } = await pass(RELAY, smuggling);
    expect(faults.map((fault) => fault.replace(/.*: /, ""))).toEqual([
      "GET /smuggled has not been sent by the proxy",
      "GET /marker?of=0 has not been sent by the proxy",
    ]);
  });
});

const NOBODY = { name: "nobody", version: "", start: async (port: number) => ({ port, stop: async () => {} }) };
const fronts = [{ proxy: NOBODY, title: "nobody" }, ...peers];

describe.each(fronts)("answers behind $title", ({ proxy }) => {
  let server: Server;
  let running: Running;

  beforeAll(async () => {
    if (proxy.version === null) return;
    server = await serveReplies();
    running = await proxy.start(server.port);
  });
  afterAll(async () => {
    if (proxy.version === null) return;
    await running.stop();
    server.closeNow();
  });

  const rows = REPLIES.map((reply, number) => {
    const known = KNOWN[`${proxy.name} ${reply.path}`];
    const note = known === undefined ? "" : ` (skipped: ${known})`;
    return { reply, number, known, what: `${reply.method}: ${reply.what}${note}` };
  });

  describe.each(rows)("$what", ({ reply, number, known }) => {
    it.skipIf(proxy.version === null || known !== undefined)("arrives whole, or visibly does not", async () => {
      const next = `/probe?n=${number}`;
      expect(faultIn(reply, await receive(running.port, reply, "1.1", next), next)).toBe("");
      // The connection to us may be somebody else's now
      const other: Reply = { path: `/other?n=${number}`, method: "GET", what: "", status: 200, content: "" };
      const { answers } = await receive(running.port, other, "1.1", next);
      expect(answers[0]?.content).toBe(`answer to ${other.path}.`);
    });
  });
});

// Behind a proxy, it is the proxy that ends content which is delimited by the end of a connection
describe("answers to HTTP/1.0", () => {
  let server: Server;

  beforeAll(async () => {
    server = await serveReplies();
  });
  afterAll(() => server.closeNow());

  it.each(REPLIES)("$method: $what arrives whole, or visibly does not", async (reply) => {
    expect(faultIn(reply, await receive(server.port, reply, "1.0", "/probe"), "/probe")).toBe("");
  });
});
