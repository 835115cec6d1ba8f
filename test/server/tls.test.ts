/** TLS over true sockets: what is spoken, what is refused, and what a handler sees of it. */
import { execFile } from "node:child_process";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Server } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { TestAuthority } from "./support/certificates.ts";
import { until } from "./support/open-connections.ts";
import { ask, askOn, authority, failureOf, startTls, textOf, type TlsSetup } from "./support/tls-server.ts";

const run = promisify(execFile);
const clients = await TestAuthority.create("Clients");
const alice = await clients.issue({ commonName: "alice", names: ["alice.test"] });
const stranger = await authority.issue({ commonName: "mallory" });
const expired = await clients.issue({ commonName: "old", fromDays: -3, toDays: -1 });
const other = await authority.issue({ names: ["b.test", "*.c.test"] });
const own = await authority.issue({ names: ["a.test", "localhost"] });

describe("a server under TLS", () => {
  it("answers, and says https everywhere", async () => {
    await using setup = await startTls({ tls: own });
    expect(setup.server.url.protocol).toBe("https:");
    const answer = await ask(await setup.secure());
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.endsWith("https://a.test/x")).toBe(true);
    const context = setup.contexts[0];
    expect(context?.encrypted).toBe(true);
    expect(context?.serverName).toBe("a.test");
    expect(context?.remoteAddress.address).toBe("127.0.0.1");
    expect(context?.clientCertificate).toBe(null);
  });

  it.each([
    ["TLSv1.2", /^TLS_ECDHE_ECDSA_WITH_/],
    ["TLSv1.3", /^TLS_(?:AES|CHACHA20)_/],
  ] as const)("speaks %s", async (version, cipher) => {
    await using setup = await startTls({ tls: own, hooks: { onConnection: () => {} } });
    await ask(await setup.secure({ minVersion: version, maxVersion: version }));
    const { tls } = setup.contexts[0] ?? {};
    expect(tls?.version).toBe(version);
    expect(tls?.cipher).toMatch(cipher);
    expect(tls?.isResumed).toBe(false);
  });

  const REFUSED: ReadonlyArray<readonly [string, ConnectionOptions, string]> = [
    [
      "TLS 1.1",
      { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" },
      "ERR_SSL_UNSUPPORTED_PROTOCOL",
    ],
    ["CBC", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" }, "ERR_SSL_NO_SHARED_CIPHER"],
    ["key exchange by RSA", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" }, "ERR_SSL_NO_SHARED_CIPHER"],
    ["protocols that are not served", { ALPNProtocols: ["h2", "imap"] }, "ERR_SSL_NO_APPLICATION_PROTOCOL"],
  ];

  it.each(REFUSED)("refuses %s, and says so", async (_, options, code) => {
    await using setup = await startTls({ tls: own });
    expect(await failureOf(setup.secure(options))).toMatch(/^ERR_SSL_|ALERT/);
    await until(() => setup.server.connections === 0);
    expect(setup.refusals.map(({ error }) => [error.code, error.detail])).toEqual([["ERR_TLS_HANDSHAKE", code]]);
    expect(setup.server.stats.failedHandshakes).toBe(1);
    expect(await ask(await setup.secure())).toContain("200 OK");
  });

  it("chooses http/1.1 among what is offered", async () => {
    await using setup = await startTls({ tls: own });
    const socket = await setup.secure({ ALPNProtocols: ["h2", "http/1.1"] });
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it("can insist on TLS 1.3", async () => {
    await using setup = await startTls({ tls: { ...own, minVersion: "TLSv1.3" } });
    expect(await failureOf(setup.secure({ maxVersion: "TLSv1.2" }))).not.toBe("none");
    expect(await ask(await setup.secure())).toContain("200 OK");
  });

  it("does not renegotiate", async () => {
    await using setup = await startTls({ tls: own });
    const socket = await setup.secure({ maxVersion: "TLSv1.2" });
    await askOn(socket);
    const failure = await new Promise((resolve) => {
      socket.on("error", resolve);
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(failure).toBeInstanceOf(Error);
    socket.destroy();
  });

  it.each([
    ["set", (server: Server, keys: Uint8Array) => server.setTicketKeys(keys)],
    ["offered by who runs its processes", (server: Server, keys: Uint8Array) => server.offerTicketKeys(keys)],
  ])("goes on resuming sessions of other processes with ticket keys that were %s", async (_, give) => {
    const timeouts = { handshakeMs: Infinity, headMs: Infinity, keepAliveMs: Infinity };
    await using first = await startTls({ tls: own, timeouts });
    await using second = await startTls({ tls: own, timeouts });
    for (const { server } of [first, second]) give(server, Buffer.alloc(48, 7));
    for (const { time } of [first, second]) time.advance(25 * 3_600_000);
    expect(await isResumed(first, second)).toBe(true);
  });

  it.each([
    ["options", { ticketKeys: Buffer.alloc(48, 7) }, () => {}],
    ["calls", {}, (server: Server) => server.setTicketKeys(Buffer.alloc(48, 7))],
  ])("keeps the ticket keys of its own %s, whatever others it is offered", async (_, options, give) => {
    await using first = await startTls({ tls: { ...own, ...options } });
    await using second = await startTls({ tls: { ...own, ...options } });
    for (const { server } of [first, second]) give(server);
    second.server.offerTicketKeys(Buffer.alloc(48, 8));
    expect(await isResumed(first, second)).toBe(true);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("resumes sessions of %s", async (version) => {
    await using setup = await startTls({ tls: own });
    const socket = await setup.secure({ minVersion: version, maxVersion: version });
    const session = sessionOf(socket);
    await ask(socket);
    const again = await setup.secure({ session: await session, minVersion: version, maxVersion: version });
    expect(again.isSessionReused()).toBe(true);
    await ask(again);
    expect(setup.contexts[1]?.tls?.isResumed).toBe(true);
  });

  it("resumes sessions of another process with the same key, and of none with another", async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    await using first = await startTls({ tls: { ...own, ticketKeys } });
    await using second = await startTls({ tls: { ...own, ticketKeys } });
    const socket = await first.secure();
    const session = sessionOf(socket);
    await ask(socket);
    const again = await second.secure({ session: await session });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    second.server.setTicketKeys(Buffer.alloc(48, 8));
    const other = await second.secure({ session: await session });
    expect(other.isSessionReused()).toBe(false);
    other.destroy();
    expect(() => second.server.setTicketKeys(Buffer.alloc(47))).toThrow(RangeError);
  });

  it("answers a large content whole, with backpressure", async () => {
    const content = "x".repeat(3_000_000);
    await using setup = await startTls({ tls: own, fetch: () => new Response(content) });
    const socket = await setup.secure();
    const answer = await ask(socket);
    expect(answer.endsWith(content)).toBe(true);
  });

  it("takes content in and answers pipelined requests in order", async () => {
    await using setup = await startTls({ tls: own, fetch: async (request) => new Response(await request.text()) });
    const socket = await setup.secure();
    const post = (body: string): string =>
      `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(post("first") + post("second"));
    const answer = await ask(socket);
    expect([...answer.matchAll(/first|second/g)].map(String)).toEqual(["first", "second"]);
  });

  it("lets a client end its side and still answers", async () => {
    await using setup = await startTls({ tls: own });
    const socket = await setup.secure({ allowHalfOpen: true } as ConnectionOptions);
    socket.end("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n");
    expect(await textOf(socket)).toContain("200 OK");
  });

  it("shows a broken connection when a response breaks", async () => {
    const failing = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.from("begin"));
        controller.error(new Error("broken"));
      },
    });
    await using setup = await startTls({ tls: own, fetch: () => new Response(failing), hooks: { onFault: () => {} } });
    const answer = await ask(await setup.secure()).catch((error: NodeJS.ErrnoException) => error.code);
    expect(answer === "ECONNRESET" || !String(answer).endsWith("0\r\n\r\n")).toBe(true);
    await until(() => setup.server.connections === 0);
  });

  it("closes gracefully: what runs is finished", async () => {
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    await using setup = await startTls({ tls: own, fetch: () => promise.then(() => new Response("done")) });
    const socket = await setup.secure();
    const answer = ask(socket);
    await until(() => setup.server.stats.requests === 1);
    const closed = setup.server.close();
    resolve();
    expect(await answer).toContain("done");
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
  });
});

describe("client certificates", () => {
  it("are shown to handlers", async () => {
    await using setup = await startTls({ tls: { ...own, requestCert: true, ca: clients.cert } });
    await ask(await setup.secure(alice));
    expect(setup.contexts[0]?.clientCertificate).toMatchObject({
      isAuthorized: true,
      refusal: "",
      subject: "CN=alice",
      issuer: "CN=Clients",
      subjectAltName: "DNS:alice.test",
    });
  });

  it("are shown on resumed sessions too", async () => {
    await using setup = await startTls({ tls: { ...own, requestCert: true, ca: clients.cert } });
    const socket = await setup.secure(alice);
    const session = sessionOf(socket);
    await ask(socket);
    await ask(await setup.secure({ ...alice, session: await session }));
    expect(setup.contexts[1]?.tls?.isResumed).toBe(true);
    expect(setup.contexts[1]?.clientCertificate).toMatchObject({ isAuthorized: true, subject: "CN=alice" });
  });

  it.each([
    ["none", {}, /PEER_DID_NOT_RETURN_A_CERTIFICATE|UNABLE_TO_GET_ISSUER_CERT/],
    ["another authority's", stranger, /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/],
    ["an expired one", expired, /CERT_HAS_EXPIRED/],
  ])("are refused: %s", async (_, options, code) => {
    await using setup = await startTls({ tls: { ...own, requestCert: true, ca: clients.cert } });
    const socket = await setup.secure(options).catch(() => null);
    // Under TLS 1.3 a client learns of it after its side of the handshake
    if (socket !== null) await textOf(socket).catch(() => "");
    await until(() => setup.server.connections === 0);
    expect(setup.refusals[0]?.error.code).toBe("ERR_TLS_HANDSHAKE");
    expect(setup.refusals[0]?.error.detail).toMatch(code);
    expect(setup.contexts).toEqual([]);
  });

  it.each([
    ["asks nobody", {}, {}],
    ["asks others", { requestCert: true, ca: authority.cert }, stranger],
    ["lets everybody in", { requestCert: true, ca: clients.cert, rejectUnauthorized: false }, {}],
  ])("are not spared by a session of a server with the same ticket keys that %s", async (_, rules, options) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const tls = { ...own, ticketKeys: Buffer.alloc(48, 7) };
      await using first = await startTls({ tls: { ...tls, ...rules } });
      await using second = await startTls({ tls: { ...tls, requestCert: true, ca: clients.cert } });
      const socket = await first.secure({ ...options, maxVersion });
      const session = sessionOf(socket);
      await ask(socket);
      const again = await second.secure({ ...options, maxVersion, session: await session }).catch(() => null);
      if (again !== null) await ask(again).catch(() => "");
      expect(again?.isSessionReused() ?? false).toBe(false);
      expect(second.contexts).toEqual([]);
    }
  });

  it("need not be shown again to another process with the same rules", async () => {
    const tls = { ...own, ticketKeys: Buffer.alloc(48, 7), requestCert: true, ca: clients.cert };
    await using first = await startTls({ tls });
    await using second = await startTls({ tls });
    const socket = await first.secure(alice);
    const session = sessionOf(socket);
    await ask(socket);
    await ask(await second.secure({ ...alice, session: await session }));
    expect(second.contexts[0]?.tls?.isResumed).toBe(true);
    expect(second.contexts[0]?.clientCertificate).toMatchObject({ isAuthorized: true, subject: "CN=alice" });
  });

  it("are left to the handler with rejectUnauthorized: false", async () => {
    const tls = { ...own, requestCert: true, rejectUnauthorized: false, ca: clients.cert };
    await using setup = await startTls({ tls });
    await ask(await setup.secure(expired));
    await ask(await setup.secure());
    expect(setup.contexts[0]?.clientCertificate).toMatchObject({ isAuthorized: false, refusal: "CERT_HAS_EXPIRED" });
    expect(setup.contexts[1]?.clientCertificate).toBe(null);
  });
});

describe("several certificates", () => {
  const servers = [{ ...other }];

  it.each([
    ["a.test", "a.test"],
    ["b.test", "b.test"],
    ["B.TEST", "b.test"],
    ["www.c.test", "b.test"],
    ["x.www.c.test", "a.test"],
    ["unknown.test", "a.test"],
  ])("are chosen by name: %s", async (servername, commonName) => {
    await using setup = await startTls({ tls: { ...own, servers } });
    const socket = await setup.secure({ servername, checkServerIdentity: () => undefined });
    expect(socket.getPeerCertificate().subject.CN).toBe(commonName);
    socket.destroy();
  });

  it("resume sessions of each", async () => {
    await using setup = await startTls({ tls: { ...own, servers } });
    const socket = await setup.secure({ servername: "b.test" });
    const session = sessionOf(socket);
    await ask(socket, "GET / HTTP/1.1\r\nHost: b.test\r\n");
    const again = await setup.secure({ servername: "b.test", session: await session });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  });

  it.each([
    ["b.test", "b.test", 200],
    ["b.test", "b.test:8443", 200],
    ["b.test", "www.c.test", 200],
    ["b.test", "a.test", 421],
    ["a.test", "b.test", 421],
  ])("on a connection for %s a request for %s gets %i", async (servername, host, status) => {
    await using setup = await startTls({ tls: { ...own, servers } });
    const answer = await ask(await setup.secure({ servername }), `GET / HTTP/1.1\r\nHost: ${host}\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(setup.refusals.map(({ error }) => error.code)).toEqual(status === 421 ? ["ERR_MISDIRECTED_NAME"] : []);
  });

  it("with one certificate no name is misdirected", async () => {
    await using setup = await startTls({ tls: own });
    expect(await ask(await setup.secure(), "GET / HTTP/1.1\r\nHost: other.test\r\n")).toContain("200 OK");
  });

  it("takes https in absolute form", async () => {
    await using setup = await startTls({ tls: own });
    const answer = await ask(await setup.secure(), "GET https://a.test/abs HTTP/1.1\r\nHost: b\r\n");
    expect(answer.endsWith("https://a.test/abs")).toBe(true);
  });
});

describe("other clients", () => {
  it("curl verifies and speaks", async ({ skip }) => {
    const { status } = await isThere("curl");
    if (!status) skip("curl is not installed");
    await using setup = await startTls({ tls: own });
    const folder = await mkdtemp(join(tmpdir(), "fairlead-tls-"));
    await writeFile(join(folder, "ca.pem"), authority.cert);
    const words = ["-sS", "--cacert", join(folder, "ca.pem"), `https://localhost:${setup.server.port}/c`];
    const { stdout } = await run("curl", words);
    await rm(folder, { recursive: true });
    expect(stdout).toBe(`https://localhost:${setup.server.port}/c`);
  });

  it("openssl is told why it is refused", async ({ skip }) => {
    const { status } = await isThere("openssl");
    if (!status) skip("openssl is not installed");
    await using setup = await startTls({ tls: own });
    const child = run("openssl", ["s_client", "-connect", `127.0.0.1:${setup.server.port}`, "-alpn", "h2"]);
    child.child.stdin?.end();
    const { stderr } = await child.catch((error: { stderr: string }) => error);
    // RFC 7301 §3.2
    expect(stderr).toContain("no application protocol");
  });
});

/** The session of a connection: under TLS 1.2 it is there with the handshake, under 1.3 it comes behind it. */
/** Whether a session of one is resumed by the other. */
async function isResumed(first: TlsSetup, second: TlsSetup): Promise<boolean> {
  const socket = await first.secure();
  const session = sessionOf(socket);
  await ask(socket);
  const again = await second.secure({ session: await session });
  const isReused = again.isSessionReused();
  again.destroy();
  return isReused;
}

function sessionOf(socket: TLSSocket): Promise<Buffer> {
  const known = socket.getProtocol() === "TLSv1.2" ? socket.getSession() : undefined;
  if (known !== undefined) return Promise.resolve(known);
  return new Promise((resolve) => socket.once("session", resolve));
}

async function isThere(program: string): Promise<{ status: boolean }> {
  return await run("which", [program]).then(
    () => ({ status: true }),
    () => ({ status: false }),
  );
}
