/**
 * What observers may see of a server, and how they are kept from harming it.
 *
 * Hooks are called synchronously, after the fact, and can change nothing. One that throws, or returns a promise that rejects,
 * is reported once as a process warning and goes on being called. A hook that is not given costs nothing: its place is null
 * all the way down.
 */

import type { ConnectionInfo, Exchange, Outcome, Refusal, SocketAddress } from "../http/exchange.ts";
import { errorText, faultText, harmless } from "./fault-text.ts";

/** What an observer is told of a server that has begun to listen; the Server itself. */
export interface ListeningServer {
  readonly url: URL;
  readonly address: SocketAddress;
  readonly port: number;
  readonly hostname: string;
}

/** A response that is over. */
export interface ResponseInfo {
  readonly exchange: Exchange;
  readonly outcome: Outcome;
  /** From the request's acceptance to the response's end. */
  readonly durationMs: number;
  /** From there to the head of the response, on its way to the peer; {@link durationMs} where all went out at once. */
  readonly firstByteMs: number;
  /** 0 if the peer left before there was a response. */
  readonly status: number;
  /** Octets of content, without framing. */
  readonly contentBytes: number;
  /** Octets of the request's content that had come by then, without framing. */
  readonly requestContentBytes: number;
  /** Pattern of the route that answered, e.g. `/users/:id`; `""` where none did. Bounded, as a label of a metric must be. */
  readonly route: string;
}

/** Something of the user's that failed. */
export interface Fault {
  /** Also in the response that the peer got; `""` where there was none. */
  readonly id: string;
  readonly error: unknown;
  /** Null for a promise given to `waitUntil()`. */
  readonly exchange: Exchange | null;
}

/** What closing the server came to. */
export interface CloseSummary {
  /** From the call of close() or closeNow() to the end. */
  readonly durationMs: number;
  /** Connections that had to be cut off. */
  readonly destroyedConnections: number;
  /** Promises given to `waitUntil()` that were not waited for any longer. */
  readonly abandonedPromises: number;
}

/** What observers want to be told. All are optional; none may change anything, what they return is ignored. */
export interface Hooks {
  /** The server listens. */
  readonly onListen?: ((server: ListeningServer) => unknown) | undefined;
  /** A connection was accepted. */
  readonly onConnection?: ((connection: ConnectionInfo) => unknown) | undefined;
  /** A connection is gone; `error` is null if it ended in order. */
  readonly onConnectionClose?: ((connection: ConnectionInfo, error: Error | null) => unknown) | undefined;
  /** A request was accepted; the handler sees it next. */
  readonly onRequest?: ((exchange: Exchange) => unknown) | undefined;
  /** A response is over, whole or not. */
  readonly onResponse?: ((response: ResponseInfo) => unknown) | undefined;
  /** A request or a connection was refused by the server itself. */
  readonly onRefusal?: ((refusal: Refusal) => unknown) | undefined;
  /**
   * A handler failed. Told before the response that this comes to, or that breaks off by it, is over (behind it for what was
   * written in the way of `node:http`). Without this hook, where it returns `false` or a promise of it, and where it
   * fails itself, the failure is written to standard error.
   */
  readonly onFault?: ((fault: Fault) => unknown) | undefined;
  /** The server is closed and all connections are gone. */
  readonly onClose?: ((summary: CloseSummary) => unknown) | undefined;
}

/** Hooks that cannot throw; null where none was given. */
export interface GuardedHooks {
  readonly onListen: ((server: ListeningServer) => void) | null;
  readonly onConnection: ((connection: ConnectionInfo) => void) | null;
  readonly onConnectionClose: ((connection: ConnectionInfo, error: Error | null) => void) | null;
  readonly onRequest: ((exchange: Exchange) => void) | null;
  readonly onResponse: ((response: ResponseInfo) => void) | null;
  readonly onRefusal: ((refusal: Refusal) => void) | null;
  readonly onFault: (fault: Fault) => void;
  readonly onClose: ((summary: CloseSummary) => void) | null;
  /** Whether any hook may ask for addresses after a socket has gone. */
  readonly areObserving: boolean;
}

/** Makes hooks safe to call. */
export function guardHooks(hooks: Hooks): GuardedHooks {
  return Object.freeze({
    onListen: guard("onListen", hooks.onListen),
    onConnection: guard("onConnection", hooks.onConnection),
    onConnectionClose: guard("onConnectionClose", hooks.onConnectionClose),
    onRequest: guard("onRequest", hooks.onRequest),
    onResponse: guard("onResponse", hooks.onResponse),
    onRefusal: guard("onRefusal", hooks.onRefusal),
    onFault: guard("onFault", withFallback(hooks.onFault)) ?? faultWriter(),
    onClose: guard("onClose", hooks.onClose),
    areObserving: Object.values(hooks).some((hook) => typeof hook === "function"),
  });
}

function guard<Args extends unknown[]>(
  name: string,
  hook: ((...args: Args) => unknown) | undefined,
): ((...args: Args) => void) | null {
  if (hook === undefined) return null;
  let hasWarned = false;
  const warn = (error: unknown): void => {
    if (hasWarned) return;
    hasWarned = true;
    process.emitWarning(`hooks.${name} failed; this is said once: ${harmless(errorText(error))}`, {
      code: "FAIRLEAD_HOOK",
    });
  };
  return (...args) => {
    try {
      const result = hook(...args);
      if (result instanceof Promise) result.catch(warn);
    } catch (error) {
      warn(error);
    }
  };
}

/** Whoever only counts failures says so, and whoever fails to take one has not: it is written down as if nobody had asked. */
function withFallback(onFault: Hooks["onFault"]): Hooks["onFault"] {
  if (onFault === undefined) return undefined;
  return (fault) => {
    const giveUp = (error: unknown): never => {
      writeFault(fault);
      throw error;
    };
    let result: unknown;
    try {
      result = onFault(fault);
    } catch (error) {
      return giveUp(error);
    }
    const heed = (answer: unknown): void => {
      if (answer === false) writeFault(fault);
    };
    if (result instanceof Promise) return result.then(heed, giveUp);
    heed(result);
    return undefined;
  };
}

/** A failure must not be lost because nobody asked for it; where nobody can have known how, it says so, once. */
function faultWriter(): (fault: Fault) => void {
  let hasHinted = false;
  return (fault) => {
    const hint = hasHinted ? "" : HINT;
    hasHinted = true;
    writeFault(fault, hint);
  };
}

const HINT = "  (serve({ hooks: { onFault } }) takes failures in place of this; said once)\n";

function writeFault({ id, error, exchange }: Fault, hint: string = ""): void {
  process.stderr.write(faultText(id, error, exchange) + hint);
}
