/** Certificates as options: what is wrong with them is said at the start, and new files are taken without a pause. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import type { ServerError } from "../../src/http/errors.ts";
import { type ServeOptions, resolveOptions } from "../../src/server/options.ts";
import { LOOK_MS, QUIET_MS } from "../../src/server/tls-watch.ts";
import { Response } from "../../src/web/response.ts";
import { lock, TestAuthority } from "./support/certificates.ts";
import { ask, askOn, authority, startTls, type TlsSetup } from "./support/tls-server.ts";

const own = await authority.issue({ names: ["a.test"] });
const other = await authority.issue({ names: ["b.test", "*.c.test"] });
const folder = mkdtempSync(join(tmpdir(), "fairlead-certificates-"));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const nameless = await authority.issue();
const der = Buffer.from(own.cert.replaceAll(/-----.*-----|\s/g, ""), "base64");

afterAll(() => rmSync(folder, { recursive: true }));

function messageOf(options: Partial<ServeOptions>): string {
  try {
    resolveOptions({ fetch: () => new Response(), ...options });
    return "";
  } catch (error) {
    expect((error as ServerError).code).toBe("ERR_OPTIONS");
    return (error as ServerError).message;
  }
}

describe("a certificate", () => {
  it.each([
    ["text", own],
    ["octets", { cert: Buffer.from(own.cert), key: Buffer.from(own.key) }],
    ["files", { certFile: file("own.pem", own.cert), keyFile: file("own.key", own.key) }],
    ["a locked key", { cert: own.cert, key: lock(own.key, "sesame"), passphrase: "sesame" }],
    ["a chain", { cert: `${own.cert}\n${authority.cert}`, key: own.key }],
    ["several", { servers: [own, { ...other, names: ["b.test", "*.c.test"] }] }],
  ])("is taken as %s", (_, tls) => {
    expect(messageOf({ tls })).toBe("");
  });

  it.each([
    ["nothing", {}, "tls.cert: is missing\n  tls.key: is missing"],
    ["another's key", { cert: own.cert, key: other.key }, "tls.key: is not the key of the certificate for a.test"],
    [
      "another's key for a certificate without names",
      { cert: nameless.cert, key: other.key },
      /tls\.key: is not the key of that certificate$/m,
    ],
    [
      "a chain in the wrong order",
      { cert: `${authority.cert}\n${own.cert}`, key: own.key },
      "is the key of certificate 2 of the chain",
    ],
    [
      "both swapped",
      { cert: own.key, key: own.cert },
      "tls.cert: holds a private key and no certificate; were cert and key swapped?",
    ],
    ["a path as text", { cert: "/etc/a.pem", key: own.key }, "for the path of a file use certFile"],
    [
      "a file of another kind",
      { certFile: file("a.json", "{}"), keyFile: file("a2.json", "{}") },
      /tls\.certFile: \/.*a\.json holds no certificate in PEM \(a text with -----BEGIN\)\n.*tls\.keyFile: \/.*a2\.json holds no private key in PEM \(a text with -----BEGIN\)$/m,
    ],
    [
      "authorities in a file of another kind",
      { ...own, requestCert: true, caFile: file("ca.json", "{}") },
      /tls\.caFile: \/.*ca\.json holds no certificate in PEM \(a text with -----BEGIN\)$/m,
    ],
    ["DER", { certFile: file("own.der", der), keyFile: file("k.pem", own.key) }, "is DER and not PEM"],
    ["a file that is not there", { certFile: join(folder, "none.pem"), key: own.key }, "none.pem does not exist"],
    ["a folder", { certFile: folder, key: own.key }, "is a folder"],
    ["damage", { cert: own.cert.replace(/MII/, "AAA"), key: own.key }, "holds a certificate that cannot be read"],
    ["a damaged key", { cert: own.cert, key: own.key.replace(/MI/, "AA") }, "holds a private key that cannot be read"],
    [
      "a locked key alone",
      { cert: own.cert, key: lock(own.key, "x") },
      "is locked with a passphrase; give it as passphrase",
    ],
    [
      "a wrong passphrase",
      { cert: own.cert, key: lock(own.key, "x"), passphrase: "yz" },
      "cannot be opened with this passphrase",
    ],
    [
      "text and file",
      { ...own, certFile: "a.pem" },
      "tls.cert: together with certFile was given, one of the two is allowed",
    ],
    [
      "authorities as text and file",
      { ...own, ca: own.cert, caFile: "a.pem" },
      "tls.ca: together with caFile was given, one of the two is allowed",
    ],
    [
      "a foreign name",
      { ...own, servers: [{ ...other, nmaes: ["b.test"] }] },
      "tls.servers[0].nmaes: there is no such option, did you mean tls.servers[0].names?",
    ],
    [
      "no host name",
      { ...own, servers: [{ ...other, names: ["b.*.test"] }] },
      'tls.servers[0].names: "b.*.test" was given',
    ],
    ["a number as key", { ...own, servers: [{ cert: other.cert, key: 5 }] }, "tls.servers[0].key: 5 was given"],
    ["no authority", { ...own, requestCert: true }, "tls.ca: is missing"],
    [
      "authorities, and nobody is asked",
      { ...own, ca: authority.cert },
      "tls.ca: was given without requestCert: clients are asked for no certificate",
    ],
    [
      "authorities in a file, and nobody is asked",
      { ...own, caFile: file("asks-nobody.pem", authority.cert) },
      "tls.caFile: was given without requestCert",
    ],
    [
      "plain text beside certificates of clients",
      { ...own, requestCert: true, ca: authority.cert, allowPlain: true },
      "tls.allowPlain: lets clients past requestCert: in plain text they show no certificate",
    ],
    ["a slip in what asks for them", { ...own, requestCert: "yes", ca: authority.cert }, /^(?!.*without requestCert)/s],
    ["no OCSP response", { ...own, ocspFile: file("ocsp", "x") }, "tls.ocspFile: is no OCSP response in DER"],
    ["an old version", { ...own, minVersion: "TLSv1.1" }, 'tls.minVersion: "TLSv1.1" was given'],
  ])("is refused with words: %s", (_, tls, words) => {
    expect(messageOf({ tls: tls as never })).toMatch(words);
  });

  it("may come with authorities although it is said that nobody is asked, as one setting of several does", () => {
    expect(messageOf({ tls: { ...own, ca: authority.cert, requestCert: false } })).toBe("");
    expect(messageOf({ tls: { ...own, ca: authority.cert, requestCert: undefined } })).toMatch("without requestCert");
  });

  it("is one mistake as text and file, in the list of servers as well", () => {
    const both = { ...own, certFile: join(folder, "none.pem") };
    expect(messageOf({ tls: both })).toMatch(/^an option is invalid:\n {2}tls\.cert: together with certFile/);
    expect(messageOf({ tls: { ...own, requestCert: true, ca: own.cert, caFile: "none.pem" } })).toMatch(
      /^an option is /,
    );
    const message = messageOf({ tls: { ...own, servers: [both, { ...own, keyFile: join(folder, "none.key") }] } });
    expect(message.split("\n")).toEqual([
      "2 options are invalid:",
      "  tls.servers[0].cert: together with certFile was given, one of the two is allowed",
      "  tls.servers[1].key: together with keyFile was given, one of the two is allowed",
    ]);
  });

  it("never shows a key or a passphrase", () => {
    const message = messageOf({ tls: { cert: own.cert, key: [own.key] as never, passphrase: ["sesame"] as never } });
    expect(message).not.toMatch(/sesame|PRIVATE|MI[GH]/);
  });

  it.each([
    ["that has expired", { names: ["a.test"], fromDays: -3, toDays: -1 }, [], "has expired"],
    ["of the future", { names: ["a.test"], fromDays: 1 }, [], "is not valid before"],
    ["for other names", { names: ["a.test"] }, ["b.test"], "the certificate is not for b.test, but for a.test"],
    ["without a wildcard", { names: ["a.test"] }, ["*.a.test"], "the certificate is not for *.a.test, but for a.test"],
  ])("is warned of: %s", async (_, facts, names, words) => {
    const warned = once(process, "warning") as Promise<[Error & { code?: string }]>;
    await using setup = await startTls({ tls: { servers: [{ ...(await authority.issue(facts)), names }] } });
    const [warning] = await warned;
    expect(warning.code).toBe("FAIRLEAD_CERTIFICATE");
    expect(warning.message).toContain(words);
    expect(setup.server.isClosing).toBe(false);
  });

  it("is warned of for names that one before it has, at the start and when it is loaded again", async () => {
    const rival = await authority.issue({ names: ["c.test", "a.test", "B.test"] });
    const warned: string[] = [];
    // To the clock of the test the certificates are of the future
    const note = ({ message }: Error): void =>
      void warned.push(...message.split("\n").filter((line) => !line.includes("is the clock right?")));
    process.on("warning", note);
    await using setup = await startTls({ tls: { ...own, servers: [other, rival] } });
    setup.server.reloadCertificates();
    // The same on purpose, by text and by file, and one that shares no name: nothing to say
    const [certFile, keyFile] = [file("twice.pem", own.cert), file("twice.key", own.key)];
    const servers = [{ certFile, keyFile }, { certFile, keyFile, names: ["a.test"] }, other];
    await using quiet = await startTls({ tls: { ...own, servers } });
    quiet.server.reloadCertificates();
    await new Promise(setImmediate);
    process.off("warning", note);
    const said = [
      "tls.servers[1]: the certificate is not used for a.test: tls comes before it and has the same",
      "tls.servers[1]: the certificate is not used for b.test: tls.servers[0] comes before it and has the same",
    ];
    expect(warned).toEqual([...said, ...said]);
  });

  it("is warned of where its key is of another kind than the first one's, on those Nodes that show the first one's then", async () => {
    const rsa = await authority.issue({ names: ["rsa.test"], isRsa: true });
    const warned: string[] = [];
    const note = ({ message }: Error): void =>
      void warned.push(...message.split("\n").filter((line) => line.includes("of another kind")));
    process.on("warning", note);
    await using setup = await startTls({ tls: { ...own, servers: [other, rsa] } });
    await new Promise(setImmediate);
    process.off("warning", note);
    const socket = await setup.secure({ servername: "rsa.test", checkServerIdentity: () => undefined });
    const isShown = socket.getPeerCertificate().subjectaltname === "DNS:rsa.test";
    socket.destroy();
    const said = "tls.servers[1]: the certificate has a key of another kind (rsa) than tls (ec)";
    expect(warned).toEqual(isShown ? [] : [expect.stringContaining(said) as string]);
  });
});

describe("options around TLS", () => {
  it.each([
    [
      "preload without subdomains",
      { hsts: { maxAgeSeconds: 31_536_000, preload: true } },
      "hsts.preload: true was given",
    ],
    ["no network", { proxyProtocol: { from: ["10.0.0.0/33"] } }, 'proxyProtocol.from: "10.0.0.0/33" was given'],
    ["no proxy at all", { proxyProtocol: {} }, "proxyProtocol.from: nobody was given, addresses, networks"],
    ["a name of a proxy", { proxyProtocol: { from: ["proxy.test"] } }, 'proxyProtocol.from: "proxy.test" was given'],
    ["HSTS without TLS", { hsts: { maxAgeSeconds: 60 } }, "hsts: needs tls: it is never sent in plain text"],
    ["HSTS taken back without TLS", { hsts: { maxAgeSeconds: 0 } }, "hsts: needs tls"],
    ["a redirect without TLS", { redirectFrom: { port: 80 } }, "redirectFrom: needs tls: there is no HTTPS here"],
    [
      "both, at once with what else is wrong",
      { hsts: { maxAgeSeconds: 60, preload: true }, redirectFrom: { port: 80 } },
      "3 options are invalid",
    ],
    ["a name from elsewhere", { ssl: true }, "did you mean tls?"],
  ])("are refused: %s", (_, options, words) => {
    expect(messageOf(options as never)).toContain(words);
  });

  it("may let in plain text where the handler judges the certificates of clients", () => {
    const tls = { ...own, requestCert: true, rejectUnauthorized: false, allowPlain: true };
    expect(messageOf({ tls })).toBe("");
  });

  it.each([
    ["nothing that is said of HTTPS", { hsts: {}, redirectFrom: {} }],
    ["a redirect to whoever speaks HTTPS in front", { redirectFrom: { port: 80, toPort: 443 } }],
  ])("may be without TLS: %s", (_, options) => {
    expect(() => resolveOptions({ fetch: () => undefined, ...options })).not.toThrow();
  });
});

/** Name in the certificate that a new connection is shown. */
async function shownBy(setup: TlsSetup): Promise<string> {
  const socket = await setup.secure({ checkServerIdentity: () => undefined });
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

describe("certificates of a running server", () => {
  // Time is moved by minutes, which is nothing to peers
  const timeouts = { handshakeMs: Infinity, headMs: Infinity, keepAliveMs: Infinity };

  /** A server on files of its own. */
  async function onFiles(name: string): Promise<{ setup: TlsSetup; certFile: string; keyFile: string }> {
    const certFile = file(`${name}.pem`, own.cert);
    const keyFile = file(`${name}.key`, own.key);
    return { setup: await startTls({ tls: { certFile, keyFile }, timeouts }), certFile, keyFile };
  }

  it("are loaded again when asked, and connections stay", async () => {
    const { setup, certFile, keyFile } = await onFiles("asked");
    await using _ = setup;
    const before = await setup.secure();
    const session = new Promise<Buffer>((resolve) => before.once("session", resolve));
    expect(await askOn(before)).toContain("200 OK");
    writeFileSync(certFile, other.cert);
    writeFileSync(keyFile, other.key);
    setup.server.reloadCertificates();
    expect(await shownBy(setup)).toBe("b.test");
    expect(await askOn(before)).toContain("200 OK");
    const resumed = await setup.secure({ session: await session });
    expect(resumed.isSessionReused()).toBe(true);
    resumed.destroy();
  });

  it("stay when the new ones are wrong", async () => {
    const { setup, certFile } = await onFiles("wrong");
    await using _ = setup;
    writeFileSync(certFile, other.cert);
    const reload = (): void => setup.server.reloadCertificates();
    expect(reload).toThrow("tls.keyFile: is not the key");
    expect(reload).toThrow(expect.objectContaining({ code: "ERR_CERTIFICATE" }));
    expect(await shownBy(setup)).toBe("a.test");
  });

  it.each(["asked for", "noticed"])("are joined by other authorities of clients, %s", async (how) => {
    const [before, after] = [await TestAuthority.create("Before"), await TestAuthority.create("After")];
    const [old, young] = [await before.issue({ commonName: "old" }), await after.issue({ commonName: "young" })];
    const caFile = file("clients.pem", before.cert);
    await using setup = await startTls({ tls: { ...own, servers: [other], requestCert: true, caFile }, timeouts });
    /** Whether a request is answered; under TLS 1.3 a client learns of a refusal behind the handshake. */
    const isLetIn = async (options: ConnectionOptions): Promise<boolean> =>
      setup.secure({ ...options, checkServerIdentity: () => undefined }).then(
        async (socket) => (await ask(socket).catch(() => "")).startsWith("HTTP/1.1 "),
        () => false,
      );
    const first = await setup.secure(old);
    const session = new Promise<Buffer>((resolve) => first.once("session", resolve));
    expect(await askOn(first)).toContain("200 OK");
    expect(await isLetIn(young)).toBe(false);
    writeFileSync(caFile, "nonsense");
    expect(() => setup.server.reloadCertificates()).toThrow("tls.caFile: ");
    expect(await isLetIn(old)).toBe(true);
    writeFileSync(caFile, after.cert);
    if (how === "asked for") setup.server.reloadCertificates();
    else while (!(await isLetIn(young))) setup.time.advance(Math.max(QUIET_MS, LOOK_MS));
    for (const servername of ["a.test", "b.test"]) {
      expect(await isLetIn({ ...young, servername })).toBe(true);
      expect(await isLetIn({ ...old, servername })).toBe(false);
    }
    expect(await isLetIn({ ...old, session: await session })).toBe(false);
    expect(await askOn(first)).toContain("200 OK");
    first.destroy();
  });

  it("are loaded again when their files are replaced, under way of requests", async () => {
    const { setup, certFile, keyFile } = await onFiles("watched");
    await using _ = setup;
    let isLoading = true;
    let failures = 0;
    let answers = 0;
    const load = (async () => {
      while (isLoading) {
        const socket = await setup.secure({ checkServerIdentity: () => undefined });
        for (let i = 0; i < 3; i++) {
          if ((await askOn(socket)).includes("200 OK")) answers++;
          else failures++;
        }
        socket.destroy();
      }
    })();
    for (const [cert, name] of [
      [other, "b.test"],
      [own, "a.test"],
      [other, "b.test"],
    ] as const) {
      renameSync(file("new.key", cert.key), keyFile);
      renameSync(file("new.pem", cert.cert), certFile);
      // Both ways of noticing: the system's, after a moment of quiet, or a look at the files
      while ((await shownBy(setup)) !== name) setup.time.advance(Math.max(QUIET_MS, LOOK_MS));
    }
    isLoading = false;
    await load;
    expect(failures).toBe(0);
    expect(answers).toBeGreaterThan(3);
  });

  it("are kept, with one warning, while files are wrong", async () => {
    const { setup, certFile } = await onFiles("broken");
    await using _ = setup;
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", note);
    const warned = once(process, "warning");
    writeFileSync(certFile, "nonsense");
    const advancing = setImmediateLoop(() => setup.time.advance(LOOK_MS));
    await warned;
    advancing.stop();
    expect(await shownBy(setup)).toBe("a.test");
    process.off("warning", note);
    expect(warnings.filter((text) => text.includes("stay in use"))).toHaveLength(1);
    writeFileSync(certFile, readFileSync(file("own2.pem", own.cert)));
  });
});

describe("an OCSP response", () => {
  it("is stapled to its certificate", async () => {
    // Any DER: what it says is between the client and its authority
    const response = Buffer.from([0x30, 0x03, 0x0a, 0x01, 0x01]);
    await using setup = await startTls({ tls: { ...own, ocspFile: file("ocsp.der", response) } });
    const options = { port: setup.server.port, host: "127.0.0.1", ca: authority.cert, servername: "a.test" };
    const socket = tlsConnect(Object.assign(options, { requestOCSP: true }));
    const stapled = await new Promise((resolve) => socket.on("OCSPResponse", resolve));
    socket.destroy();
    expect(stapled).toEqual(response);
  });
});

function setImmediateLoop(step: () => void): { stop(): void } {
  let handle = setImmediate(function again() {
    step();
    handle = setImmediate(again);
  });
  return { stop: () => clearImmediate(handle) };
}
