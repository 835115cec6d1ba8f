/**
 * What the server and a thread say to each other about one request, over one MessagePort. Types only.
 *
 * The request's head travels with the task; its content, the answer and what becomes of either travel as these messages. Both
 * contents flow the same way, so the messages of a flow are the same in both directions: pieces one way, credit the other.
 */

import type { MessagePort } from "node:worker_threads";
import type { ConnectionInfo, FieldLines } from "../http/exchange.ts";
import type { ErrorFacts } from "./error-facts.ts";

/** A request on its way into a thread. */
export interface RequestTask {
  /** Absolute file URL of the user's module. */
  readonly module: string;
  readonly port: MessagePort;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly lines: FieldLines;
  /** `null`: none; otherwise pieces follow. */
  readonly content: { readonly length: number | null } | null;
  readonly params: Readonly<Record<string, string>>;
  readonly route: string;
  /** Facts only, as far as they can be cloned. */
  readonly connection: ConnectionInfo;
  /** Octets that may be under way in one direction. */
  readonly windowBytes: number;
  /** The most octets that `request.text()` and its like read at once. */
  readonly maxBufferedBytes: number;
}

/** The flow of a content: pieces and their end one way, credit and refusal the other. */
export type FlowMessage =
  | { readonly kind: "piece"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  /** The content will never be whole. */
  | { readonly kind: "broken"; readonly error: ErrorFacts }
  /** So many octets were taken, as many more may come. */
  | { readonly kind: "more"; readonly bytes: number }
  /** Nobody wants the rest. */
  | { readonly kind: "stop" };

/** What a thread says besides. */
export type ThreadMessage =
  | FlowMessage
  /** The handler is about to be called: from now on only the thread's end stops it. */
  | { readonly kind: "started" }
  | { readonly kind: "informed"; readonly status: number; readonly lines: FieldLines }
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly reason: string;
      readonly lines: FieldLines;
      /** Content that is known whole comes along; `undefined`: pieces follow. */
      readonly content: null | string | Uint8Array | undefined;
    }
  /** The handler has thrown in place of answering. */
  | { readonly kind: "failed"; readonly error: ErrorFacts }
  /** Something went wrong behind the answer: a promise given to `waitUntil()`. */
  | { readonly kind: "fault"; readonly error: ErrorFacts };

/** What the server says besides. */
export type ServerMessage =
  | FlowMessage
  /** The client has left, or the server has given the exchange up. */
  | { readonly kind: "gone" };
