/**
 * What the primary process and its workers say to each other, over the channel that node:cluster keeps between them.
 *
 * Types, and the envelope that tells our messages from those of the app, of prom-client and of Node itself. It must hold no
 * behaviour. Messages are JSON: small, seldom, and never one per request.
 */

/** Where one server of a worker listens. */
export interface ListeningPlace {
  /** As `server.url.href`. */
  readonly url: string;
  /** As `server.hostname`. */
  readonly hostname: string;
  /** TCP port, 0 for a unix socket. */
  readonly port: number;
}

/** From a worker to the primary. */
export type WorkerMessage =
  /** It listens, and its app is loaded. `note` is for whoever started it. */
  | { readonly kind: "ready"; readonly places: readonly ListeningPlace[]; readonly note: unknown }
  /** It has closed, and ends when it hears `leave`. `lastAnswers` is what it says of each topic, for the last time. */
  | {
      readonly kind: "ended";
      readonly destroyedConnections: number;
      readonly abandonedPromises: number;
      readonly lastAnswers: Readonly<Record<string, unknown>>;
    }
  /** Answer to `alive?`. */
  | { readonly kind: "alive" }
  /** It wants to know what all workers say of a topic. */
  | { readonly kind: "ask-all"; readonly id: number; readonly topic: string }
  /** Answer to `ask`; `hasAnswer` is false where nobody in that worker knows the topic. */
  | { readonly kind: "answer"; readonly id: number; readonly hasAnswer: boolean; readonly answer: unknown };

/** From the primary to a worker. */
export type PrimaryMessage =
  /** Another worker has taken over: close gracefully, with so much time for one more request per idle connection, then end. */
  | { readonly kind: "retire"; readonly lastCallMs: number }
  /** Close gracefully, then end. */
  | { readonly kind: "close" }
  /** Close without waiting for anybody. */
  | { readonly kind: "close-now" }
  /**
   * Answer to `ended`. Connections are handed over through the same channel: what was on its way to a worker that no longer
   * listens has come before this, and was given back. Without it a process that ends would take such a connection with it, and
   * its client would wait for good.
   */
  | { readonly kind: "leave" }
  /** Its event loop turns if it answers. */
  | { readonly kind: "alive?" }
  /** The same key of TLS session tickets for all, in base64. */
  | { readonly kind: "ticket-keys"; readonly keys: string }
  /** The operator's SIGUSR1 or SIGUSR2, passed on: heard as SIGUSR2. */
  | { readonly kind: "reopen-logs" }
  | { readonly kind: "ask"; readonly id: number; readonly topic: string }
  /** Answer to `ask-all`. */
  | { readonly kind: "answers"; readonly id: number; readonly answers: readonly WorkerAnswer[] };

/** What one worker says of a topic. */
export interface WorkerAnswer {
  /** Number of the worker, from 1. During a restart two processes have the same. */
  readonly worker: number;
  /** Its process. */
  readonly pid: number;
  readonly answer: unknown;
}

/** Puts a message into its envelope. */
export function enclose<Message extends WorkerMessage | PrimaryMessage>(
  message: Message,
): { readonly fairlead: Message } {
  return { fairlead: message };
}

/** What the primary says, out of its envelope; null for what others say. Both ends are of one installation and not checked. */
export function fromPrimary(envelope: unknown): PrimaryMessage | null {
  return isEnvelope(envelope) ? (envelope.fairlead as PrimaryMessage) : null;
}

/** What a worker says, out of its envelope; null for what others say. */
export function fromWorker(envelope: unknown): WorkerMessage | null {
  return isEnvelope(envelope) ? (envelope.fairlead as WorkerMessage) : null;
}

function isEnvelope(value: unknown): value is { readonly fairlead: unknown } {
  return typeof value === "object" && value !== null && "fairlead" in value;
}
