/**
 * The servers of this process that listen, or still finish what they have taken in.
 *
 * For whoever has to end a process in order without having started its servers: the supervisor's part in a worker. It must never
 * close one itself, nor keep one that is finished.
 */

import type { CloseSummary } from "./hooks.ts";

/** How a server is to be closed; `Server.close()` says what each means. */
export interface CloseOptions {
  readonly drainMs?: number | undefined;
  readonly lameDuckMs?: number | undefined;
  readonly lastCallMs?: number | undefined;
  readonly isReplaced?: boolean | undefined;
}

/** What may be asked and told of a server whose owner is somebody else. */
export interface OpenServer {
  readonly urls: readonly URL[];
  readonly hostname: string;
  readonly port: number;
  close(options: CloseOptions): Promise<CloseSummary>;
  closeNow(): void;
  offerTicketKeys(keys: Uint8Array): void;
}

/** All of them, oldest first. */
export const OPEN_SERVERS: Set<OpenServer> = new Set();

let onOpen: (server: OpenServer) => void = () => {};

/** Has every server told of that begins to listen from now on. One listener in a process. */
export function whenServersOpen(listener: (server: OpenServer) => void): void {
  onOpen = listener;
}

/** Takes in a server that has begun to listen. */
export function addOpenServer(server: OpenServer): void {
  OPEN_SERVERS.add(server);
  onOpen(server);
}
