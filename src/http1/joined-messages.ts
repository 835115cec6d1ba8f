/**
 * Whole messages in one piece, head and content, where both are the same again: one Buffer is cheaper to write than a text
 * and a Buffer, and under TLS Node copies several pieces into one before it encrypts them.
 *
 * A message is joined when the same head is sent a second time with the same lasting content, and serves everybody until the
 * second is over, for then Date is another. It is never changed once it was made: whoever reads slowly holds it on, so that
 * what is made in one second is bounded, and little. What comes on top of that is written as two pieces.
 */

import { isLasting } from "../http/lasting-octets.ts";

/** Content of more gains nothing that is worth its copy. */
const MAX_CONTENT_BYTES = 64 * 1024;
/** Joined within a second. */
const MAX_BYTES = 1024 * 1024;

interface Known {
  head: string;
  message: Buffer | null;
}

/** The messages of one second. */
export class JoinedMessages {
  #dateText = "";
  #bytes = 0;
  /** No more is made within this second. */
  #isSpent = false;
  /** Weak: no content lives longer because it was sent. */
  #known: WeakMap<Uint8Array, Known> = new WeakMap();

  /**
   * @param head latin1 text
   * @param dateText IMF-fixdate of now
   * @returns both as one, not to be written to; or null where they are to be written beside each other
   */
  find(head: string, content: Uint8Array, dateText: string): Buffer | null {
    if (content.length > MAX_CONTENT_BYTES) return null;
    if (dateText !== this.#dateText) this.#forget(dateText);
    const known = this.#known.get(content);
    if (known === undefined) {
      if (!this.#isSpent && isLasting(content)) this.#known.set(content, { head, message: null });
      return null;
    }
    if (known.head === head) return known.message ?? this.#join(known, content);
    known.head = head;
    known.message = null;
    return null;
  }

  #join(known: Known, content: Uint8Array): Buffer | null {
    const length = known.head.length + content.length;
    if (this.#bytes + length > MAX_BYTES) {
      this.#isSpent = true;
      return null;
    }
    // What was replaced may still be held by somebody, and counts as long as the second lasts
    this.#bytes += length;
    const message = Buffer.allocUnsafeSlow(length);
    message.write(known.head, 0, "latin1");
    message.set(content, known.head.length);
    known.message = message;
    return message;
  }

  #forget(dateText: string): void {
    this.#dateText = dateText;
    this.#bytes = 0;
    this.#isSpent = false;
    this.#known = new WeakMap();
  }
}
