/** Certificates for tests, made anew each time: an authority, and what it issues. */

import "reflect-metadata";
import { createPrivateKey, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};
const DAY_MS = 86_400_000;
let serial = 0;

/** A certificate and its key, in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate says. */
export interface CertificateFacts {
  readonly names?: readonly string[];
  readonly commonName?: string;
  /** Days from now. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** Default: EC. */
  readonly isRsa?: boolean;
}

/** An authority that issues certificates. */
export class TestAuthority {
  readonly cert: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.cert = certificate.toString("pem");
  }

  static async create(commonName = "Test Authority"): Promise<TestAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: nextSerial(),
      name: `CN=${commonName}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(certificate, keys);
  }

  /** Issues a certificate. */
  async issue(facts: CertificateFacts = {}): Promise<TestCertificate> {
    const keys = await crypto.subtle.generateKey(facts.isRsa === true ? RSA : ALGORITHM, true, ["sign", "verify"]);
    const names = facts.names ?? [];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: nextSerial(),
      subject: `CN=${facts.commonName ?? names[0] ?? "nobody"}`,
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() + (facts.fromDays ?? -1) * DAY_MS),
      notAfter: new Date(Date.now() + (facts.toDays ?? 10) * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions:
        names.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value })))],
    });
    const der = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { cert: certificate.toString("pem"), key: x509.PemConverter.encode(der, "PRIVATE KEY") };
  }
}

function nextSerial(): string {
  serial++;
  return serial.toString(16).padStart(4, "0");
}

/** The same key behind a passphrase. */
export function lock(key: string, passphrase: string): string {
  return createPrivateKey(key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
}
