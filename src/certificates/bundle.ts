/**
 * Key and certificates as one file, so that they are replaced together: `tls.certFile` and `tls.keyFile` name the same one.
 *
 * A bundle that cannot be read, or whose parts do not belong together, is as good as none: it is made anew. It must never say
 * a key.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Issued } from "./issue.ts";
import { isAddress } from "./names.ts";
import { readPrivate, writePrivate } from "./private-file.ts";

/** A bundle that was read. */
export interface Bundle extends Issued {
  /** The server's own certificate, the first one. */
  readonly leaf: X509Certificate;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----/;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^]*?-----END (?:EC |RSA )?PRIVATE KEY-----/;

/** Reads a bundle; null if there is none that is any good. */
export async function readBundle(path: string): Promise<Bundle | null> {
  const text = await readPrivate(path);
  return text === null ? null : parseBundle(text);
}

/** Writes it in the place of the one before. */
export async function writeBundle(path: string, issued: Issued): Promise<void> {
  await writePrivate(path, renderBundle(issued));
}

/** As text: the certificates first, as servers have them. */
export function renderBundle({ certPem, keyPem }: Issued): string {
  return `${certPem.trim()}\n${keyPem.trim()}\n`;
}

/** Null for what is none. */
export function parseBundle(text: string): Bundle | null {
  const certPem = CERTIFICATES.exec(text)?.[0];
  const keyPem = KEY.exec(text)?.[0];
  if (certPem === undefined || keyPem === undefined) return null;
  try {
    const leaf = new X509Certificate(certPem);
    if (!leaf.checkPrivateKey(createPrivateKey(keyPem))) return null;
    return { certPem, keyPem, leaf, fromMs: Date.parse(leaf.validFrom), untilMs: Date.parse(leaf.validTo) };
  } catch {
    return null;
  }
}

/** Whether a certificate is for all of these names and addresses. */
export function isFor(leaf: X509Certificate, names: readonly string[]): boolean {
  const said = (leaf.subjectAltName ?? "").split(", ");
  return names.every((name) => {
    if (isAddress(name)) return leaf.checkIP(name) !== undefined;
    return name.startsWith("*.") ? said.includes(`DNS:${name}`) : leaf.checkHost(name) !== undefined;
  });
}
