/**
 * The options of TLS and of what stands around it (redirects, HSTS, PROXY protocol): types, and checks that need more than one
 * value or a look into a file.
 *
 * Single values are checked by the option table like all others. Here certificates are loaded, so that a mistake in a file is
 * told together with every other mistake, before anything listens.
 */

import type { Handler } from "../web/handler.ts";
import { AddressSet, ADDRESSES_ALLOWED } from "./address-set.ts";
import type { OptionMistake } from "./option-check.ts";
import { show } from "./option-check.ts";
import { nearestOf } from "./option-rules.ts";
import type { ProxyTrust } from "./preface.ts";
import { type CertificateProblem, type CertificateSource, loadAll, parseChain, readPart } from "./tls-certificate.ts";
import { TlsEndpoint } from "./tls-endpoint.ts";
import type { TlsVersion } from "./tls-settings.ts";
import { factsOf } from "./tls-watch.ts";

/** A certificate with its key: each as text (PEM), or as the path of a file that holds it. */
export interface CertificateOptions {
  /** The certificate, and behind it those of its issuers, in PEM. */
  readonly cert?: string | Uint8Array | undefined;
  /** Path of a file with it, in place of `cert`. Read again when it changes. */
  readonly certFile?: string | undefined;
  /** The private key, in PEM. */
  readonly key?: string | Uint8Array | undefined;
  /** Path of a file with it, in place of `key`. Read again when it changes. */
  readonly keyFile?: string | undefined;
  /** Opens the key, if it is locked. */
  readonly passphrase?: string | undefined;
  /** Path of a file with the OCSP response for the certificate, in DER, which is stapled to it. */
  readonly ocspFile?: string | undefined;
}

/** A certificate for some names. */
export interface TlsServerOptions extends CertificateOptions {
  /** Names that clients ask for (SNI); `*.example.com` stands for one label. Default: those in the certificate. */
  readonly names?: readonly string[] | undefined;
}

/** TLS. Given at all, even empty but for a certificate, it makes the port speak HTTPS. */
export interface TlsOptions extends CertificateOptions {
  /** More certificates, chosen by the name that the client asks for. */
  readonly servers?: readonly TlsServerOptions[] | undefined;
  /** Certificates of the authorities that may issue those of clients, in PEM. */
  readonly ca?: string | Uint8Array | undefined;
  /** Path of a file with them, in place of `ca`; read again when it changes. */
  readonly caFile?: string | undefined;
  /** Ask clients for a certificate, default false; see `context.clientCertificate`. */
  readonly requestCert?: boolean | undefined;
  /** Refuse clients without a valid one in the handshake, default true; matters with `requestCert` alone. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Least version, default `TLSv1.2`. */
  readonly minVersion?: TlsVersion | undefined;
  /** Serve plain HTTP on the same port too, default false: plain requests are redirected or refused. */
  readonly allowPlain?: boolean | undefined;
  /** Locks session tickets: 48 octets, the same in all processes of a server. Default: made up, and renewed. */
  readonly ticketKeys?: Uint8Array | undefined;
  /** Read certificates again when their files change, default true. */
  readonly watch?: boolean | undefined;
}

/** HTTP Strict Transport Security (RFC 6797): browsers use HTTPS alone, for so long. */
export interface TransportSecurityOptions {
  /** Seconds, default none: no such field; 0 takes an earlier promise back. A year: 31,536,000. */
  readonly maxAgeSeconds?: number | undefined;
  /** For all names below too, default false. */
  readonly includeSubDomains?: boolean | undefined;
  /** May be built into browsers, default false; see hstspreload.org. */
  readonly preload?: boolean | undefined;
}

/** A second port, which sends plain HTTP to HTTPS. */
export interface RedirectOptions {
  /** TCP port, usually 80; 0: the system chooses. Default none. */
  readonly port?: number | undefined;
  /** Default: that of the server. */
  readonly hostname?: string | undefined;
  /** Port of HTTPS as clients see it, default the one that is listened on. */
  readonly toPort?: number | undefined;
  /** Answers `/.well-known/acme-challenge/…` in place of the redirect. */
  readonly challenge?: Handler | undefined;
}

/** Proxies that say who their client is, before anything else (PROXY protocol, versions 1 and 2). */
export interface ProxyProtocolOptions {
  /**
   * Addresses of the proxies: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`, or the words `loopback`, `private`, `unix`. They must send a
   * header, and so must all peers on a unix socket; all others are cut off.
   */
  readonly from?: readonly string[] | undefined;
  /** Others may connect too, default false. A header from them is refused as the nonsense that it is to HTTP. */
  readonly allowDirect?: boolean | undefined;
}

/** Where authorities of clients come from: text, a file, or nowhere. */
export interface AuthoritiesSource {
  readonly ca: string | Uint8Array | null;
  readonly caFile: string | null;
}

/** TLS after validation. */
export interface ResolvedTls {
  readonly endpoint: TlsEndpoint;
  readonly sources: readonly CertificateSource[];
  readonly authorities: AuthoritiesSource;
  /** Of both, and what identified them before they were loaded. */
  readonly files: readonly string[];
  readonly filesLoaded: string;
  readonly warnings: readonly CertificateProblem[];
  readonly allowPlain: boolean;
  readonly isWatching: boolean;
  /** Whether the keys of tickets are ours to renew. */
  readonly ownsTicketKeys: boolean;
}

/** Where plain HTTP is sent on, after validation. */
export interface ResolvedRedirect {
  readonly port: number;
  readonly hostname: string;
  /** 0: the one that is listened on. */
  readonly toPort: number;
  readonly challenge: Handler | null;
}

type Values = ReadonlyMap<string, unknown>;
type Given = Readonly<Record<string, unknown>>;

const OWN_NAMES = ["cert", "certFile", "key", "keyFile", "passphrase", "ocspFile"] as const;
const SOURCE_NAMES: readonly string[] = ["names", ...OWN_NAMES];
const NAME = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 6797 and hstspreload.org: what a name on the list must promise. */
const PRELOAD_SECONDS = 31_536_000;

/**
 * Loads certificates and makes the endpoint. Null: there is none, or there are mistakes.
 *
 * @param values of the rows `tls.…`, each right by itself
 * @param nowMs time of day
 * @param given what they come from: whether `requestCert` was left out
 */
export function resolveTls(
  values: Values,
  mistakes: OptionMistake[],
  nowMs: number,
  given: TlsOptions | undefined,
): ResolvedTls | null {
  const problems: CertificateProblem[] = [];
  const sources = sourcesOf(values, mistakes);
  const authorities = authoritiesOf(values);
  const files = [
    ...sources.flatMap(({ certFile, keyFile, ocspFile }) => [certFile, keyFile, ocspFile]),
    authorities.caFile,
  ].filter((file) => file !== null);
  const filesLoaded = factsOf(files);
  const { certificates, warnings } = loadAll(sources, nowMs, problems);
  const requestCert = values.get("tls.requestCert") as boolean;
  const rejectUnauthorized = values.get("tls.rejectUnauthorized") as boolean;
  refuseBoth({ ca: values.get("tls.ca"), caFile: values.get("tls.caFile") }, "ca", "tls", mistakes);
  const clientAuthorities = loadAuthorities(authorities, problems);
  if (requestCert && rejectUnauthorized && clientAuthorities === null && problems.length === 0) {
    problems.push({ path: "tls.ca", what: "is missing; without it no certificate of a client can be trusted" });
  }
  if (given?.requestCert === undefined) checkAuthoritiesWanted(authorities, problems);
  if (requestCert && rejectUnauthorized && values.get("tls.allowPlain") === true) problems.push(WAY_PAST);
  let endpoint: TlsEndpoint | null = null;
  if (problems.length === 0 && mistakes.length === 0) {
    const config = {
      minVersion: values.get("tls.minVersion") as TlsVersion,
      clientAuthorities,
      requestCert,
      rejectUnauthorized,
      ticketKeys: values.get("tls.ticketKeys") as Buffer | null,
    };
    try {
      endpoint = new TlsEndpoint(config, certificates);
    } catch (error) {
      problems.push({ path: "tls", what: refusedByOpenssl(error) });
    }
  }
  for (const { path, what } of problems) mistakes.push({ path, given: "", allowed: "", nearest: "", what });
  if (endpoint === null) return null;
  return Object.freeze({
    endpoint,
    sources,
    authorities,
    files,
    filesLoaded,
    warnings,
    allowPlain: values.get("tls.allowPlain") as boolean,
    isWatching: values.get("tls.watch") as boolean,
    ownsTicketKeys: values.get("tls.ticketKeys") === null,
  });
}

/** Why OpenSSL does not take what parses: a key that is too short, a signature that is too old. */
export function refusedByOpenssl(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return `OpenSSL refuses the certificate or its key (${code ?? message})`;
}

/** The certificates that were given, the default first. */
function sourcesOf(values: Values, mistakes: OptionMistake[]): CertificateSource[] {
  const own: Record<string, unknown> = {};
  for (const name of OWN_NAMES) own[name] = values.get(`tls.${name}`);
  const servers = values.get("tls.servers") as readonly Given[];
  const sources: CertificateSource[] = [];
  // The first of several servers is the default where there is none besides
  const isOwnGiven = ["cert", "certFile", "key", "keyFile"].some((name) => (own[name] ?? null) !== null);
  const add = (given: Given, path: string): void => {
    const before = mistakes.length;
    const source = sourceOf(given, path, mistakes);
    // What its files hold nobody can say before it is known which of them are meant
    if (mistakes.length === before) sources.push(source);
  };
  if (isOwnGiven || servers.length === 0) add(own, "tls");
  for (const [index, server] of servers.entries()) add(server, `tls.servers[${index}]`);
  return sources;
}

/** Of an object that the table has checked as far as it can. */
function sourceOf(given: Given, path: string, mistakes: OptionMistake[]): CertificateSource {
  for (const name of Object.keys(given)) {
    if (SOURCE_NAMES.includes(name)) continue;
    const nearest = nearestOf(name, SOURCE_NAMES);
    mistakes.push({
      path: `${path}.${name}`,
      given: show(given[name]),
      allowed: "",
      nearest: nearest && `${path}.${nearest}`,
    });
  }
  for (const name of ["cert", "key"]) refuseBoth(given, name, path, mistakes);
  const names = (given["names"] ?? []) as readonly string[];
  for (const name of names) {
    if (typeof name === "string" && NAME.test(name)) continue;
    const allowed = "names such as www.example.com or *.example.com";
    mistakes.push({ path: `${path}.names`, given: show(name), allowed, nearest: "" });
  }
  return {
    path,
    names: names.filter((name) => typeof name === "string"),
    cert: pemOf(given, "cert", path, mistakes),
    certFile: textOf(given, "certFile", path, mistakes),
    key: pemOf(given, "key", path, mistakes),
    keyFile: textOf(given, "keyFile", path, mistakes),
    passphrase: textOf(given, "passphrase", path, mistakes),
    ocspFile: textOf(given, "ocspFile", path, mistakes),
  };
}

/** As text and as a file: one of them would be ignored. */
function refuseBoth(given: Given, name: string, path: string, mistakes: OptionMistake[]): void {
  const file = `${name}File`;
  if ((given[name] ?? null) === null || (given[file] ?? null) === null) return;
  mistakes.push({ path: `${path}.${name}`, given: `together with ${file}`, allowed: "one of the two", nearest: "" });
}

function pemOf(given: Given, name: string, path: string, mistakes: OptionMistake[]): string | Uint8Array | null {
  const value = given[name] ?? null;
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return value;
  mistakes.push({ path: `${path}.${name}`, given: show(value), allowed: "text or octets", nearest: "" });
  return null;
}

function textOf(given: Given, name: string, path: string, mistakes: OptionMistake[]): string | null {
  const value = given[name] ?? null;
  if (value === null || (typeof value === "string" && value !== "")) return value;
  mistakes.push({ path: `${path}.${name}`, given: typeof value, allowed: "text that is not empty", nearest: "" });
  return null;
}

/**
 * What looks as if only clients with a certificate were let in, and lets in all. Not where it is said that nobody is asked, as
 * one of several settings with the same authorities may do.
 */
function checkAuthoritiesWanted({ ca, caFile }: AuthoritiesSource, problems: CertificateProblem[]): void {
  if (ca === null && caFile === null) return;
  const path = caFile === null ? "tls.ca" : "tls.caFile";
  problems.push({ path, what: "was given without requestCert: clients are asked for no certificate" });
}

const WAY_PAST: CertificateProblem = {
  path: "tls.allowPlain",
  what: "lets clients past requestCert: in plain text they show no certificate; rejectUnauthorized: false would leave them to the handler",
};

function authoritiesOf(values: Values): AuthoritiesSource {
  const ca = values.get("tls.ca") as AuthoritiesSource["ca"];
  return { ca, caFile: ca === null ? (values.get("tls.caFile") as string | null) : null };
}

/** Reads them, again too; null if there are none, or `problems` has got what is wrong. */
export function loadAuthorities({ ca, caFile }: AuthoritiesSource, problems: CertificateProblem[]): Buffer | null {
  if (ca === null && caFile === null) return null;
  const path = caFile === null ? "tls.ca" : "tls.caFile";
  const pem = readPart(ca, caFile, path, problems);
  return pem === null || parseChain(pem, caFile, path, problems) === null ? null : pem;
}

/** Strict-Transport-Security as a line with its CRLF (RFC 6797 §6.1); `""` for none. */
export function resolveTransportSecurity(values: Values, mistakes: OptionMistake[]): string {
  const maxAgeSeconds = values.get("hsts.maxAgeSeconds") as number;
  const includesSubDomains = values.get("hsts.includeSubDomains") as boolean;
  const isPreloaded = values.get("hsts.preload") as boolean;
  if (isPreloaded && (!includesSubDomains || maxAgeSeconds < PRELOAD_SECONDS)) {
    const allowed = `true together with includeSubDomains and at least ${PRELOAD_SECONDS} seconds`;
    mistakes.push({ path: "hsts.preload", given: "true", allowed, nearest: "" });
  }
  if (maxAgeSeconds < 0) return "";
  const directives = [`max-age=${maxAgeSeconds}`];
  if (includesSubDomains) directives.push("includeSubDomains");
  if (isPreloaded) directives.push("preload");
  return `Strict-Transport-Security: ${directives.join("; ")}\r\n`;
}

/** What is said of HTTPS by who does not speak it would never come to pass, and nobody would notice. */
export function checkNeedOfTls(values: Values, hasTls: boolean, mistakes: OptionMistake[]): void {
  if (hasTls) return;
  if ((values.get("hsts.maxAgeSeconds") as number) >= 0)
    mistakes.push(needOfTls("hsts", "it is never sent in plain text"));
  const isSentOn = (values.get("redirectFrom.port") as number) >= 0;
  // Somebody else may speak it, in front of this server
  if (isSentOn && (values.get("redirectFrom.toPort") as number) === 0) {
    mistakes.push(
      needOfTls(
        "redirectFrom",
        "there is no HTTPS here; where somebody in front of this server speaks it, say its port in toPort",
      ),
    );
  }
}

function needOfTls(path: string, why: string): OptionMistake {
  return { path, given: "", allowed: "", nearest: "", what: `needs tls: ${why}` };
}

/** Whether a mistake is that there is no TLS: for who says elsewhere whether there is. */
export function isNeedOfTls({ what = "" }: OptionMistake): boolean {
  return what.startsWith("needs tls: ");
}

/** The second port, null for none. */
export function resolveRedirect(values: Values, hostname: string): ResolvedRedirect | null {
  const port = values.get("redirectFrom.port") as number;
  if (port < 0) return null;
  return Object.freeze({
    port,
    hostname: ((values.get("redirectFrom.hostname") as string | null) ?? hostname).replace(/^\[(.*)\]$/, "$1"),
    toPort: values.get("redirectFrom.toPort") as number,
    challenge: values.get("redirectFrom.challenge") as Handler | null,
  });
}

/** Trusted proxies, null where the option was not given. */
export function resolveProxyTrust(values: Values, mistakes: OptionMistake[]): ProxyTrust {
  const path = "proxyProtocol.from";
  const from = new AddressSet();
  const entries = values.get(path) as readonly string[];
  // Everybody would be cut off, or nobody be asked for a header
  if (entries.length === 0) mistakes.push({ path, given: "nobody", allowed: ADDRESSES_ALLOWED, nearest: "" });
  for (const entry of entries) {
    if (!from.add(entry)) mistakes.push({ path, given: show(entry), allowed: ADDRESSES_ALLOWED, nearest: "" });
  }
  return { from, allowDirect: values.get("proxyProtocol.allowDirect") as boolean };
}
