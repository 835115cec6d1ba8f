/**
 * What comes before the protocol on a connection: the header of a proxy, and the choice between TLS and plain text.
 *
 * Steps: PROXY header, if the peer is a trusted proxy -> first octet: 0x16 begins a TLS handshake (RFC 8446 §5.1), and nothing
 * of HTTP/1 -> handshake -> over to the protocol. One deadline covers it all. It reads no more than it must and interprets
 * nothing of HTTP; what it has read beyond its own is handed on. A peer that fails is cut off, and reported once.
 */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { ProtocolError } from "../http/errors.ts";
import type { AddressSet } from "./address-set.ts";
import type { CoarseClock, Expirable } from "./clock.ts";
import type { SocketInfo } from "./connection-info.ts";
import type { Member } from "./member-list.ts";
import { readProxyHeader } from "./proxy-protocol.ts";
import type { HandshakeOwner, TlsEndpoint } from "./tls-endpoint.ts";
import { TlsConnectionFacts } from "./tls-facts.ts";

/**
 * What a connection is for: to be served; to be told that this port wants TLS; to be sent on from a port that does only that.
 */
export type ConnectionUse = "serve" | "insist" | "redirect";

/** From whom a PROXY header is expected. */
export interface ProxyTrust {
  readonly from: AddressSet;
  /** Whether other peers may connect too, without a header. */
  readonly allowDirect: boolean;
}

/** What comes before the protocol on the connections of a listener. */
export interface PrefaceConfig {
  /** Null: plain text only. */
  readonly tls: TlsEndpoint | null;
  /** Null: no header. */
  readonly proxy: ProxyTrust | null;
  /** From the opening to the end of the handshake; Infinity: no limit. */
  readonly handshakeMs: number;
  /** What becomes of a connection in plain text. */
  readonly plainUse: ConnectionUse;
}

/** Who takes over. */
export interface PrefaceOwner {
  readonly clock: CoarseClock;
  /** The client's address is known. An error: it must not connect. */
  onClientKnown(preface: Preface): ProtocolError | null;
  /**
   * The connection is ready for its protocol.
   *
   * @param socket to read and write
   * @param first what was read already, null for nothing
   */
  onReady(preface: Preface, socket: Socket, first: Buffer | null, use: ConnectionUse): void;
  /** Cut off for this reason; {@link onGone} follows. */
  onFailed(preface: Preface, error: ProtocolError): void;
  /** The socket is gone without having been ready. */
  onGone(preface: Preface): void;
}

/** First octet of a TLS record that holds a handshake message. */
const TLS_HANDSHAKE = 0x16;
/** While closing, for a peer that has just been let in to ask. A round trip across the world takes 0.3 s. */
export const LET_IN_MS = 2_000;

/** A connection before its protocol. */
export class Preface implements Expirable, HandshakeOwner, Member {
  readonly info: SocketInfo;
  /** As it was accepted. */
  readonly raw: Socket;
  deadlineMs: number;
  place = -1;
  /** Whether the client's address is counted: {@link PrefaceOwner.onClientKnown} has agreed. */
  isClientCounted = false;
  readonly #config: PrefaceConfig;
  readonly #owner: PrefaceOwner;
  readonly #onData: (chunk: Buffer) => void;
  readonly #onEnd: () => void;
  readonly #onClose: () => void;
  readonly #handshakeEndMs: number;
  #awaitsHeader: boolean;
  #isHandshaking = false;
  /** What idle connections have had since {@link shutdown}, in milliseconds; null before. */
  #lastCallMs: number | null = null;
  #isOver = false;
  #read: Buffer | null = null;

  constructor(raw: Socket, info: SocketInfo, config: PrefaceConfig, owner: PrefaceOwner) {
    this.raw = raw;
    this.info = info;
    this.deadlineMs = this.#handshakeEndMs = owner.clock.nowMs + config.handshakeMs;
    this.#config = config;
    this.#owner = owner;
    this.#awaitsHeader = config.proxy !== null;
    this.#onData = (chunk) => this.#receive(chunk);
    this.#onEnd = () => void raw.destroy();
    this.#onClose = () => this.#closed();
  }

  /** Begins to read. */
  start(): void {
    const { raw } = this;
    raw.on("close", this.#onClose);
    // What it means is told by the close that follows. Stays for good: beneath TLS nobody else listens
    raw.on("error", () => {});
    const { proxy } = this.#config;
    if (proxy !== null && !isFrom(proxy.from, this.info)) {
      if (!proxy.allowDirect) return this.#fail(new ProtocolError("ERR_PROXY_UNTRUSTED"));
      this.#awaitsHeader = false;
    }
    if (!this.#awaitsHeader && !this.#admit()) return;
    if (!this.#awaitsHeader && this.#config.tls === null) return this.#ready(raw, null);
    raw.on("data", this.#onData);
    raw.on("end", this.#onEnd);
  }

  /** Whether nothing is under way: the peer has not begun, or stands behind a whole header. */
  get isIdle(): boolean {
    return this.#isOver || (!this.#isHandshaking && this.#read === null);
  }

  expire(): void {
    if (this.#lastCallMs !== null && this.isIdle) return this.#leave();
    const isSecuring = this.#isHandshaking || !this.#awaitsHeader;
    this.#fail(
      isSecuring
        ? new ProtocolError("ERR_TLS_HANDSHAKE_TIMEOUT")
        : new ProtocolError("ERR_PROXY_HEADER", { detail: "it did not arrive in time" }),
    );
  }

  /** A peer that has begun is let finish; another goes, as an idle connection does. */
  shutdown(lastCallMs: number): void {
    this.#lastCallMs = lastCallMs;
    if (!this.isIdle) return;
    if (lastCallMs === 0) return this.#leave();
    this.#leaveAfter(lastCallMs);
  }

  destroyWith(_reason: Error): void {
    this.#leave();
  }

  onSecure(socket: TLSSocket): void {
    if (this.#isOver) return;
    this.#owner.clock.touch();
    socket.allowHalfOpen = true;
    this.info.secured(new TlsConnectionFacts(socket, this.#config.tls?.wantsCertificates === true));
    this.#ready(socket, null);
  }

  onInsecure(reason: string): void {
    this.#fail(new ProtocolError("ERR_TLS_HANDSHAKE", { detail: reason }));
  }

  #receive(chunk: Buffer): void {
    this.#owner.clock.touch();
    let bytes = this.#read === null ? chunk : Buffer.concat([this.#read, chunk]);
    this.#read = null;
    if (this.#awaitsHeader) {
      const reading = readProxyHeader(bytes);
      if (reading.kind === "refused")
        return this.#fail(new ProtocolError("ERR_PROXY_HEADER", { detail: reading.reason }));
      if (reading.kind === "more") {
        this.#read = bytes;
        this.#begin();
        return;
      }
      this.#awaitsHeader = false;
      bytes = bytes.subarray(reading.length);
      if (reading.client !== null) this.info.proxied(reading.client.source, reading.client.destination);
      if (!this.#admit()) return;
    }
    const { tls } = this.#config;
    if (tls === null) this.#ready(this.raw, bytes.length === 0 ? null : bytes);
    else if (bytes.length === 0) this.#wait();
    else if (bytes[0] === TLS_HANDSHAKE) this.#handshake(tls, bytes);
    else this.#ready(this.raw, bytes);
  }

  /** Whether the client may connect. */
  #admit(): boolean {
    const refusal = this.#owner.onClientKnown(this);
    this.isClientCounted = refusal === null;
    if (refusal !== null) this.#fail(refusal);
    return refusal === null;
  }

  #handshake(tls: TlsEndpoint, bytes: Buffer): void {
    this.#isHandshaking = true;
    this.#begin();
    this.#stopReading();
    this.raw.pause();
    this.raw.unshift(bytes);
    // A peer that ends its side within the handshake has given up; behind it, it may still wait for its answer (RFC 9112 §9.6)
    this.raw.allowHalfOpen = false;
    tls.accept(this.raw, this);
  }

  /** Behind a whole header, for what the client begins with. */
  #wait(): void {
    if (this.#lastCallMs !== null) this.#leaveAfter(Math.max(this.#lastCallMs, LET_IN_MS));
  }

  #leaveAfter(ms: number): void {
    this.deadlineMs = Math.min(this.deadlineMs, this.#owner.clock.nowMs + ms);
  }

  /** A last call is answered: what is under way has its own time. */
  #begin(): void {
    this.deadlineMs = this.#handshakeEndMs;
  }

  #ready(socket: Socket, first: Buffer | null): void {
    this.#isOver = true;
    this.#stopReading();
    this.raw.removeListener("close", this.#onClose);
    this.#owner.onReady(this, socket, first, socket === this.raw ? this.#config.plainUse : "serve");
  }

  #stopReading(): void {
    this.raw.removeListener("data", this.#onData);
    this.raw.removeListener("end", this.#onEnd);
  }

  /** Ends it without a word. */
  #leave(): void {
    this.#isOver = true;
    this.raw.destroy();
  }

  #fail(error: ProtocolError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopReading();
    this.#owner.onFailed(this, error);
    this.raw.destroy();
  }

  #closed(): void {
    // What a handshake has failed of is told behind the end of its socket
    if (!this.#isHandshaking) this.#isOver = true;
    this.#owner.onGone(this);
  }
}

/** Whether the peer itself, not whom it speaks for, is in a list. */
function isFrom(proxies: AddressSet, { remoteAddress }: SocketInfo): boolean {
  // Who may open the file of a unix socket is decided by its mode
  return remoteAddress.family === "unix" || proxies.has(remoteAddress);
}
