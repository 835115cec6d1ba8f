import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseBundle, readBundle } from "../../src/certificates/bundle.ts";
import { provideLocalCertificate } from "../../src/certificates/local-certificate.ts";
import type { LocalCertificate } from "../../src/certificates/local-certificate.ts";
import { TestTime } from "./support/test-time.ts";

const DAY_MS = 86_400_000;
let folder = "";
let time = new TestTime();

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "fairlead-local-")), "made/here");
  // Node's own check of certificates has the true time
  time = new TestTime(Date.now());
});

afterEach(() => rmSync(join(folder, "../.."), { recursive: true, force: true }));

function provide(names: readonly string[] = ["box.local", "192.0.2.7"]): Promise<LocalCertificate> {
  return provideLocalCertificate({ folder, names, owner: "ada@box", time });
}

function read(path: string): X509Certificate {
  return new X509Certificate(readFileSync(path));
}

/** A handshake over a true socket, with a client that trusts the authority. */
async function shakeHands(bundle: string, ca: string, servername: string): Promise<string> {
  const server = createServer({ cert: bundle, key: bundle }, (socket) => socket.end());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  try {
    return await new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port, ca, servername }, () => {
        resolve("trusted");
        socket.destroy();
      });
      socket.on("error", (error: Error) => resolve(error.message));
    });
  } finally {
    server.close();
  }
}

describe("a certificate for development", () => {
  it("is trusted by who trusts the authority, for this machine's names and no others", async () => {
    const { bundlePath, authorityPath, isNewAuthority } = await provide();
    expect(isNewAuthority).toBe(true);
    const bundle = readFileSync(bundlePath, "utf8");
    const ca = readFileSync(authorityPath, "utf8");
    for (const name of ["localhost", "box.local"]) expect(await shakeHands(bundle, ca, name)).toBe("trusted");
    expect(await shakeHands(bundle, ca, "example.com")).toMatch(/does not match/);
    const leaf = read(bundlePath);
    for (const address of ["127.0.0.1", "::1", "192.0.2.7"]) expect(leaf.checkIP(address)).toBe(address);
  });

  it("says what it may be used for", async () => {
    const { bundlePath, authorityPath } = await provide();
    const leaf = read(bundlePath);
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(leaf.checkIssued(read(authorityPath))).toBe(true);
    const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / DAY_MS;
    expect(days).toBeLessThan(398);
    const authority = read(authorityPath);
    expect(authority.ca).toBe(true);
    expect(authority.subject).toContain("ada@box");
  });

  it("is made once", async () => {
    const first = await provide();
    const before = readFileSync(first.bundlePath, "utf8");
    expect(await provide()).toEqual({ ...first, isNewAuthority: false });
    expect(readFileSync(first.bundlePath, "utf8")).toBe(before);
    expect(readdirSync(folder).toSorted()).toEqual(["authority.crt", "authority.pem", "localhost.pem"]);
  });

  it.skipIf(process.platform === "win32")(
    "has keys that only their owner can read, and closes what others could",
    async () => {
      await provide();
      const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;
      expect([modeOf("."), modeOf("authority.pem"), modeOf("localhost.pem"), modeOf("authority.crt")]).toEqual([
        0o700, 0o600, 0o600, 0o644,
      ]);
      chmodSync(join(folder, "authority.pem"), 0o644);
      await provide();
      expect(modeOf("authority.pem")).toBe(0o600);
    },
  );

  it.skipIf(process.platform === "win32").each([
    ["stays readable for all", 0o644],
    ["becomes readable for all again", 0o600],
    ["is closed to others who would write it", 0o666],
  ])("has an authority whose public certificate %s", async (_what, mode) => {
    const { authorityPath } = await provide();
    chmodSync(authorityPath, mode);
    await provide();
    expect(statSync(authorityPath).mode & 0o777).toBe(0o644);
    expect(statSync(join(folder, "authority.pem")).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.platform === "win32")("has a public certificate that no umask hides", async () => {
    const before = process.umask(0o077);
    try {
      const { authorityPath } = await provide();
      expect(statSync(authorityPath).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });

  it.each([
    ["is about to end", 368 * DAY_MS, ["box.local", "192.0.2.7"], true, false],
    ["holds for long", 366 * DAY_MS, ["box.local", "192.0.2.7"], false, false],
    ["lacks a name", 0, ["other.local"], true, false],
    ["has a name too many", 0, [], false, false],
    ["would outlive its authority", 3650 * DAY_MS - 396 * DAY_MS, ["box.local", "192.0.2.7"], true, true],
  ])("that %s", async (_what, later, names, isNew, isNewAuthority) => {
    const { bundlePath } = await provide();
    const before = readFileSync(bundlePath, "utf8");
    time.now += later;
    const after = await provide(names);
    expect(readFileSync(bundlePath, "utf8") !== before).toBe(isNew);
    expect(after.isNewAuthority).toBe(isNewAuthority);
  });

  it.each(["authority.pem", "localhost.pem"])("is made anew where %s is broken", async (name) => {
    const { bundlePath, authorityPath } = await provide();
    writeFileSync(join(folder, name), "nothing of the kind");
    const after = await provide();
    expect(after.isNewAuthority).toBe(name === "authority.pem");
    expect(read(bundlePath).checkIssued(read(authorityPath))).toBe(true);
  });

  it("has one authority, however many commands begin at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => provide()));
    expect(all.filter(({ isNewAuthority }) => isNewAuthority)).toHaveLength(1);
    const bundle = await readBundle(join(folder, "localhost.pem"));
    expect(bundle?.leaf.verify(read(join(folder, "authority.crt")).publicKey)).toBe(true);
    expect(readdirSync(folder)).toHaveLength(3);
  });
});

describe("a bundle", () => {
  it.each([
    ["nothing", ""],
    ["no key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    [
      "garbage",
      "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----",
    ],
  ])("is none with %s", (_what, text) => {
    expect(parseBundle(text)).toBeNull();
  });

  it("is none if its parts do not belong together", async () => {
    const { bundlePath } = await provide();
    const mixed =
      read(bundlePath).toString() +
      readFileSync(join(folder, "authority.pem"), "utf8").replace(/[^]*?END CERTIFICATE-----/, "");
    expect(parseBundle(mixed)).toBeNull();
  });
});
