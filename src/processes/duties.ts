/**
 * A worker's part: it tells the primary when it is ready, answers its questions, and closes its servers when it is told to.
 *
 * Ctrl-C and systemd signal all processes of a group, so that a worker leaves SIGINT and SIGHUP to the primary; SIGTERM closes
 * it gracefully, and the primary starts another unless it ends itself. Without the primary no worker lives on: Node ends it
 * when the channel breaks, which it notices when its event loop turns; a thread that watches beside a loop without end would
 * cost each worker 9 to 18 MB (docs/guides/all-cores.md). It must never decide to end for another reason.
 */

import { type CloseOptions, OPEN_SERVERS, whenServersOpen } from "../server/open-servers.ts";
import { answersTo, hearAnswers, lastAnswers } from "./ask-workers.ts";
import { enclose, type ListeningPlace, fromPrimary, type PrimaryMessage, type WorkerMessage } from "./messages.ts";

/** What closing this worker's servers came to. */
export interface WorkerSummary {
  readonly destroyedConnections: number;
  readonly abandonedPromises: number;
}

/** The bond of this worker with its primary. */
export interface Duties {
  /** Tells the primary that this worker takes requests. */
  readonly tellReady: (note: unknown) => void;
  /** Resolves when they begin to be closed: what goes on beside them ends too, for another worker does it. */
  readonly closing: Promise<void>;
  /** Resolves when the servers of this process were closed because the primary, or a signal, asked for it. */
  readonly ended: Promise<WorkerSummary>;
}

/** Closes all servers as `server.close()` does. */
type Close = (options: CloseOptions) => Promise<void>;

/** What the primary has said last to lock session tickets with; null before. */
let ticketKeys: Buffer | null = null;

/** Begins to obey the primary. Once in a process, before anything listens. */
export function takeUpDuties(): Duties {
  process.title = `fairlead worker ${process.env["FAIRLEAD_WORKER"] ?? ""}`;
  let isClosing = false;
  let end: (summary: WorkerSummary) => void = () => {};
  const ended = new Promise<WorkerSummary>((resolve) => (end = resolve));
  let beginClosing = (): void => {};
  const closing = new Promise<void>((resolve) => (beginClosing = resolve));
  let leave = (): void => {};
  const close: Close = async (options) => {
    // One that was retired does not call itself ready any more; what was said sooner stays
    if (isClosing && options.isReplaced !== true) for (const server of OPEN_SERVERS) void server.close(options);
    if (isClosing) return;
    isClosing = true;
    beginClosing();
    const summaries = await Promise.all([...OPEN_SERVERS].map((server) => server.close(options)));
    const summary = {
      destroyedConnections: summaries.reduce((sum, one) => sum + one.destroyedConnections, 0),
      abandonedPromises: summaries.reduce((sum, one) => sum + one.abandonedPromises, 0),
    };
    leave = () => end(summary);
    tell({ kind: "ended", ...summary, lastAnswers: await lastAnswers() });
  };
  const closeNow = (): void => {
    void close({});
    for (const server of OPEN_SERVERS) server.closeNow();
  };
  // One that opens later, when the app is ready for it, must not wait for the next renewal
  whenServersOpen((server) => {
    if (ticketKeys !== null) server.offerTicketKeys(ticketKeys);
  });
  process.on("message", (envelope: unknown) => {
    const message = fromPrimary(envelope);
    if (message === null) return;
    if (message.kind === "leave") leave();
    else obey(message, close, closeNow);
  });
  process.on("SIGTERM", () => void close({}));
  // SIGUSR1 too, or Node would open its inspector
  for (const signal of ["SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => {});
  return { closing, ended, tellReady: (note) => tell({ kind: "ready", places: placesOf(), note }) };
}

function obey(message: Exclude<PrimaryMessage, { kind: "leave" }>, close: Close, closeNow: () => void): void {
  switch (message.kind) {
    case "retire":
      // Others serve here already: there is nothing to announce, neither before nor to who asks on a connection that was kept
      void close({ lastCallMs: message.lastCallMs, lameDuckMs: 0, isReplaced: true });
      return;
    case "close":
      void close({});
      return;
    case "close-now":
      return closeNow();
    case "alive?":
      return tell({ kind: "alive" });
    case "ticket-keys": {
      ticketKeys = Buffer.from(message.keys, "base64");
      for (const server of OPEN_SERVERS) server.offerTicketKeys(ticketKeys);
      return;
    }
    case "reopen-logs":
      // Whoever listens for the operator's signal hears it here
      process.emit("SIGUSR2");
      return;
    case "ask":
      void answersTo(message.topic).then(
        (answer) => tell({ kind: "answer", id: message.id, hasAnswer: answer !== undefined, answer: answer ?? null }),
        () => tell({ kind: "answer", id: message.id, hasAnswer: false, answer: null }),
      );
      return;
    case "answers":
      hearAnswers(message.id, message.answers);
  }
}

/** Says something to the primary; nothing happens if it is gone. */
function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.(enclose(message), undefined, undefined, () => {});
}

function placesOf(): ListeningPlace[] {
  return [...OPEN_SERVERS].flatMap(({ urls, hostname, port }) =>
    urls.map((url) => ({ url: url.href, hostname, port: url.port === "" ? port : Number(url.port) })),
  );
}
