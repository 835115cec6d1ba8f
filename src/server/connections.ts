/**
 * The open connections of one server: taken in or turned away, swept for deadlines, brought to an end.
 *
 * Steps of a connection: accept -> admit or refuse -> protocol -> closed. It owns what sockets share: clock, flush queue and
 * buffers. Which protocol speaks is decided by a function that it is given; nothing here knows one.
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
import { RefusedConnection } from "./refused-connection.ts";
import { type SocketHost, SocketTransport } from "./socket.ts";

/** What the connections of a server are made with. */
export interface ConnectionsConfig {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Path of the unix socket that is listened on, null for TCP. */
  readonly unixPath: string | null;
  readonly hooks: GuardedHooks;
  /** Chooses and makes the protocol of a connection. */
  readonly createProtocol: (transport: Transport, clock: Clock) => ProtocolConnection;
  /** The response for a connection that is turned away, as latin1 text. */
  readonly renderRefusal: (error: ProtocolError, dateText: string) => string;
  /** Called whenever the last connection has gone. */
  readonly onEmpty: () => void;
}

/** Said at most so often. */
const WARNING_PERIOD_MS = 60_000;

/** All connections of one server. */
export class Connections implements SocketHost, ListenerEvents {
  readonly clock: CoarseClock;
  readonly flushes: FlushQueue;
  readonly buffers: BufferPool = new BufferPool();
  readonly canReset: boolean;
  /** Connections that were accepted, whether admitted or not. */
  accepted = 0;
  /** Connections that were turned away. */
  refused = 0;
  /** Connections that the system could not hand over. */
  acceptErrors = 0;
  readonly #config: ConnectionsConfig;
  readonly #time: TimeSource;
  readonly #members: Set<SocketTransport> = new Set();
  readonly #admission: Admission;
  #isClosing = false;
  #lastWarningMs = -Infinity;

  constructor(config: ConnectionsConfig, time: TimeSource) {
    this.#config = config;
    this.#time = time;
    this.#admission = new Admission(config.maxConnections, config.maxConnectionsPerAddress);
    this.clock = new CoarseClock(time, this.#members, () => this.buffers.clear());
    this.flushes = new FlushQueue(() => this.clock.touch());
    this.canReset = config.unixPath === null;
  }

  /** Connections that are open and were admitted. */
  get open(): number {
    return this.#admission.open;
  }

  /** Whether there is none, not even one that is being turned away. */
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  onSocket(socket: Socket): void {
    this.accepted++;
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    this.clock.touch();
    const { hooks, unixPath } = this.#config;
    const info = new SocketInfo(socket, unixPath);
    const transport = new SocketTransport(socket, info, this);
    const refusal = this.#admission.admit(info);
    if (refusal !== null) {
      this.#refuse(socket, transport, refusal);
      return;
    }
    if (hooks.areObserving) info.resolve();
    this.#adopt(transport, this.#config.createProtocol(transport, this.clock));
    hooks.onConnection?.(info);
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
      this.#admission.release(transport.info);
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
    for (const transport of this.#members) transport.shutdown(lastCallMs);
  }

  /** Cuts off what is left. Returns how many connections had something under way. */
  destroyAll(): number {
    this.#isClosing = true;
    let count = 0;
    const reason = new ProtocolError("ERR_SHUTDOWN");
    for (const transport of this.#members) {
      const connection = transport.connection;
      if (connection !== null && !connection.isIdle && !(connection instanceof RefusedConnection)) count++;
      transport.destroyWith(reason);
    }
    return count;
  }

  #adopt(transport: SocketTransport, connection: ProtocolConnection): void {
    this.#members.add(transport);
    this.clock.start();
    transport.attach(connection);
  }

  #refuse(socket: Socket, transport: SocketTransport, error: ProtocolError): void {
    this.refused++;
    this.#config.hooks.onRefusal?.({ error, connection: transport.info, method: "", target: "", exchange: null });
    if (!this.#admission.beginRefusal()) {
      socket.destroy();
      return;
    }
    const response = this.#config.renderRefusal(error, this.clock.dateText);
    this.#adopt(transport, new RefusedConnection(transport, this.clock, response));
  }
}
