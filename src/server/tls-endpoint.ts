/**
 * The server's end of TLS: sockets in, secured sockets out, and the certificates that it does that with.
 *
 * Which certificate is shown is decided by the name that the client asks for (SNI, RFC 6066 §3): the exact name, then `*.` and
 * its parent, then the default. Certificates can be replaced at any time; connections keep what they were secured with, and
 * sessions can be resumed across it. It waits for nobody: deadlines are the business of whoever hands sockets in.
 */

import type { Socket } from "node:net";
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from "node:stream";
import type { SecureContext, SecureContextOptions, Server as TlsServer, TLSSocket } from "node:tls";
import { cryptography, nodeTls } from "./cryptography.ts";
import { HIGH_WATER_BYTES } from "./listener.ts";
import { type Certificate, covers } from "./tls-certificate.ts";
import {
  ALPN_PROTOCOLS,
  type ClientRules,
  sessionScope,
  TICKET_KEY_BYTES,
  tlsSettings,
  type TlsVersion,
} from "./tls-settings.ts";

/** What an endpoint is made with. */
export interface TlsEndpointConfig extends ClientRules {
  readonly minVersion: TlsVersion;
  /** Locks session tickets; null: one is made up. */
  readonly ticketKeys: Buffer | null;
}

/** Who handed a socket in. Exactly one of the two is called, once, unless the socket is destroyed before. */
export interface HandshakeOwner {
  /** The handshake is done; nothing has been read from `socket`. */
  onSecure(socket: TLSSocket): void;
  /** It will not be done; the socket is being destroyed. `reason` is a code of OpenSSL's or the system's. */
  onInsecure(reason: string): void;
}

/** One endpoint. */
export class TlsEndpoint {
  readonly wantsCertificates: boolean;
  readonly #config: TlsEndpointConfig;
  readonly #server: TlsServer;
  readonly #owners: WeakMap<Socket, HandshakeOwner> = new WeakMap();
  #certificates: readonly Certificate[];
  #clientAuthorities: Buffer | null;
  #contexts: ReadonlyMap<string, SecureContext>;
  /** OCSP responses by the certificate that they are about, as DER in hexadecimal. */
  #stapled: ReadonlyMap<string, Buffer>;
  #ticketKeys: Buffer;

  /**
   * @param certificates the first is the default, for clients that ask for no name or an unknown one
   * @throws Error of OpenSSL's if a certificate cannot be used
   */
  constructor(config: TlsEndpointConfig, certificates: readonly Certificate[]) {
    this.wantsCertificates = config.requestCert;
    this.#config = config;
    this.#ticketKeys = config.ticketKeys ?? cryptography().randomBytes(TICKET_KEY_BYTES);
    this.#certificates = certificates;
    this.#clientAuthorities = config.clientAuthorities;
    this.#contexts = this.#contextsOf(certificates, config.clientAuthorities);
    this.#stapled = stapledBy(certificates);
    this.#server = nodeTls().createServer({
      ...this.#contextOptions(certificates[0] as Certificate, config.clientAuthorities),
      ticketKeys: this.#ticketKeys,
      ALPNProtocols: [...ALPN_PROTOCOLS],
      requestCert: config.requestCert,
      rejectUnauthorized: config.rejectUnauthorized,
      SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
        done(null, this.#contextFor(name)),
      // Ours is another: one sweep for all connections instead of a timer for each
      handshakeTimeout: 0,
    });
    this.#server.on("secureConnection", (socket: TLSSocket) => this.#take(socket)?.onSecure(socket));
    this.#server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      // A certificate of a client that is not trusted is told as a lost connection otherwise
      const refusal: unknown = socket.authorizationError;
      this.#take(socket)?.onInsecure(typeof refusal === "string" ? refusal : (error.code ?? error.message));
    });
    if (this.#stapled.size > 0) this.#staple();
  }

  /** Whether there is more than one certificate. */
  get hasSeveral(): boolean {
    return this.#certificates.length > 1;
  }

  /** Begins a handshake on a socket, whatever octets of it were put back. */
  accept(socket: Socket, owner: HandshakeOwner): void {
    this.#owners.set(socket, owner);
    // The secured socket is made at once, and takes no other way to be told its mark than by what is meant for all: on Node 20
    // it would be a quarter of that of the socket beneath
    const markBytes = getDefaultHighWaterMark(false);
    setDefaultHighWaterMark(false, HIGH_WATER_BYTES);
    try {
      // The documented way of handing a socket to a tls.Server that does not listen itself
      this.#server.emit("connection", socket);
    } finally {
      setDefaultHighWaterMark(false, markBytes);
    }
  }

  /**
   * Shows other certificates, and takes those of other authorities, from the next handshake on.
   *
   * @param clientAuthorities as in the config; by default as they are
   * @throws Error of OpenSSL's if one cannot be used; then nothing is changed
   */
  replace(certificates: readonly Certificate[], clientAuthorities: Buffer | null = this.#clientAuthorities): void {
    const contexts = this.#contextsOf(certificates, clientAuthorities);
    const options = this.#contextOptions(certificates[0] as Certificate, clientAuthorities);
    nodeTls().createSecureContext(options);
    // The keys of tickets stay: a client must not pay with a full handshake for our new certificate
    this.#server.setSecureContext({ ...options, ticketKeys: this.#ticketKeys });
    this.#certificates = certificates;
    this.#clientAuthorities = clientAuthorities;
    this.#contexts = contexts;
    const hadStapled = this.#stapled.size > 0;
    this.#stapled = stapledBy(certificates);
    if (!hadStapled && this.#stapled.size > 0) this.#staple();
  }

  /** Locks the tickets of sessions with another key, 48 octets; sessions from before are not resumed any more. */
  setTicketKeys(keys: Uint8Array): void {
    this.#ticketKeys = Buffer.from(keys);
    this.#server.setTicketKeys(this.#ticketKeys);
  }

  /** {@link setTicketKeys} with a key that nobody knows. */
  rotateTicketKeys(): void {
    this.setTicketKeys(cryptography().randomBytes(TICKET_KEY_BYTES));
  }

  /**
   * Whether a request for `host` may come on a connection that was opened for `serverName`. Always so with one certificate:
   * then there is no other server that it could have been meant for.
   */
  isFor(host: string, serverName: string | null): boolean {
    if (this.#certificates.length === 1 || serverName === null || host === serverName) return true;
    return covers(this.#certificateFor(serverName).leaf, host);
  }

  #contextOptions(certificate: Certificate, clientAuthorities: Buffer | null): SecureContextOptions {
    return {
      ...tlsSettings(this.#config.minVersion),
      sessionIdContext: sessionScope({ ...this.#config, clientAuthorities }),
      cert: certificate.certPem,
      key: certificate.keyPem,
      ...(certificate.passphrase === null ? {} : { passphrase: certificate.passphrase }),
      // Without authorities of its own a server would trust the clients of every authority that browsers trust
      ca: clientAuthorities ?? [],
    };
  }

  #contextsOf(certificates: readonly Certificate[], authorities: Buffer | null): ReadonlyMap<string, SecureContext> {
    const contexts = new Map<string, SecureContext>();
    for (const certificate of certificates.length === 1 ? [] : certificates) {
      const context = nodeTls().createSecureContext(this.#contextOptions(certificate, authorities));
      // The first that claims a name has it
      for (const name of certificate.names) if (!contexts.has(name)) contexts.set(name, context);
    }
    return contexts;
  }

  /** Undefined: the default. */
  #contextFor(name: string): SecureContext | undefined {
    if (this.#contexts.size === 0) return undefined;
    const folded = name.toLowerCase();
    return this.#contexts.get(folded) ?? this.#contexts.get(wildcardOf(folded));
  }

  #certificateFor(name: string): Certificate {
    const folded = name.toLowerCase();
    const wildcard = wildcardOf(folded);
    return (
      this.#certificates.find(({ names }) => names.includes(folded)) ??
      this.#certificates.find(({ names }) => names.includes(wildcard)) ??
      (this.#certificates[0] as Certificate)
    );
  }

  /** RFC 6066 §8. */
  #staple(): void {
    this.#server.on(
      "OCSPRequest",
      (certificate: Buffer, _issuer: Buffer, done: (e: Error | null, r: Buffer) => void) => {
        // Null, where the type says that there is always a response
        const response = this.#stapled.get(certificate.toString("hex")) ?? null;
        done(null, response as Buffer);
      },
    );
  }

  #take(socket: TLSSocket): HandshakeOwner | undefined {
    const raw = rawSocketOf(socket);
    const owner = raw === null ? undefined : this.#owners.get(raw);
    if (raw !== null) this.#owners.delete(raw);
    if (owner === undefined) socket.destroy();
    return owner;
  }
}

/** `*.example.com` for `www.example.com`: a star stands for one label (RFC 9525 §6.3). */
function wildcardOf(name: string): string {
  const dot = name.indexOf(".");
  return dot === -1 ? name : `*${name.slice(dot)}`;
}

function stapledBy(certificates: readonly Certificate[]): ReadonlyMap<string, Buffer> {
  const stapled = new Map<string, Buffer>();
  for (const { leaf, ocsp } of certificates) if (ocsp !== null) stapled.set(leaf.raw.toString("hex"), ocsp);
  return stapled;
}

/**
 * The socket that a secured one was made of. Node hands both events the secured one alone and has no public way back; every
 * version from 20 to 26 keeps the other in this place, which a test checks on each.
 */
function rawSocketOf(socket: TLSSocket): Socket | null {
  const parent: unknown = Reflect.get(socket, "_parent");
  return typeof parent === "object" ? (parent as Socket | null) : null;
}
