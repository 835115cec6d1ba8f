/**
 * One certificate with its key: read from text or files, and checked so that what is wrong is said in words.
 *
 * Steps: read -> is it PEM -> does the certificate parse -> does the key -> do they belong together -> dates -> names. What
 * makes it useless is a mistake, what makes it useless to some is a warning. A key, or a passphrase, is never part of a message.
 */

import type { KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { cryptography } from "./cryptography.ts";

/** Where a certificate comes from: text or file for each part. */
export interface CertificateSource {
  /** Option that holds it, for messages: `tls` or `tls.servers[0]`. */
  readonly path: string;
  /** Names that it is for; empty: those that it says itself. */
  readonly names: readonly string[];
  readonly cert: string | Uint8Array | null;
  readonly certFile: string | null;
  readonly key: string | Uint8Array | null;
  readonly keyFile: string | null;
  readonly passphrase: string | null;
  readonly ocspFile: string | null;
}

/** A certificate that can be used. */
export interface Certificate {
  /** Names of servers that it is for, in lower case; `*.` stands for one label. */
  readonly names: readonly string[];
  /** The server's certificate and those of its issuers. */
  readonly certPem: Buffer;
  readonly keyPem: Buffer;
  readonly passphrase: string | null;
  readonly leaf: X509Certificate;
  /** Response of the issuer's OCSP responder, in DER; null: none to staple. */
  readonly ocsp: Buffer | null;
}

/** What became of a source. */
export interface LoadedCertificate {
  /** Null if there are mistakes. */
  readonly certificate: Certificate | null;
  readonly mistakes: readonly CertificateProblem[];
  readonly warnings: readonly CertificateProblem[];
}

/** A certificate, and who gave it for its names. */
interface Claim {
  readonly source: CertificateSource;
  readonly certificate: Certificate;
}

/** Something that is wrong with a certificate. */
export interface CertificateProblem {
  /** Option concerned, e.g. `tls.keyFile`. */
  readonly path: string;
  /** What is wrong, as a clause. */
  readonly what: string;
}

const BEGIN_CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
const BEGIN_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;
const ONE_CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** What a text in PEM is to hold, and what may have been taken for it. */
interface Part {
  readonly wanted: string;
  readonly other: RegExp;
  readonly otherName: string;
  /** Option for who has it as a file. */
  readonly fileOption: string;
}

const CERTIFICATE_PART: Part = {
  wanted: "certificate",
  other: BEGIN_KEY,
  otherName: "a private key",
  fileOption: "certFile",
};
const KEY_PART: Part = {
  wanted: "private key",
  other: BEGIN_CERTIFICATE,
  otherName: "a certificate",
  fileOption: "keyFile",
};

/** First octet of DER: a SEQUENCE (X.690 §8.9). */
const DER_SEQUENCE = 0x30;
/** Largest file that is read; a chain of five certificates has 10 KiB. */
const MAX_PEM_BYTES = 1024 * 1024;

/** Whether this Node takes a certificate of another kind than the default's for unfit. */
const SHOWS_ONE_KIND = Number.parseInt(process.versions.node, 10) < 24;

/** Loads all certificates of a server, again too; `problems` gets all that is wrong. */
export function loadAll(
  sources: readonly CertificateSource[],
  nowMs: number,
  problems: CertificateProblem[],
): { readonly certificates: readonly Certificate[]; readonly warnings: readonly CertificateProblem[] } {
  const claims: Claim[] = [];
  const warnings: CertificateProblem[] = [];
  for (const source of sources) {
    const loaded = loadCertificate(source, nowMs);
    problems.push(...loaded.mistakes);
    warnings.push(...loaded.warnings);
    if (loaded.certificate !== null) claims.push({ source, certificate: loaded.certificate });
  }
  const certificates = claims.map(({ certificate }) => certificate);
  return { certificates, warnings: [...warnings, ...findTaken(claims), ...findOtherKinds(claims)] };
}

/**
 * Reads and checks.
 *
 * @param nowMs time of day
 */
function loadCertificate(source: CertificateSource, nowMs: number): LoadedCertificate {
  const mistakes: CertificateProblem[] = [];
  const warnings: CertificateProblem[] = [];
  const certPath = `${source.path}.${source.certFile === null ? "cert" : "certFile"}`;
  const keyPath = `${source.path}.${source.keyFile === null ? "key" : "keyFile"}`;
  const certPem = readPart(source.cert, source.certFile, certPath, mistakes);
  const keyPem = readPart(source.key, source.keyFile, keyPath, mistakes);
  const ocsp = source.ocspFile === null ? null : readPart(null, source.ocspFile, `${source.path}.ocspFile`, mistakes);
  const chain = certPem === null ? null : parseChain(certPem, source.certFile, certPath, mistakes);
  const key = keyPem === null ? null : parseKey(keyPem, source, keyPath, mistakes);
  const leaf = chain?.[0];
  if (chain !== null && leaf !== undefined && key !== null) checkPair(chain, leaf, key, keyPath, mistakes);
  if (ocsp !== null && ocsp[0] !== DER_SEQUENCE)
    mistakes.push({ path: `${source.path}.ocspFile`, what: "is no OCSP response in DER" });
  if (leaf !== undefined) checkUse(leaf, source, certPath, nowMs, warnings);
  if (mistakes.length > 0 || leaf === undefined || certPem === null || keyPem === null)
    return { certificate: null, mistakes, warnings };
  const names = (source.names.length > 0 ? source.names : namesOf(leaf)).map((name) => name.toLowerCase());
  return { certificate: { names, certPem, keyPem, passphrase: source.passphrase, leaf, ocsp }, mistakes, warnings };
}

/** Text or file as octets. */
export function readPart(
  text: string | Uint8Array | null,
  file: string | null,
  path: string,
  mistakes: CertificateProblem[],
): Buffer | null {
  if (file === null) {
    if (text !== null) return typeof text === "string" ? Buffer.from(text) : Buffer.from(text);
    mistakes.push({ path, what: "is missing" });
    return null;
  }
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= MAX_PEM_BYTES) return bytes;
    mistakes.push({ path, what: `${file} is larger than 1 MiB` });
  } catch (error) {
    mistakes.push({ path, what: `${file} ${whyUnreadable(error as NodeJS.ErrnoException)}` });
  }
  return null;
}

function whyUnreadable(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "does not exist";
    case "EACCES":
    case "EPERM":
      return "must not be read by this user";
    case "EISDIR":
      return "is a folder";
    default:
      return `cannot be read (${error.code ?? error.message})`;
  }
}

/**
 * Certificates of a PEM text in their order, or null with what is wrong.
 *
 * @param file where the text was read from, for messages; null: it was given itself
 */
export function parseChain(
  pem: Buffer,
  file: string | null,
  path: string,
  mistakes: CertificateProblem[],
): X509Certificate[] | null {
  const text = pem.toString("latin1");
  if (!BEGIN_CERTIFICATE.test(text)) {
    mistakes.push({ path, what: whyNoPem(text, pem, file, CERTIFICATE_PART) });
    return null;
  }
  try {
    const blocks = text.match(ONE_CERTIFICATE) ?? [];
    if (blocks.length === 0) throw new Error("no END line");
    const { X509Certificate } = cryptography();
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    mistakes.push({ path, what: `holds a certificate that cannot be read (${messageOf(error)})` });
    return null;
  }
}

function whyNoPem(text: string, bytes: Buffer, file: string | null, part: Part): string {
  const { wanted, other, otherName, fileOption } = part;
  const subject = file === null ? "" : `${file} `;
  if (other.test(text)) return `${subject}holds ${otherName} and no ${wanted}; were cert and key swapped?`;
  if (bytes[0] === DER_SEQUENCE) return `${subject}is DER and not PEM; openssl converts it (-inform DER -outform PEM)`;
  if (text.includes("-----BEGIN ")) return `${subject}is PEM, but holds no ${wanted}`;
  const what = `${subject}holds no ${wanted} in PEM (a text with -----BEGIN)`;
  return file === null ? `${what}; for the path of a file use ${fileOption}` : what;
}

function parseKey(
  pem: Buffer,
  { keyFile, passphrase }: CertificateSource,
  path: string,
  mistakes: CertificateProblem[],
): KeyObject | null {
  const text = pem.toString("latin1");
  if (!BEGIN_KEY.test(text)) {
    mistakes.push({ path, what: whyNoPem(text, pem, keyFile, KEY_PART) });
    return null;
  }
  const isLocked = text.includes("ENCRYPTED");
  if (isLocked && passphrase === null) {
    mistakes.push({ path, what: "is locked with a passphrase; give it as passphrase" });
    return null;
  }
  try {
    return cryptography().createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
  } catch (error) {
    const what = isLocked ? "cannot be opened with this passphrase" : "holds a private key that cannot be read";
    mistakes.push({ path, what: `${what} (${messageOf(error)})` });
    return null;
  }
}

function checkPair(
  chain: readonly X509Certificate[],
  leaf: X509Certificate,
  key: KeyObject,
  path: string,
  mistakes: CertificateProblem[],
): void {
  if (leaf.checkPrivateKey(key)) return;
  const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  const what =
    index === -1
      ? `is not the key of ${firstNameOf(leaf) === undefined ? "that certificate" : titleOf(leaf)}`
      : `is the key of certificate ${index + 1} of the chain; the server's own must stand first`;
  mistakes.push({ path, what });
}

/** Warnings: a server that starts with an expired certificate can be mended while it runs, one that does not start cannot. */
function checkUse(
  leaf: X509Certificate,
  source: CertificateSource,
  path: string,
  nowMs: number,
  warnings: CertificateProblem[],
): void {
  if (Date.parse(leaf.validTo) <= nowMs) {
    warnings.push({
      path,
      what: `${titleOf(leaf)} has expired, on ${leaf.validTo}; clients will refuse it`,
    });
  }
  if (Date.parse(leaf.validFrom) > nowMs) {
    warnings.push({
      path,
      what: `${titleOf(leaf)} is not valid before ${leaf.validFrom}; is the clock right?`,
    });
  }
  for (const name of source.names) {
    if (!covers(leaf, name)) {
      warnings.push({
        path: `${source.path}.names`,
        what: `the certificate is not for ${name}, but for ${namesOf(leaf).join(", ") || "no name"}`,
      });
    }
  }
}

/**
 * Warnings: names that a certificate before has taken, for the first that claims a name has it. The same certificate twice is
 * no reason: it makes no difference to a client.
 *
 * @param claims in their order
 */
function findTaken(claims: readonly Claim[]): CertificateProblem[] {
  const owners = new Map<string, Claim>();
  const warnings: CertificateProblem[] = [];
  for (const claim of claims) {
    const taken = new Map<string, string[]>();
    for (const name of new Set(claim.certificate.names)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, claim);
      else if (!isSameCertificate(owner, claim)) {
        taken.set(owner.source.path, [...(taken.get(owner.source.path) ?? []), name]);
      }
    }
    for (const [path, names] of taken) {
      const what = `the certificate is not used for ${names.join(", ")}: ${path} comes before it and has the same`;
      warnings.push({ path: claim.source.path, what });
    }
  }
  return warnings;
}

/**
 * Warnings: certificates with a key of another kind than the default's, RSA beside EC, where Node shows the default's to some of
 * those who ask for their names (nodejs/node#54235).
 */
function findOtherKinds(claims: readonly Claim[]): CertificateProblem[] {
  const [first, ...others] = claims;
  if (first === undefined || !SHOWS_ONE_KIND) return [];
  const kindOf = ({ certificate }: Claim): string => certificate.leaf.publicKey.asymmetricKeyType ?? "";
  const kind = kindOf(first);
  return others
    .filter((claim) => kindOf(claim) !== kind)
    .map((claim) => ({
      path: claim.source.path,
      what: `the certificate has a key of another kind (${kindOf(claim)}) than ${first.source.path} (${kind}): Node before 24 shows some clients the latter in its place; give both the same kind`,
    }));
}

function isSameCertificate(a: Claim, b: Claim): boolean {
  // A file may be replaced between two looks at it
  const isSameFile = a.source.certFile !== null && a.source.certFile === b.source.certFile;
  return isSameFile || a.certificate.leaf.raw.equals(b.certificate.leaf.raw);
}

/** Whether a certificate is for a name, or for all that a name with `*.` stands for. */
export function covers(leaf: X509Certificate, name: string): boolean {
  if (name.startsWith("*.")) return namesOf(leaf).includes(name.toLowerCase());
  return leaf.checkHost(name, { subject: "never" }) !== undefined;
}

/** DNS names that a certificate says it is for; its subject counts for nothing (RFC 9525 §6.3). */
function namesOf(leaf: X509Certificate): string[] {
  return [...(leaf.subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^",]+)/g)].map((match) =>
    (match[1] as string).toLowerCase(),
  );
}

function firstNameOf(leaf: X509Certificate): string | undefined {
  return namesOf(leaf)[0];
}

function titleOf(leaf: X509Certificate): string {
  const name = firstNameOf(leaf);
  return name === undefined ? "the certificate" : `the certificate for ${name}`;
}

function messageOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
