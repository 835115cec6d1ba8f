/**
 * What a connection holds of a peer's octets, and for it, while a script runs: both are bounded, whatever the peer does.
 *
 * Of the input it is known from outside only what was delivered and which message is under way; so it is looked at where all
 * messages so far are sound, and where nobody reads the content. The bounds are those that the wire promises: input until it
 * pauses the peer, output until it stops parsing (RFC 9112 §9.3.2: pipelining must not make a server hold all answers).
 */

import { DEFAULT_LIMITS } from "../../src/http1/limits.ts";
import type { Seen } from "./observed.ts";
import { sumOf } from "./observed.ts";
import type { Peer } from "./peer.ts";
import type { Script } from "./script.ts";

/** Unread input at which the wire pauses its peer. */
const INPUT_MARK_BYTES = 64 * 1024;
/** Answers that are gathered before they are handed over. */
const OUTPUT_MARK_BYTES = 64 * 1024;
/** Heads, refusals and chunk framing besides. */
const FRAMING_BYTES = 4 * 1024;

/** Looks at one connection. */
export class Held {
  readonly faults: string[] = [];
  readonly #script: Script;
  readonly #peer: Peer;
  /** Where each message ends, in octets from the first. */
  readonly #ends: readonly number[];
  /** Octets of each head. */
  readonly #heads: readonly number[];
  readonly #mostChunkBytes: number;
  /** Messages before the first that is hostile. */
  readonly #soundMessages: number;

  constructor(script: Script, octets: readonly Buffer[], peer: Peer) {
    this.#script = script;
    this.#peer = peer;
    let end = 0;
    this.#ends = octets.map(({ length }) => (end += length));
    this.#heads = script.messages.map(({ parts: [head] }) => (typeof head === "string" ? head.length : 0));
    const hostile = script.messages.findIndex(({ sound }) => sound === null);
    this.#soundMessages = hostile === -1 ? script.messages.length : hostile;
    this.#mostChunkBytes = Math.max(0, ...script.steps.map((step) => (step.step === "send" ? step.bytes : 0)));
  }

  /** After a step. */
  look(seen: readonly Seen[]): void {
    const last = seen.at(-1);
    const { isEnded, isDestroyed, deliveredBytes } = this.#peer;
    // Behind content that was refused all is dropped
    if (last === undefined || isEnded || isDestroyed || last.hasTunnel || last.failure !== null) return;
    if (last.index >= this.#soundMessages) return;
    const begin = this.#ends[last.index - 1] ?? 0;
    const isUnread = last.outcomes.length === 0 && !last.isReading && !last.isLettingGo;
    const taken = isUnread ? begin + (this.#heads[last.index] ?? 0) : (this.#ends[last.index] ?? 0);
    const most = INPUT_MARK_BYTES + this.#mostChunkBytes + DEFAULT_LIMITS.maxHeadBytes;
    if (deliveredBytes - taken > most) {
      this.faults.push(`holds more input than it may: ${deliveredBytes - taken} octets of at most ${most}`);
    }
  }

  /** At the end. */
  lookAtOutput(): void {
    let mostAnswer = 0;
    for (const act of this.#script.plans.flat()) {
      if (act.act !== "answer") continue;
      const isStream = act.as === "stream" || act.as === "iterable" || act.as === "wrong";
      // Of a source no more than a piece is asked for at a time; what is short and there at once may be gathered
      mostAnswer = Math.max(mostAnswer, isStream ? Math.max(0, ...act.sizes) : sumOf(act.sizes) + 8);
    }
    const most = this.#script.markBytes + OUTPUT_MARK_BYTES + FRAMING_BYTES + mostAnswer;
    const { mostQueuedBytes } = this.#peer;
    if (mostQueuedBytes > most && !this.#script.plans.flat().some(({ act }) => act === "upgrade")) {
      this.faults.push(`queues more output than it may: ${mostQueuedBytes} octets of at most ${most}`);
    }
  }
}
