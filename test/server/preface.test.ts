/** What comes before the protocol: TLS or plain text by the first octet, PROXY headers, deadlines, garbage, leaving peers. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as netConnect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { until } from "./support/open-connections.ts";
import { ask, askOn, authority, startTls, textOf, type TlsSetup } from "./support/tls-server.ts";

const own = await authority.issue({ names: ["a.test"] });
const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.9 54321 443\r\n";

/** Codes of what was refused, once nobody is connected any more. */
async function codesOf(setup: TlsSetup): Promise<string[]> {
  await until(() => setup.server.connections === 0);
  return setup.refusals.map(({ error }) => error.code);
}

/** Does a handshake on a connection that has said something before. */
async function secureOver(raw: Socket): Promise<ReturnType<typeof tlsConnect>> {
  const socket = tlsConnect({ socket: raw, ca: authority.cert, servername: "a.test" });
  await once(socket, "secureConnect");
  return socket;
}

describe("plain HTTP on a port of TLS", () => {
  it.each([
    ["GET /a?b HTTP/1.1\r\nHost: a.test:8443\r\n", "https://a.test:8443/a?b"],
    ["HEAD / HTTP/1.1\r\nHost: a.test\r\n", "https://a.test/"],
    ["GET http://b.test/abs HTTP/1.1\r\nHost: a.test\r\n", "https://b.test/abs"],
    ["GET http://b.test?q HTTP/1.1\r\nHost: a.test\r\n", "https://b.test/?q"],
    ["GET //evil.test/ HTTP/1.1\r\nHost: a.test\r\n", "https://a.test//evil.test/"],
    ["OPTIONS * HTTP/1.1\r\nHost: a.test\r\n", "https://a.test/"],
  ])("is sent on: %j", async (head, location) => {
    await using setup = await startTls({ tls: own });
    const answer = await ask(await setup.plain(), head);
    expect(answer).toMatch(/^HTTP\/1\.1 308 /);
    expect(answer).toContain(`\r\nlocation: ${location}\r\n`);
    expect(setup.contexts).toEqual([]);
  });

  it.each([
    ["POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n"],
    ["DELETE / HTTP/1.1\r\nHost: a.test\r\n"],
    ["GET / HTTP/1.0\r\n"],
  ])("is told that it is wrong here: %j", async (head) => {
    await using setup = await startTls({ tls: own });
    const answer = await ask(await setup.plain(), head);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("This port speaks HTTPS, not plain HTTP");
    expect(await codesOf(setup)).toEqual(["ERR_PLAIN_ON_TLS_PORT"]);
  });

  it("is answered octet by octet too", async () => {
    await using setup = await startTls({ tls: own });
    const socket = await setup.plain();
    socket.setNoDelay(true);
    for (const octet of "GET / HTTP/1.1\r\nHost: a.test\r\n") {
      socket.write(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ask(socket, "")).toContain("308 ");
  });

  it("is served with allowPlain, next to TLS", async () => {
    await using setup = await startTls({ tls: { ...own, allowPlain: true }, hsts: { maxAgeSeconds: 60 } });
    const plain = await ask(await setup.plain());
    expect(plain.endsWith("http://a.test/x")).toBe(true);
    // RFC 6797 §7.2: MUST NOT be sent in plain text
    expect(plain).not.toMatch(/strict-transport-security/i);
    const secured = await ask(await setup.secure());
    expect(secured.endsWith("https://a.test/x")).toBe(true);
    expect(secured).toContain("\r\nStrict-Transport-Security: max-age=60\r\n");
  });
});

describe("Strict-Transport-Security", () => {
  it("stands once on every answer, refusals too", async () => {
    const tls = { ...own };
    const hsts = { maxAgeSeconds: 31_536_000, includeSubDomains: true, preload: true };
    const lines = ["", "max-age=5"].map((value) =>
      value === "" ? new Response("") : new Response("", { headers: { "strict-transport-security": value } }),
    );
    await using setup = await startTls({ tls, hsts, fetch: (request) => lines[Number(request.url.at(-1))] });
    const socket = await setup.secure();
    socket.write("GET /0 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /1 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const answer = await ask(socket, "GET /2 HTTP/1.1\r\nHost: a.test\r\nBad Field: x\r\n");
    expect(answer.match(/strict-transport-security: .*/gi)).toEqual([
      "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload",
      "strict-transport-security: max-age=5",
      "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload",
    ]);
  });
});

describe("a port that redirects", () => {
  it("sends everything on", async () => {
    await using setup = await startTls({ tls: own, redirectFrom: { port: 0 } });
    const socket = await setup.plain(setup.server.redirectPort);
    const first = await askOn2(socket, "POST /p HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 1\r\n\r\nx");
    expect(first).toContain(`location: https://a.test:${setup.server.port}/p\r\n`);
    expect(await ask(socket)).toContain(`location: https://a.test:${setup.server.port}/x\r\n`);
  });

  it("says where it is, as it is bound", async () => {
    await using setup = await startTls({ tls: own, redirectFrom: { port: 0, hostname: "0.0.0.0" } });
    expect(setup.server.redirectUrl?.href).toBe(`http://localhost:${setup.server.redirectPort}/`);
    await using other = await startTls({ tls: own });
    expect(other.server.redirectUrl).toBeNull();
  });

  it("leaves out the usual port, and says the one that clients see", async () => {
    await using setup = await startTls({ tls: own, redirectFrom: { port: 0, toPort: 443 } });
    expect(await ask(await setup.plain(setup.server.redirectPort))).toContain("location: https://a.test/x\r\n");
  });

  it("leaves challenges to their handler", async () => {
    const challenge = (): Response => new Response("token");
    await using setup = await startTls({ tls: own, redirectFrom: { port: 0, challenge } });
    const socket = await setup.plain(setup.server.redirectPort);
    const head = "GET /.well-known/acme-challenge/t HTTP/1.1\r\nHost: a.test\r\n";
    expect((await ask(socket, head)).endsWith("token")).toBe(true);
  });

  it("is closed with the server", async () => {
    await using setup = await startTls({ tls: own, redirectFrom: { port: 0 } });
    const port = setup.server.redirectPort;
    await setup.server.close();
    const socket = netConnect(port, "127.0.0.1");
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });
});

describe("peers that do not get as far as a request", () => {
  it.each([
    ["silent ones", Buffer.alloc(0)],
    ["those with half a handshake", Buffer.from([0x16, 3, 1, 2, 0, 1])],
  ])("are closed after the time of a handshake: %s", async (_, bytes) => {
    await using setup = await startTls({ tls: own, timeouts: { handshakeMs: 3_000 } });
    const socket = await setup.plain();
    if (bytes.length > 0) socket.write(bytes);
    await until(() => setup.server.connections === 1);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    setup.time.advance(2_000);
    expect(setup.server.connections).toBe(1);
    setup.time.advance(2_000);
    await textOf(socket).catch(() => "");
    expect(await codesOf(setup)).toEqual(["ERR_TLS_HANDSHAKE_TIMEOUT"]);
  });

  it("are let go when they leave, and reported if they had begun", async () => {
    await using setup = await startTls({ tls: own });
    const silent = await setup.plain();
    silent.end();
    await textOf(silent);
    expect(await codesOf(setup)).toEqual([]);
    const begun = await setup.plain();
    begun.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    await until(() => setup.server.connections === 1);
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    begun.resetAndDestroy();
    await until(() => setup.refusals.length === 1);
    expect(await codesOf(setup)).toEqual(["ERR_TLS_HANDSHAKE"]);
  });

  it("count for the limit of connections", async () => {
    await using setup = await startTls({ tls: own, limits: { maxConnections: 1 } });
    await setup.plain();
    await until(() => setup.server.connections === 1);
    const second = await setup.plain();
    expect(await textOf(second).catch(() => "")).toBe("");
    expect(setup.refusals.map(({ error }) => error.code)).toEqual(["ERR_TOO_MANY_CONNECTIONS"]);
  });

  it("do no harm with garbage behind the first octet", async () => {
    await using setup = await startTls({ tls: own });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const socket = await setup.plain();
        socket.end(Buffer.concat([Buffer.from([0x16]), bytes]));
        await textOf(socket).catch(() => "");
      }),
      { numRuns: 60 },
    );
    expect(new Set(await codesOf(setup))).toEqual(new Set(["ERR_TLS_HANDSHAKE"]));
    expect(await ask(await setup.secure())).toContain("200 OK");
  });
});

describe("a trusted proxy", () => {
  const proxyProtocol = { from: ["127.0.0.0/8"] };

  it("says who its client is, in front of TLS", async () => {
    await using setup = await startTls({ tls: own, proxyProtocol });
    const raw = await setup.plain();
    raw.write(HEADER);
    await ask(await secureOver(raw));
    const context = setup.contexts[0];
    expect(context?.remoteAddress).toEqual({ address: "192.0.2.7", port: 54_321, family: "IPv4" });
    expect(context?.localAddress).toEqual({ address: "198.51.100.9", port: 443, family: "IPv4" });
    expect(context?.proxyAddress?.address).toBe("127.0.0.1");
    expect(context?.encrypted).toBe(true);
  });

  it("is named in the words of trustProxy too", async () => {
    await using setup = await startTls({ proxyProtocol: { from: ["loopback"] } });
    const raw = await setup.plain();
    raw.write(HEADER);
    expect(await askOn(raw)).toContain("200 OK");
    expect(setup.contexts[0]?.remoteAddress.address).toBe("192.0.2.7");
  });

  it("is whoever may open a unix socket, where no other is named", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    const unix = join(folder, "socket");
    const fetch: Handler = (_, { remoteAddress }) => new Response(remoteAddress.address);
    await using server = await serve({ listen: [{ unix }], proxyProtocol: { from: ["unix"] }, fetch });
    expect(server.isReady).toBe(true);
    const socket = netConnect(unix);
    socket.write(`${HEADER}GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
    expect(await textOf(socket)).toMatch(/192\.0\.2\.7$/);
    rmSync(folder, { recursive: true });
  });

  it("says it in front of plain text, at every split", async () => {
    await using setup = await startTls({ proxyProtocol });
    const request = `${HEADER}GET /x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`;
    for (let split = 1; split <= HEADER.length + 1; split++) {
      const socket = await setup.plain();
      socket.setNoDelay(true);
      socket.write(request.slice(0, split));
      await new Promise((resolve) => setImmediate(resolve));
      socket.write(request.slice(split));
      expect(await textOf(socket)).toContain("200 OK");
    }
    expect(new Set(setup.contexts.map(({ remoteAddress }) => remoteAddress.address))).toEqual(new Set(["192.0.2.7"]));
  });

  it("speaks for itself with UNKNOWN", async () => {
    await using setup = await startTls({ proxyProtocol });
    expect(await ask(await setup.plain(), "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a.test\r\n")).toContain("200 OK");
    expect(setup.contexts[0]?.remoteAddress.address).toBe("127.0.0.1");
    expect(setup.contexts[0]?.proxyAddress).toBe(null);
  });

  it.each(["GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "PROXY TCP4 1.2.3.4\r\n", "\r\n\r\nX"])(
    "is cut off without a header: %j",
    async (text) => {
      await using setup = await startTls({ proxyProtocol });
      const socket = await setup.plain();
      socket.write(text);
      expect(await textOf(socket).catch(() => "")).toBe("");
      expect(await codesOf(setup)).toEqual(["ERR_PROXY_HEADER"]);
      expect(setup.contexts).toEqual([]);
    },
  );

  it("is cut off when its header does not come", async () => {
    await using setup = await startTls({ proxyProtocol });
    const socket = await setup.plain();
    socket.write("PROXY ");
    await until(() => setup.server.connections === 1);
    setup.time.advance(11_000);
    await textOf(socket).catch(() => "");
    expect(await codesOf(setup)).toEqual(["ERR_PROXY_HEADER"]);
  });

  it("has each client counted by its own address", async () => {
    await using setup = await startTls({ proxyProtocol, limits: { maxConnectionsPerAddress: 1 } });
    const first = await setup.plain();
    first.write(HEADER);
    expect(await askOn(first)).toContain("200 OK");
    const second = await setup.plain();
    second.write(HEADER.replace("192.0.2.7", "192.0.2.8"));
    expect(await askOn(second)).toContain("200 OK");
    const third = await setup.plain();
    third.write(HEADER);
    expect(await textOf(third).catch(() => "")).toBe("");
    expect(setup.refusals.map(({ error }) => error.code)).toEqual(["ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS"]);
    first.destroy();
    await until(() => setup.server.connections === 1);
    const fourth = await setup.plain();
    fourth.write(HEADER);
    expect(await askOn(fourth)).toContain("200 OK");
  });
});

describe("a peer that is no trusted proxy", () => {
  it("is cut off", async () => {
    await using setup = await startTls({ proxyProtocol: { from: ["10.0.0.0/8", "::1"] } });
    const socket = await setup.plain();
    socket.write(`${HEADER}GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    expect(await textOf(socket).catch(() => "")).toBe("");
    expect(await codesOf(setup)).toEqual(["ERR_PROXY_UNTRUSTED"]);
  });

  it("is served with allowDirect, and cannot claim an address", async () => {
    await using setup = await startTls({ proxyProtocol: { from: ["10.0.0.0/8"], allowDirect: true } });
    expect(await ask(await setup.plain())).toContain("200 OK");
    expect(setup.contexts[0]?.remoteAddress.address).toBe("127.0.0.1");
    expect(await ask(await setup.plain(), `${HEADER}GET / HTTP/1.1\r\nHost: a.test\r\n`)).toContain("400 Bad Request");
  });
});

/** Sends octets and reads one answer without content. */
async function askOn2(socket: Socket, bytes: string): Promise<string> {
  socket.write(bytes);
  let text = "";
  while (!text.includes("\r\n\r\n")) text += String(((await once(socket, "data")) as [Buffer])[0]);
  return text;
}
