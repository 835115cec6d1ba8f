/**
 * How TLS is spoken: versions, cipher suites, groups, options and lifetimes, the same for every certificate.
 *
 * After Mozilla's "intermediate" recommendation (Server Side TLS 5.7): TLS 1.2 and 1.3, forward secrecy and authenticated
 * encryption only, the client's order of ciphers. Left out of it is finite-field Diffie-Hellman, which serves only clients
 * older than ten years and lets a peer make us compute (CVE-2002-20001). Renegotiation is off: RFC 9113 forbids it to HTTP/2,
 * browsers never ask for it, and asking costs a server more than a client.
 */

import type { SecureContextOptions } from "node:tls";
import { cryptography, nodeTls } from "./cryptography.ts";

/** Versions that may be asked for as the least. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What is spoken on the connection (RFC 7301). */
export const ALPN_PROTOCOLS: readonly string[] = ["http/1.1"];

const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** The first is safe against a quantum computer, and known to OpenSSL from 3.5 on. */
const GROUPS = ["X25519MLKEM768:X25519:prime256v1:secp384r1", "X25519:prime256v1:secp384r1"] as const;

/** For how long a session can be resumed. Half of the time after which its key is gone; nginx 5 minutes, Mozilla a day. */
const SESSION_SECONDS = 6 * 60 * 60;

/** After so long tickets are locked with a new key: who steals one can read what was recorded until then, and no more. */
export const TICKET_KEY_MS: number = 12 * 60 * 60 * 1000;

/** Octets of the key that locks session tickets. */
export const TICKET_KEY_BYTES = 48;

let groups: string | null = null;

/** The groups that this OpenSSL knows. */
function knownGroups(): string {
  if (groups !== null) return groups;
  try {
    nodeTls().createSecureContext({ ecdhCurve: GROUPS[0] });
    groups = GROUPS[0];
  } catch {
    groups = GROUPS[1];
  }
  return groups;
}

/** Settings for a context; certificate and key are added. */
export function tlsSettings(minVersion: TlsVersion): SecureContextOptions {
  return {
    minVersion,
    maxVersion: "TLSv1.3",
    ciphers: CIPHERS,
    ecdhCurve: knownGroups(),
    honorCipherOrder: false,
    secureOptions: cryptography().constants.SSL_OP_NO_RENEGOTIATION,
    sessionTimeout: SESSION_SECONDS,
  };
}

/** Which certificates of clients are asked for, and taken. */
export interface ClientRules {
  /** Certificates of authorities that may issue them, in PEM. */
  readonly clientAuthorities: Buffer | null;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

/**
 * Where else a session may be resumed, as at most 32 octets: in all processes of a server, and in no other program. Whoever
 * resumes one shows no certificate again, and what was found of the first counts (RFC 8446 §2.2). So it must not lead past
 * other rules with the same ticket keys, of another port or from before a restart (client authentication bypass,
 * CVE-2025-23419); nginx keeps them apart the same way. What the server itself shows may change: the client has seen it.
 */
export function sessionScope({ requestCert, rejectUnauthorized, clientAuthorities }: ClientRules): string {
  if (!requestCert) return "fairlead";
  const hash = cryptography()
    .createHash("sha256")
    .update(rejectUnauthorized ? "reject:" : "accept:");
  return hash
    .update(clientAuthorities ?? "")
    .digest("base64url")
    .slice(0, 32);
}
