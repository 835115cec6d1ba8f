/**
 * What was given about TLS -> where the certificate comes from: a local one, files, or ACME.
 *
 * It must never look at the disk, nor load what makes certificates: most servers speak plain HTTP here.
 */

import { resolve } from "node:path";
import { ACME_DIRECTORIES, isMailAddress, readDirectory, readDomain } from "../certificates/acme-names.ts";
import type { ServerConfig } from "../config/config.ts";
import type { Mistakes } from "./command-error.ts";
import type { Given } from "./config-layers.ts";
import { isOn, textOf } from "./flags.ts";
import type { FlagName } from "./flags.ts";
import { textWithoutSecrets } from "./shown-value.ts";

/** Where the certificate comes from; null for plain HTTP, or for what a file says of `tls` in full. */
export type TlsSettings =
  | { readonly kind: "local" }
  | { readonly kind: "files"; readonly certFile: string; readonly keyFile: string }
  | {
      readonly kind: "acme";
      readonly mail: string;
      readonly domains: readonly string[];
      /** URL. */
      readonly directory: string;
    }
  | null;

/**
 * Understands it. Each value is looked at, also where it does not go with another; then a certificate from files goes first, so
 * that those are looked at too.
 *
 * @param mistakes gets what does not go together, or cannot be, with exit code 2
 */
export function readTlsSettings(given: Given, mistakes: Mistakes): TlsSettings {
  const { flags } = given;
  if (flags.has("tls") && !isOn(flags, "tls", true)) return null;
  const acme = readAcme(given, mistakes);
  const certFile = textOf(flags, "tls-cert");
  const keyFile = textOf(flags, "tls-key");
  if (certFile === "") mistakes.tell(2, `${shown(given, "tls-cert")} is empty`, ["Give the name of a file"]);
  if (flags.has("acme") && flags.has("tls-cert")) {
    const files = (["tls-cert", "tls-key"] as const).filter((flag) => flags.has(flag));
    const what = `${files.map((flag) => shown(given, flag)).join(", ")} and ${shown(given, "acme")} do not go together`;
    mistakes.tell(2, what, ["A certificate comes from a file or from ACME"]);
  } else if (flags.has("acme") && flags.has("tls-key")) {
    mistakes.tell(2, `${shown(given, "tls-key")} and ${shown(given, "acme")} do not go together`, [
      "A certificate of ACME has a key of its own: leave this one out, or give its certificate, --tls-cert FILE, in place of ACME",
    ]);
  }
  // Some keep both in one file
  if (certFile !== undefined && certFile !== "") return { kind: "files", certFile, keyFile: keyFile ?? certFile };
  if (acme !== null) return acme;
  if (keyFile !== undefined && !flags.has("tls-cert") && !flags.has("acme")) {
    mistakes.tell(2, `${shown(given, "tls-key")} needs a certificate besides`, ["Give it with --tls-cert FILE"]);
  }
  return isOn(flags, "tls", false) ? { kind: "local" } : null;
}

/** Null where it is not asked for, or something of it is wrong. */
function readAcme(given: Given, mistakes: Mistakes): TlsSettings {
  const { flags } = given;
  const before = mistakes.all.length;
  const mail = textOf(flags, "acme");
  if (mail !== undefined && !isMailAddress(mail)) {
    mistakes.tell(2, `${shown(given, "acme")} is ${JSON.stringify(mail)}, which is no address of mail`, [
      "The authority writes to it when a certificate is about to end: --acme you@example.com",
    ]);
  }
  if (flags.has("acme") && !flags.has("domain")) {
    mistakes.tell(2, `${shown(given, "acme")} needs a name`, ["Give each with --domain example.com"]);
  }
  const domains = (flags.get("domain") ?? []).flatMap((text) => {
    const read = readDomain(String(text));
    if ("name" in read) return [read.name];
    mistakes.tell(2, `${shown(given, "domain")} is ${JSON.stringify(text)}, which ${read.mistake}`);
    return [];
  });
  const text = textOf(flags, "acme-directory") ?? "production";
  const directory = readDirectory(text);
  if (directory === null) {
    const names = Object.keys(ACME_DIRECTORIES).join(", ");
    const said = JSON.stringify(textWithoutSecrets(text));
    mistakes.tell(2, `${shown(given, "acme-directory")} is ${said}, which is no directory`, [
      `Give ${names}, or the URL of one`,
    ]);
  }
  for (const name of ["domain", "acme-directory"] as const) {
    if (flags.has("acme") || !flags.has(name)) continue;
    mistakes.tell(2, `${shown(given, name)} is for certificates of ACME, and ${shown(given, "acme")} is missing`, [
      "Give the address that the authority may write to: --acme you@example.com",
    ]);
  }
  if (mail === undefined || mistakes.all.length > before) return null;
  return { kind: "acme", mail, domains: [...new Set(domains)], directory: directory ?? "" };
}

function shown({ origins }: Given, name: FlagName): string {
  return origins.get(name)?.shown ?? `--${name}`;
}

/** The files of a certificate, absolute. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Those that were named. */
export function resolvedFiles({ certFile, keyFile }: CertificateFiles, workingFolder: string): CertificateFiles {
  return { certFile: resolve(workingFolder, certFile), keyFile: resolve(workingFolder, keyFile) };
}

/**
 * What a file says besides (client certificates, versions) holds; where the certificate comes from the flags have said.
 *
 * @param files null: they are not made yet
 */
export function withTls(server: ServerConfig, files: CertificateFiles | null): ServerConfig {
  const { cert: _cert, key: _key, passphrase: _pass, ocspFile: _ocsp, ...more } = server.tls ?? {};
  const { certFile: _certFile, keyFile: _keyFile, ...rest } = more;
  return { ...server, tls: { ...rest, ...files } };
}
