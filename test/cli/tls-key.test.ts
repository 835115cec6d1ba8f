/** What the command says of a key that it does not get: missing, or locked. */
import { createPrivateKey } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issueAuthority, issueForServer } from "../../src/certificates/issue.ts";
import { runUnserved } from "./support/quiet-world.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-key-"));
  mkdirSync(join(folder, "site"));
  const authority = await issueAuthority("test", Date.now());
  const { certPem, keyPem } = await issueForServer(authority, ["localhost"], Date.now(), 86_400_000);
  const key = createPrivateKey(keyPem);
  const locked = { format: "pem", cipher: "aes-256-cbc", passphrase: "sesame" } as const;
  writeFileSync(join(folder, "cert.pem"), certPem);
  writeFileSync(join(folder, "locked.pem"), key.export({ ...locked, type: "pkcs8" }));
  writeFileSync(join(folder, "old locked.pem"), key.export({ ...locked, type: "sec1" }));
  const tls = { certFile: "cert.pem", keyFile: "locked.pem", passphrase: "sesame" };
  writeFileSync(join(folder, "site.config.json"), JSON.stringify({ tls }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function check(...flags: string[]): Promise<{ exitCode: number; lines: string[] }> {
  const { exitCode, errors } = await runUnserved(folder, ["check", "site", ...flags]);
  return { exitCode, lines: errors.split("\n").slice(0, -3) };
}

it("tells which flag is missing where the certificate is there alone", async () => {
  expect(await check("--tls-cert", "cert.pem")).toEqual({
    exitCode: 1,
    lines: [
      "wrong  --tls-cert: /cert.pem holds a certificate and no private key",
      "         --tls-key is missing: name the file of its key with --tls-key FILE",
    ],
  });
});

it.each([
  ["locked.pem", "locked.pem"],
  ["old locked.pem", '"old locked.pem"'],
])("tells how a locked key is used: %s", async (name, quoted) => {
  const { exitCode, lines } = await check("--tls-cert", "cert.pem", "--tls-key", name);
  expect(exitCode).toBe(1);
  expect(lines).toEqual([
    `wrong  --tls-key: the key in ${name} is locked with a passphrase`,
    `         Unlock a copy, openssl pkey -in ${quoted} -out unlocked.pem, and give --tls-key unlocked.pem`,
    "         or say tls: { certFile, keyFile, passphrase } in a configuration file, in place of the flags",
  ]);
});

it("takes it from a configuration file that has the passphrase", async () => {
  expect(await check("-c", "site.config.json")).toEqual({ exitCode: 0, lines: [] });
});
