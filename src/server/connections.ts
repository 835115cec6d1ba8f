/**
 * The open connections of one server: taken in or turned away, swept for deadlines, brought to an end.
 *
 * Steps of a connection: accept -> admit or refuse -> what comes before the protocol (a proxy's header, TLS) -> protocol ->
 * closed. It owns what sockets share: clock, flush queue and buffers. Which protocol speaks is decided by a function that it is
 * given; nothing here knows one.
 */

import type { Socket } from "node:net";
import { ProtocolError } from "../http/errors.ts";
import type { Clock, ProtocolConnection, Transport } from "../http/exchange.ts";
import { Admission } from "./admission.ts";
import { BufferPool } from "./buffer-pool.ts";
import { CoarseClock, type TimeSource } from "./clock.ts";
import { SocketInfo } from "./connection-info.ts";
import { FlushQueue } from "./flush-queue.ts";
import type { GuardedHooks } from "./hooks.ts";
import type { ListenerEvents } from "./listener.ts";
import { MemberList } from "./member-list.ts";
import { type ConnectionUse, LET_IN_MS, Preface, type PrefaceConfig, type PrefaceOwner } from "./preface.ts";
import { type ConnectionRefusal, RefusedConnection } from "./refused-connection.ts";
import type { Sendfile } from "./sendfile-pump.ts";
import { type SocketHost, SocketTransport } from "./socket.ts";

/** What the connections of a server are made with. */
export interface ConnectionsConfig {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly hooks: GuardedHooks;
  /** Sends files within the kernel; absent or null: nothing does. */
  readonly sendfile?: Sendfile | null;
  /** What comes before the protocol; absent or null: nothing. */
  readonly preface?: PrefaceConfig | null;
  /** Chooses and makes the protocol of a connection. */
  readonly createProtocol: (transport: Transport, clock: Clock, use: ConnectionUse) => ProtocolConnection;
  /** Connections that have time to read why they are turned away, at once; default 128. */
  readonly maxRefusals?: number;
  /** The response for a connection that is turned away. */
  readonly renderRefusal: (error: ProtocolError, dateText: string) => ConnectionRefusal;
  /** Called whenever the last connection has gone. */
  readonly onEmpty: () => void;
}

/** Where nobody has counted descriptors. */
const DEFAULT_MAX_REFUSALS = 128;
/** Said at most so often. */
const WARNING_PERIOD_MS = 60_000;

/** All connections of one server. */
export class Connections implements SocketHost, ListenerEvents, PrefaceOwner {
  readonly clock: CoarseClock;
  readonly flushes: FlushQueue;
  readonly buffers: BufferPool = new BufferPool();
  /** Connections that were accepted, whether admitted or not. */
  accepted = 0;
  /** Connections that were turned away. */
  refused = 0;
  /** Connections that ended in what comes before the protocol: handshakes and headers that failed. */
  failedPrefaces = 0;
  /** Connections that the system could not hand over. */
  acceptErrors = 0;
  readonly sendfile: Sendfile | null;
  readonly #config: ConnectionsConfig;
  readonly #time: TimeSource;
  readonly #members: MemberList<SocketTransport | Preface> = new MemberList();
  readonly #preface: PrefaceConfig | null;
  /** On a port that only redirects: the same without TLS, null for nothing. */
  readonly #redirectPreface: PrefaceConfig | null;
  readonly #admission: Admission;
  #isClosing = false;
  #lastCallMs = 0;
  #lastWarningMs = -Infinity;

  constructor(config: ConnectionsConfig, time: TimeSource) {
    this.#config = config;
    this.sendfile = config.sendfile ?? null;
    this.#time = time;
    const preface = config.preface ?? null;
    this.#preface = preface;
    this.#redirectPreface =
      preface === null || preface.proxy === null ? null : { ...preface, tls: null, plainUse: "redirect" };
    this.#admission = new Admission(
      config.maxConnections,
      config.maxConnectionsPerAddress,
      config.maxRefusals ?? DEFAULT_MAX_REFUSALS,
    );
    this.clock = new CoarseClock(time, this.#members, () => this.buffers.clear());
    this.flushes = new FlushQueue(() => this.clock.touch());
  }

  /** Connections that are open and were admitted. */
  get open(): number {
    return this.#admission.open;
  }

  /** Whether there is none, not even one that is being turned away. */
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  onSocket(socket: Socket, unixPath: string | null): void {
    this.#accept(socket, unixPath, this.#preface, "serve");
  }

  /** {@link onSocket} of a port that only sends plain HTTP to HTTPS. */
  onRedirectSocket(socket: Socket): void {
    this.#accept(socket, null, this.#redirectPreface, "redirect");
  }

  #accept(socket: Socket, unixPath: string | null, preface: PrefaceConfig | null, use: ConnectionUse): void {
    this.accepted++;
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    this.clock.touch();
    const info = new SocketInfo(socket, unixPath);
    const refusal = this.#admission.admit();
    if (refusal !== null) return this.#refuse(socket, info, refusal, preface);
    if (preface !== null) return this.#enter(new Preface(socket, info, preface, this));
    const addressRefusal = this.#admission.admitAddress(info);
    if (addressRefusal === null) {
      this.#open(socket, socket, info, null, use);
      return;
    }
    this.#admission.release();
    this.#refuse(socket, info, addressRefusal, null);
  }

  onClientKnown(preface: Preface): ProtocolError | null {
    return this.#admission.admitAddress(preface.info);
  }

  onReady(preface: Preface, socket: Socket, first: Buffer | null, use: ConnectionUse): void {
    this.#members.delete(preface);
    const transport = this.#open(socket, preface.raw, preface.info, first, use);
    // What it has brought with it is under way; behind a handshake, or a header, the request is still to come
    if (this.#isClosing) transport.shutdown(first === null ? Math.max(this.#lastCallMs, LET_IN_MS) : this.#lastCallMs);
  }

  onFailed(preface: Preface, error: ProtocolError): void {
    this.failedPrefaces++;
    // It is cut off without a word
    this.#tellRefusal(error, preface.info, 0);
  }

  onGone(preface: Preface): void {
    this.#members.delete(preface);
    this.#admission.release();
    if (preface.isClientCounted) this.#admission.releaseAddress(preface.info);
    if (this.#members.size === 0) this.#config.onEmpty();
  }

  onAcceptError(error: NodeJS.ErrnoException): void {
    this.acceptErrors++;
    const nowMs = this.#time.monotonicMs();
    if (nowMs - this.#lastWarningMs < WARNING_PERIOD_MS) return;
    this.#lastWarningMs = nowMs;
    const advice =
      error.code === "EMFILE" || error.code === "ENFILE"
        ? "; raise the limit of descriptors (ulimit -n) or lower limits.maxConnections"
        : "";
    process.emitWarning(`a connection could not be accepted (${error.code ?? error.message})${advice}`, {
      code: "FAIRLEAD_ACCEPT",
    });
  }

  onClosed(transport: SocketTransport, error: Error | null): void {
    this.#members.delete(transport);
    if (transport.connection instanceof RefusedConnection) this.#admission.endRefusal();
    else {
      this.#admission.release();
      this.#admission.releaseAddress(transport.info);
      this.#config.hooks.onConnectionClose?.(transport.info, error);
    }
    if (this.#members.size === 0) this.#config.onEmpty();
  }

  onBug(error: unknown): void {
    this.#config.hooks.onFault({ id: "", error, exchange: null });
  }

  /** Takes nothing in any more, and asks every connection to finish what is under way. */
  shutdown(lastCallMs: number = 0): void {
    this.#isClosing = true;
    this.#lastCallMs = lastCallMs;
    this.#members.each((member) => member.shutdown(lastCallMs));
  }

  /** Cuts off what is left. Returns how many connections had something under way. */
  destroyAll(): number {
    this.#isClosing = true;
    let count = 0;
    const reason = new ProtocolError("ERR_SHUTDOWN");
    this.#members.each((member) => {
      const party = member instanceof Preface ? member : member.connection;
      if (party !== null && !party.isIdle && !(party instanceof RefusedConnection)) count++;
      member.destroyWith(reason);
    });
    return count;
  }

  #enter(preface: Preface): void {
    if (this.#config.hooks.areObserving) preface.info.resolve();
    this.#members.add(preface);
    this.clock.start();
    preface.start();
  }

  /** Gives a connection that may be served to its protocol. */
  #open(socket: Socket, raw: Socket, info: SocketInfo, first: Buffer | null, use: ConnectionUse): SocketTransport {
    const { hooks } = this.#config;
    const transport = new SocketTransport(socket, info, this, raw);
    if (hooks.areObserving) info.resolve();
    this.#adopt(transport, this.#config.createProtocol(transport, this.clock, use));
    hooks.onConnection?.(info);
    if (first !== null) transport.receiveFirst(first);
    return transport;
  }

  #adopt(transport: SocketTransport, connection: ProtocolConnection): void {
    this.#members.add(transport);
    this.clock.start();
    transport.attach(connection);
  }

  #refuse(socket: Socket, info: SocketInfo, error: ProtocolError, preface: PrefaceConfig | null): void {
    this.refused++;
    // Under TLS an answer would cost a handshake, which is just what there is no room for; in plain text nobody would read it
    if (preface !== null && preface.tls !== null) {
      this.#tellRefusal(error, info, 0);
      socket.destroy();
      return;
    }
    const { text, contentBytes } = this.#config.renderRefusal(error, this.clock.dateText);
    this.#tellRefusal(error, info, contentBytes);
    if (!this.#admission.beginRefusal()) {
      // Its descriptor is needed: it has the response, unless the reset overtakes it that follows what it has sent already
      socket.write(text, "latin1");
      socket.destroy();
      return;
    }
    const transport = new SocketTransport(socket, info, this, socket);
    this.#adopt(transport, new RefusedConnection(transport, this.clock, text));
  }

  #tellRefusal(error: ProtocolError, connection: SocketInfo, contentBytes: number): void {
    this.#config.hooks.onRefusal?.({ error, connection, method: "", target: "", exchange: null, contentBytes });
  }
}
