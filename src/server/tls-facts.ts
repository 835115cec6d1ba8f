/**
 * What client and server agreed on under TLS, and who the client says it is, read from the socket when somebody asks.
 *
 * Each fact costs a call into OpenSSL, which most connections never need. Where an observer may ask after the socket has gone,
 * all of them are looked up at once.
 */

import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { ClientCertificate } from "../http/exchange.ts";
import type { SecuredBy } from "./connection-info.ts";

/** Facts of one connection. */
export class TlsConnectionFacts implements SecuredBy {
  readonly serverName: string | null;
  readonly #socket: TLSSocket;
  readonly #wantsCertificate: boolean;
  #version: string | null = null;
  #cipher: string | null = null;
  #isResumed: boolean | null = null;
  #clientCertificate: ClientCertificate | null | undefined = undefined;

  /**
   * @param socket behind its handshake
   * @param wantsCertificate whether the client was asked for a certificate
   */
  constructor(socket: TLSSocket, wantsCertificate: boolean) {
    this.#socket = socket;
    this.#wantsCertificate = wantsCertificate;
    const name: unknown = (socket as { servername?: unknown }).servername;
    this.serverName = typeof name === "string" && name !== "" ? name : null;
  }

  get version(): string {
    return (this.#version ??= this.#socket.getProtocol() ?? "");
  }

  get cipher(): string {
    return (this.#cipher ??= this.#socket.destroyed ? "" : this.#socket.getCipher().standardName);
  }

  get isResumed(): boolean {
    return (this.#isResumed ??= !this.#socket.destroyed && this.#socket.isSessionReused());
  }

  get clientCertificate(): ClientCertificate | null {
    if (this.#clientCertificate === undefined) this.#clientCertificate = this.#readCertificate();
    return this.#clientCertificate;
  }

  resolve(): void {
    void this.version;
    void this.cipher;
    void this.isResumed;
    void this.clientCertificate;
  }

  #readCertificate(): ClientCertificate | null {
    const socket = this.#socket;
    if (!this.#wantsCertificate || socket.destroyed) return null;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return null;
    // A code such as CERT_HAS_EXPIRED, though its type says that it is an Error
    const refusal: unknown = socket.authorizationError;
    return certificateFacts(certificate, socket.authorized, refusal);
  }
}

function certificateFacts(certificate: X509Certificate, isAuthorized: boolean, refusal: unknown): ClientCertificate {
  const { subject, issuer, subjectAltName, serialNumber, fingerprint256, validFrom, validTo, raw } = certificate;
  return Object.freeze({
    isAuthorized,
    refusal: isAuthorized ? "" : codeOf(refusal),
    subject,
    issuer,
    subjectAltName: subjectAltName ?? "",
    serialNumber,
    fingerprint256,
    validFromMs: Date.parse(validFrom),
    validToMs: Date.parse(validTo),
    raw,
  });
}

function codeOf(refusal: unknown): string {
  if (typeof refusal === "string") return refusal;
  if (refusal instanceof Error) return (refusal as NodeJS.ErrnoException).code ?? refusal.message;
  return "UNVERIFIED";
}
