import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ServeOptions } from "../../src/server/options.ts";
import { type Server, serve } from "../../src/server/server.ts";
import type { TrustProxyOptions } from "../../src/server/trust.ts";
import type { Context } from "../../src/web/context.ts";
import type { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";

interface Told {
  readonly client: string;
  readonly peer: string;
  readonly encrypted: boolean;
  readonly url: string;
}

function tell(request: Request, context: Context): Response {
  const { remoteAddress, peerAddress, encrypted } = context;
  return Response.json({ client: remoteAddress.address, peer: peerAddress.address, encrypted, url: request.url });
}

function start(trustProxy: TrustProxyOptions | undefined, where: Partial<ServeOptions> = { port: 0 }): Promise<Server> {
  return serve({ fetch: tell, trustProxy, ...where });
}

/** Sends heads on one connection, one after the other, and gives what the handler was told each time. */
async function ask(server: Server, ...heads: string[]): Promise<Told[]> {
  const { address, port, family } = server.address;
  const socket = family === "unix" ? connect(address) : connect(port, address);
  const head = heads.map((lines, index) => {
    const last = index === heads.length - 1 ? "Connection: close\r\n" : "";
    return `GET /path?q HTTP/1.1\r\nHost: inner:81\r\n${lines}${last}\r\n`;
  });
  socket.write(head.join(""), "latin1");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return [...text.matchAll(/\{.*?\}/g)].map(([json]) => JSON.parse(json) as Told);
}

const SPOOF =
  "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\n" +
  "Forwarded: for=203.0.113.8;proto=https;host=evil.example\r\nX-Real-IP: 203.0.113.9\r\n";
const OWN = { client: "127.0.0.1", peer: "127.0.0.1", encrypted: false, url: "http://inner:81/path?q" };

describe("forwarding fields", () => {
  it("mean nothing where no proxy is trusted", async () => {
    await using server = await start(undefined);
    expect(await ask(server, SPOOF)).toEqual([OWN]);
  });

  it("mean nothing from a peer who is no trusted proxy", async () => {
    await using server = await start({ from: ["192.0.2.0/24", "unix", "::1"], host: true });
    expect(await ask(server, SPOOF)).toEqual([OWN]);
  });

  it("of one kind are read, the others are not", async () => {
    await using first = await start({ from: ["loopback"] });
    expect(await ask(first, SPOOF)).toEqual([
      { ...OWN, client: "203.0.113.7", encrypted: true, url: "https://inner:81/path?q" },
    ]);
    await using second = await start({ from: ["loopback"], header: "forwarded" });
    expect(await ask(second, SPOOF)).toEqual([
      { ...OWN, client: "203.0.113.8", encrypted: true, url: "https://evil.example/path?q" },
    ]);
  });

  it("of the wrong kind alone mean nothing", async () => {
    await using server = await start({ from: ["loopback"], header: "forwarded" });
    expect(await ask(server, "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n")).toEqual([OWN]);
  });

  it("give the host of X-Forwarded-Host where that was asked for", async () => {
    await using server = await start({ from: ["loopback"], host: true });
    const [told] = await ask(server, "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: www.example:8443\r\n");
    expect(told).toEqual({ ...OWN, client: "203.0.113.7", url: "http://www.example:8443/path?q" });
  });

  it("stand for each request alone on a connection that carries those of many clients", async () => {
    await using server = await start({ from: ["loopback"] });
    const told = await ask(
      server,
      "X-Forwarded-For: 203.0.113.1\r\nX-Forwarded-Proto: https\r\n",
      "",
      "X-Forwarded-For: 2001:db8::5\r\n",
      "X-Forwarded-For: hidden\r\n",
    );
    expect(told.map(({ client, encrypted }) => [client, encrypted])).toEqual([
      ["203.0.113.1", true],
      ["127.0.0.1", false],
      ["2001:db8::5", false],
      ["", false],
    ]);
    expect(new Set(told.map(({ peer }) => peer))).toEqual(new Set(["127.0.0.1"]));
  });

  it("are walked over trusted proxies to the first who is not one", async () => {
    await using server = await start({ from: ["loopback", "10.0.0.0/8"] });
    const head =
      "X-Forwarded-For: 127.0.0.1, 203.0.113.1, 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nX-Forwarded-Proto: http, https, http, http\r\n";
    expect(await ask(server, head)).toMatchObject([{ client: "203.0.113.1", encrypted: true }]);
  });

  it("are believed on a unix socket where that was said", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    await using server = await start({ from: ["unix"] }, { unix: join(folder, "socket") });
    expect(await ask(server, "X-Forwarded-For: 203.0.113.1\r\n")).toMatchObject([
      { client: "203.0.113.1", peer: join(folder, "socket") },
    ]);
    rmSync(folder, { recursive: true });
  });

  it("show observers what they show handlers", async () => {
    const seen: string[] = [];
    await using server = await serve({
      fetch: tell,
      port: 0,
      trustProxy: { from: ["loopback"] },
      hooks: {
        onRequest: ({ connection }) => seen.push(connection.remoteAddress.address),
        onResponse: ({ exchange }) => seen.push(exchange.connection.remoteAddress.address),
      },
    });
    await ask(server, "X-Forwarded-For: 203.0.113.1\r\n");
    expect(seen).toEqual(["203.0.113.1", "203.0.113.1"]);
  });
});

describe("the option", () => {
  it.each<[TrustProxyOptions, string]>([
    [{ from: [] }, "trustProxy.from: nobody was given"],
    [{ from: ["10.0.0.0/33"] }, 'trustProxy.from: "10.0.0.0/33" was given'],
    [{ from: ["proxy.example"] }, "or the words loopback, private, unix is allowed"],
    [{ from: ["loopback"], header: "x-real-ip" } as unknown as TrustProxyOptions, '"x-forwarded" or "forwarded"'],
    [{ from: ["loopback"], hosts: true } as unknown as TrustProxyOptions, "did you mean trustProxy.host?"],
  ])("is checked: %j", async (trustProxy, message) => {
    await expect(start(trustProxy)).rejects.toThrow(message);
  });
});
