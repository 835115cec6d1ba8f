/**
 * The end: the first signal closes gracefully and says what is waited for, the second does not wait.
 *
 * It listens to signals of the process and so belongs to the command alone; the library never does.
 */

import type { Server } from "../server/server.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import type { ExitCode } from "./command-error.ts";

/** Who stops a server is told what it waits for when that takes longer than this, in milliseconds. */
const PATIENCE_MS = 500;

/** Whatever signals come from; `process`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * Waits until all servers are closed.
 *
 * @param runningRequests tells how many requests have no whole answer yet
 * @param say writes a line
 * @param reload what SIGHUP does instead of stopping; null where nothing is read again: on a terminal it means that it was closed
 * @param onStopping called once, when the end begins
 * @param onHangup called at SIGHUP where it stops
 * @returns 0, or 1 if connections were cut off
 */
export async function untilStopped(
  servers: readonly Server[],
  signals: SignalSource,
  runningRequests: () => number,
  say: (line: string) => void,
  reload: (() => void) | null = null,
  onStopping: () => void = () => {},
  onHangup: () => void = () => {},
): Promise<ExitCode> {
  let endPatience = (): void => {};
  const onSignal = (): void => {
    if (servers.some((server) => server.isClosing)) {
      for (const server of servers) server.closeNow();
      return;
    }
    onStopping();
    const running = runningRequests();
    if (running > 0)
      say(`Stopping when ${running === 1 ? "1 request is" : `${running} requests are`} done. Once more stops now.`);
    else endPatience = SYSTEM_TIME.after(PATIENCE_MS, () => sayWhatIsOpen(servers, say));
    for (const server of servers) void server.close();
  };
  const onTerminalClosed = (): void => {
    onHangup();
    onSignal();
  };
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ["SIGINT", onSignal],
    ["SIGTERM", onSignal],
    ["SIGHUP", reload ?? onTerminalClosed],
  ];
  for (const [signal, listener] of listeners) signals.on(signal, listener);
  const summaries = await Promise.all(servers.map((server) => server.finished));
  endPatience();
  for (const [signal, listener] of listeners) signals.off(signal, listener);
  const cutOff = summaries.reduce((sum, { destroyedConnections }) => sum + destroyedConnections, 0);
  if (cutOff === 0) {
    say("Stopped.");
    return 0;
  }
  say(`Stopped; ${cutOff === 1 ? "1 connection was" : `${cutOff} connections were`} cut off.`);
  return 1;
}

/** No request runs, but peers that have not closed their end may have one under way, or half of one. */
function sayWhatIsOpen(servers: readonly Server[], say: (line: string) => void): void {
  const open = servers.reduce((sum, { stats }) => sum + stats.openConnections, 0);
  if (open > 0)
    say(`Stopping when ${open === 1 ? "1 connection is" : `${open} connections are`} closed. Once more stops now.`);
}
