/**
 * Certificates that we issue ourselves (RFC 5280): an authority, certificates of it, and one that stands in until a better one
 * is there.
 *
 * Keys are ECDSA on P-256. The library is loaded when something is issued: it takes longer than a server's start. What is
 * made is text; where it is kept is not decided here.
 */

import type { webcrypto } from "node:crypto";
import type * as x509Types from "@peculiar/x509";
import { isAddress } from "./names.ts";

/** Certificate and key in PEM. */
export interface Issued {
  readonly certPem: string;
  /** PKCS #8, not locked. */
  readonly keyPem: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const SERIAL_BYTES = 16;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Nobody renews what is in the stores of browsers. */
const AUTHORITY_DAYS = 3650;

type X509 = typeof x509Types;

/** An authority that may issue certificates of servers, and no further authorities. */
export async function issueAuthority(commonName: string, nowMs: number): Promise<Issued> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [commonName] }, { O: ["Fairlead local authority"] }],
    ...validity(nowMs, AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      // RFC 5280 §4.2.1.3: certificates and lists are all that the key may sign
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await exportKey(x509, keys.privateKey) };
}

/**
 * A certificate for a server.
 *
 * @param names host names, with `*.` for one label, and addresses
 */
export async function issueForServer(
  authority: Issued,
  names: readonly string[],
  nowMs: number,
  lifetimeMs: number,
): Promise<Issued> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certPem);
  const signingKey = await importKey(x509, authority.keyPem);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [names[0] ?? "localhost"] }],
    issuer: issuer.subject,
    ...validity(nowMs, lifetimeMs),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      ...(await serverExtensions(x509, names, keys.publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await exportKey(x509, keys.privateKey) };
}

/** A certificate that nobody trusts, so that a server can speak TLS before it has one that is. */
export async function issuePlaceholder(names: readonly string[], nowMs: number): Promise<Issued> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [names[0] ?? "localhost"] }],
    ...validity(nowMs, DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: await serverExtensions(x509, names, keys.publicKey),
  });
  return { certPem: `${certificate.toString("pem")}\n`, keyPem: await exportKey(x509, keys.privateKey) };
}

async function serverExtensions(
  x509: X509,
  names: readonly string[],
  publicKey: webcrypto.CryptoKey,
): Promise<x509Types.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    // RFC 9525 §2: names are looked for here and nowhere else
    new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value }) as const),
    ),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

/** From an hour ago: clocks of other machines are behind. */
function validity(nowMs: number, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - HOUR_MS), notAfter: new Date(nowMs + lifetimeMs) };
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; unpredictable. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

async function exportKey(x509: X509, key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

async function importKey(x509: X509, keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(keyPem);
  return crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

async function loadX509(): Promise<X509> {
  // Its dependency injection asks for it when it is loaded
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
