/**
 * What Node's sockets keep to themselves and we need to know: how much the kernel has taken, and the descriptor.
 *
 * These members of `_handle` are not documented. Each is looked at before it is used, and who asks has another way where one is
 * missing: on Windows, behind the end of a socket, or in a Node to come.
 */

import type { Socket } from "node:net";

/** As far as we know it. */
interface SocketHandle {
  readonly fd: number;
  readonly bytesWritten: number;
  /** Of them, those that the kernel has not taken. */
  readonly writeQueueSize: number;
}

/** There is no descriptor, or nobody tells it. */
export const UNKNOWN: number = -1;
/** What was written before is not all with the kernel. */
export const BUSY: number = -2;

function handleOf(socket: Socket): Partial<SocketHandle> | null | undefined {
  return (socket as unknown as { readonly _handle?: Partial<SocketHandle> | null })["_handle"];
}

/** Octets of a socket that the kernel has taken; null where nobody tells, as behind its end. */
export function takenBy(socket: Socket): number | null {
  const handle = handleOf(socket);
  if (typeof handle?.bytesWritten !== "number" || typeof handle.writeQueueSize !== "number") return null;
  return handle.bytesWritten - handle.writeQueueSize;
}

/** The descriptor of a socket to which the next octets may go past Node, in this turn; {@link UNKNOWN} or {@link BUSY} if not. */
export function descriptorOf(socket: Socket): number {
  const handle = handleOf(socket);
  if (typeof handle?.fd !== "number" || handle.fd < 0 || typeof handle.writeQueueSize !== "number") return UNKNOWN;
  return socket.writableLength > 0 || handle.writeQueueSize > 0 ? BUSY : handle.fd;
}
