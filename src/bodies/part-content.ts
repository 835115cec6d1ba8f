/**
 * The content of one part, between the parser that finds it and the handler that reads it.
 *
 * It is pulled: only when all that has come is taken does the form read on, so that no more lies here than one piece of the
 * request held. What nobody wants is dropped as it comes. It must never go on reading by itself.
 */

import type { PartContentSink } from "./part-parser.ts";

/** Content under way. */
export class PartContent implements PartContentSink {
  /** Makes the form read on by one piece. */
  readonly #advance: () => Promise<void>;
  #pieces: Uint8Array[];
  /** Index of the first piece that is not taken. */
  #next: number;
  #isEnded: boolean;
  #isDropped: boolean;
  #failure: { readonly reason: unknown } | null;
  receivedBytes: number;

  constructor(advance: () => Promise<void>) {
    this.#advance = advance;
    this.#pieces = [];
    this.#next = 0;
    this.#isEnded = false;
    this.#isDropped = false;
    this.#failure = null;
    this.receivedBytes = 0;
  }

  /** Whether all has come, or nothing more ever will. */
  get isOver(): boolean {
    return this.#isEnded || this.#failure !== null;
  }

  push(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
    if (!this.#isDropped) this.#pieces.push(bytes);
  }

  end(): void {
    this.#isEnded = true;
  }

  fail(reason: unknown): void {
    if (!this.isOver) this.#failure = { reason };
  }

  /** Nobody wants the rest. */
  drop(): void {
    this.#isDropped = true;
    this.#pieces = [];
    this.#next = 0;
  }

  /**
   * The next piece, null behind the last.
   *
   * @throws what broke the form off; TypeError if the next part was asked for meanwhile
   */
  async pull(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#isDropped) throw new TypeError("the form has gone on to its next part: read each part before that");
      const piece = this.#pieces[this.#next];
      if (piece !== undefined) {
        this.#next++;
        return piece;
      }
      this.#pieces = [];
      this.#next = 0;
      if (this.#failure !== null) throw this.#failure.reason;
      if (this.#isEnded) return null;
      await this.#advance();
    }
  }
}
