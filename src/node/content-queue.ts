/**
 * What a listener writes, on its way to the exchange: pieces wait here until the wire takes them.
 *
 * The wire pulls; each time it does, all that has been written since goes as one piece, so that a template of a hundred small
 * writes is not a hundred chunks. Whoever writes is told how much waits, when a piece is taken, and when all is. It must never
 * hold a writer back: that is what the writer's own `write()` returning false is for.
 */

/** Told when its piece is taken; with an error if it never will be. */
export type WriteCallback = (error?: Error | null) => void;

const DONE: IteratorResult<Uint8Array, undefined> = Object.freeze({ done: true, value: undefined });

/** Content of one response, written piece by piece. Iterated once, by the wire. */
export class ContentQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #onTaken: (byteCount: number) => void;
  #pieces: Uint8Array[] = [];
  /** In the order of the pieces, for those that wait and for those that the wire has. */
  #callbacks: WriteCallback[] = [];
  #waitingBytes = 0;
  /** What the wire was given last and has not accepted yet. */
  #givenBytes = 0;
  #givenCallbacks: WriteCallback[] = [];
  #isEnded = false;
  #isClosed = false;
  #wanting: ((result: IteratorResult<Uint8Array, undefined>) => void) | null = null;

  /** @param onTaken told whenever the wire has taken so many octets more */
  constructor(onTaken: (byteCount: number) => void) {
    this.#onTaken = onTaken;
  }

  /** Adds a piece, and asks to be told when the wire has it. */
  push(bytes: Uint8Array, callback: WriteCallback | null): void {
    if (bytes.length > 0) this.#pieces.push(bytes);
    this.#waitingBytes += bytes.length;
    if (callback !== null) this.#callbacks.push(callback);
    this.#give();
  }

  /** There will be no more. */
  end(): void {
    this.#isEnded = true;
    this.#give();
  }

  /** Nothing will be taken any more. */
  close(error: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const callbacks = [...this.#givenCallbacks, ...this.#callbacks];
    this.#pieces = [];
    this.#callbacks = [];
    this.#givenCallbacks = [];
    for (const callback of callbacks) process.nextTick(callback, error);
    const wanting = this.#wanting;
    this.#wanting = null;
    wanting?.(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The wire wants the next piece, and so has accepted the one before. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#accept();
    const piece = this.#take();
    if (piece !== null) return Promise.resolve({ done: false, value: piece });
    if (this.#isEnded || this.#isClosed) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.#wanting = resolve;
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.close(new Error("the response is over"));
    return Promise.resolve(DONE);
  }

  #accept(): void {
    const bytes = this.#givenBytes;
    const callbacks = this.#givenCallbacks;
    this.#givenBytes = 0;
    // What they throw is the listener's, and must not look like a failure of its content
    if (callbacks.length > 0) {
      this.#givenCallbacks = [];
      for (const callback of callbacks) process.nextTick(callback);
    }
    if (bytes > 0) this.#onTaken(bytes);
  }

  #take(): Uint8Array | null {
    const pieces = this.#pieces;
    const first = pieces[0];
    if (first === undefined) {
      // Callbacks of empty pieces
      for (const callback of this.#callbacks) process.nextTick(callback);
      this.#callbacks = [];
      return null;
    }
    this.#pieces = [];
    this.#givenCallbacks = this.#callbacks;
    this.#callbacks = [];
    this.#givenBytes = this.#waitingBytes;
    this.#waitingBytes = 0;
    return pieces.length === 1 ? first : Buffer.concat(pieces, this.#givenBytes);
  }

  #give(): void {
    const wanting = this.#wanting;
    if (wanting === null) return;
    const piece = this.#take();
    if (piece === null && !this.#isEnded) return;
    this.#wanting = null;
    wanting(piece === null ? DONE : { done: false, value: piece });
  }
}
