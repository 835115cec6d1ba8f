/**
 * A listening socket: TCP over IPv4 and IPv6, a unix socket, or one that was inherited. It accepts, and nothing more.
 *
 * Steps: listen (a unix socket that was left behind is replaced) -> hand over sockets -> close. Failing to accept (no
 * descriptors left) is reported and survived; the system keeps the peer waiting or closes it. In a worker of node:cluster it
 * must not listen twice at an address.
 */

import { chmodSync, statSync } from "node:fs";
import { createServer, type ListenOptions, type Server as NetServer, type Socket } from "node:net";
import type { SocketAddress } from "../http/exchange.ts";
import { bindIpv4 } from "./bound-handle.ts";
import { socketAddress } from "./connection-info.ts";
import { listenError } from "./listen-error.ts";
import type { ListenTarget } from "./life-options.ts";
import { isListeningShared, isOfBefore, removeStaleSocket } from "./stale-socket.ts";

/** Octets queued for a peer, or read for us, before backpressure: what one read brings in, or 64 KiB of content with their head. */
export const HIGH_WATER_BYTES: number = 72 * 1024;
/** Longest path of a unix socket: sun_path of unix(7) less its NUL. */
const MAX_UNIX_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/** What a listener tells its owner. */
export interface ListenerEvents {
  /** @param unixPath of the socket that it came in by, null for TCP */
  onSocket(socket: Socket, unixPath: string | null): void;
  /** A connection could not be accepted, e.g. because no descriptors are left. */
  onAcceptError(error: NodeJS.ErrnoException): void;
}

/** An open listening socket. */
export class Listener {
  readonly address: SocketAddress;
  readonly #net: NetServer;

  private constructor(net: NetServer, address: SocketAddress) {
    this.#net = net;
    this.address = address;
  }

  /**
   * Listens.
   *
   * @param bind binds an address before that, where it may
   * @throws ServerError ERR_LISTEN_IN_USE, ERR_LISTEN_PERMISSION, ERR_LISTEN_ADDRESS or ERR_LISTEN
   */
  static async open(target: ListenTarget, events: ListenerEvents, bind: typeof bindIpv4 = bindIpv4): Promise<Listener> {
    if (target.kind === "unix" && Buffer.byteLength(target.path) > MAX_UNIX_PATH_BYTES) {
      throw listenError(Object.assign(new Error("path too long"), { code: "ENAMETOOLONG" }), target);
    }
    if (target.kind === "unix" && isListeningShared()) {
      if (isOfBefore(target.path)) await removeStaleSocket(target.path);
    } else if (target.kind === "unix") {
      try {
        return await listenOnce(target, events, bind);
      } catch (error) {
        const cause = error as NodeJS.ErrnoException;
        if (cause.code !== "EADDRINUSE" || !(await removeStaleSocket(target.path))) throw listenError(cause, target);
      }
    }
    try {
      return await listenOnce(target, events, bind);
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, target);
    }
  }

  /** @internal Made by {@link open}. */
  static of(net: NetServer, target: ListenTarget): Listener {
    const address = net.address();
    if (typeof address === "string") return new Listener(net, Object.freeze({ address, port: 0, family: "unix" }));
    if (address === null) {
      const path = target.kind === "unix" ? target.path : "";
      return new Listener(net, Object.freeze({ address: path, port: 0, family: "unix" }));
    }
    return new Listener(net, socketAddress(address.address, address.port, address.family));
  }

  /** Path of a unix socket, null for TCP; also of one that was inherited. */
  get unixPath(): string | null {
    return this.address.family === "unix" ? this.address.address : null;
  }

  /** Stops accepting, at once. A unix socket's file is removed. Connections stay. */
  close(): void {
    // Calls back when the last connection is gone; the owner counts those itself
    this.#net.close();
  }

  ref(): void {
    this.#net.ref();
  }

  unref(): void {
    this.#net.unref();
  }
}

function listenOnce(target: ListenTarget, events: ListenerEvents, bind: typeof bindIpv4): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const bound = target.kind === "tcp" ? bind(target.hostname, target.port) : null;
    const onFailure = (error: Error): void => reject(bound === null ? error : withPlace(error, target));
    // allowHalfOpen: RFC 9112 §9.6: a client that has ended its side still gets its answer
    const net = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: HIGH_WATER_BYTES });
    net.once("error", onFailure);
    net.once("listening", () => {
      net.removeListener("error", onFailure);
      net.on("error", (error) => events.onAcceptError(error));
      const listener = Listener.of(net, target);
      net.on("connection", (socket) => events.onSocket(socket, listener.unixPath));
      const failure = target.kind === "unix" && target.mode !== undefined ? ensureMode(target.path, target.mode) : null;
      if (failure === null) return resolve(listener);
      net.close();
      reject(failure);
    });
    if (bound !== null) net.listen(bound, target.backlog);
    else if (target.kind === "unix" && target.mode !== undefined)
      withUmask(target.mode, () => net.listen(listenOptions(target)));
    else net.listen(listenOptions(target));
  });
}

/** Of a socket that was bound before, Node does not know where; as it says it otherwise. */
function withPlace(error: Error, target: ListenTarget): Error {
  if (target.kind !== "tcp") return error;
  const { hostname: address, port } = target;
  error.message += ` ${address}:${port}`;
  return Object.assign(error, { address, port });
}

/**
 * Binds the socket file with its permissions from the first moment on: a chmod afterwards would leave a moment in which others
 * may connect. The bind happens inside of `listen()`, and nothing else of this process can run before the umask is as it was.
 */
function withUmask(mode: number, listen: () => void): void {
  let before: number;
  try {
    before = process.umask(~mode & 0o777);
  } catch {
    // A worker thread may not change it
    return listen();
  }
  try {
    listen();
  } finally {
    process.umask(before);
  }
}

/** For where the umask could not do it: in a worker thread, or where another process of a cluster has bound the socket. */
function ensureMode(path: string, mode: number): Error | null {
  try {
    if ((statSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
    return null;
  } catch (error) {
    return error as Error;
  }
}

function listenOptions(target: ListenTarget): ListenOptions & { fd?: number } {
  switch (target.kind) {
    case "tcp":
      return { host: target.hostname, port: target.port, backlog: target.backlog };
    case "unix":
      return { path: target.path, backlog: target.backlog };
    case "fd":
      return { fd: target.fd, backlog: target.backlog };
  }
}
