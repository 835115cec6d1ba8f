/**
 * `for await` over content that nobody has read from before: each piece goes from its source to the loop.
 *
 * That costs a promise where the iterator of the platform's stream costs a dozen objects. The stream is locked and disturbed
 * meanwhile and ends with the last piece taken, calls that come before the last one is answered are queued, and to leave the
 * loop cancels the content (Streams §4.2.5): a test plays the same scenes to both.
 */

/** Where pieces come from. */
export interface PieceSource {
  /** From now on all pieces go to `taker`; the stream only hears of the end. */
  divert(taker: PieceTaker): void;
  /** All pieces given so far were taken. */
  more(): void;
  /** The last piece was taken: the stream ends. */
  close(): void;
}

/** Takes pieces past the stream. */
export interface PieceTaker {
  take(bytes: Uint8Array): void;
  finish(): void;
  fail(reason: Error): void;
}

type PieceResult = IteratorResult<Uint8Array, undefined>;

const done = (): PieceResult => ({ done: true, value: undefined });

/** The loop's end of it. */
export class PieceIterator implements PieceTaker {
  readonly #source: PieceSource;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #waiting: Uint8Array[];
  #resolve: ((result: PieceResult) => void) | null;
  #reject: ((reason: unknown) => void) | null;
  /** The last call, for those that come before it is answered. */
  #last: Promise<unknown> | null;
  #hasBegun: boolean;
  /** The source has no more to say. */
  #hasEnded: boolean;
  #failure: Error | null;
  /** The loop has been told of the end, or has left. */
  #isOver: boolean;

  constructor(source: PieceSource, reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#source = source;
    this.#reader = reader;
    this.#waiting = [];
    this.#resolve = null;
    this.#reject = null;
    this.#last = null;
    this.#hasBegun = false;
    this.#hasEnded = false;
    this.#failure = null;
    this.#isOver = false;
    source.divert(this);
  }

  next(): Promise<PieceResult> {
    return this.#resolve === null && this.#last === null ? this.#read() : this.#behind(() => this.#read());
  }

  return(value?: unknown): Promise<PieceResult> {
    return this.#behind(async () => {
      if (!this.#isOver) {
        this.#waiting.length = 0;
        this.#failure = null;
        const cancelled = this.#reader.cancel(value);
        this.#leave();
        await cancelled;
      }
      return { done: true, value: value as undefined };
    });
  }

  // From the source

  take(piece: Uint8Array): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    if (resolve === null) this.#waiting.push(piece);
    else resolve({ done: false, value: piece });
  }

  finish(): void {
    this.#hasEnded = true;
    if (this.#waiting.length === 0) this.#source.close();
    const resolve = this.#resolve;
    this.#resolve = null;
    if (resolve === null) return;
    this.#leave();
    resolve(done());
  }

  /** What waits is lost, as in any stream that fails. */
  fail(reason: Error): void {
    if (this.#isOver) return;
    this.#hasEnded = true;
    this.#waiting.length = 0;
    const isAwaited = this.#resolve !== null;
    this.#resolve = null;
    if (!isAwaited) this.#failure = reason;
    else {
      this.#leave();
      this.#reject?.(reason);
    }
  }

  #read(): Promise<PieceResult> {
    const piece = this.#waiting.shift();
    if (piece !== undefined) {
      if (this.#hasEnded && this.#waiting.length === 0) this.#source.close();
      return Promise.resolve({ done: false, value: piece });
    }
    const failure = this.#failure;
    this.#failure = null;
    if (this.#hasEnded) this.#leave();
    if (failure !== null) return Promise.reject(failure);
    if (this.#isOver) return Promise.resolve(done());
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      // Makes the stream a disturbed one; answered by its end
      this.#reader.read().catch(ignore);
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#source.more();
    });
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.releaseLock();
  }

  /** Streams §4.2.5: calls that come before the last one is answered are queued. */
  #behind(act: () => Promise<PieceResult>): Promise<PieceResult> {
    const before = this.#last ?? this.#answered();
    const result = before.then(act, act);
    this.#last = result;
    const forget = (): void => {
      if (this.#last === result) this.#last = null;
    };
    result.then(forget, forget);
    return result;
  }

  /** Resolves when the read under way is answered. */
  #answered(): Promise<void> {
    const resolve = this.#resolve;
    const reject = this.#reject;
    if (resolve === null) return Promise.resolve();
    return new Promise((answered) => {
      this.#resolve = (result) => {
        resolve(result);
        answered();
      };
      this.#reject = (reason) => {
        reject?.(reason);
        answered();
      };
    });
  }
}

// What all async iterators can do: to be iterated, and newer things
Object.setPrototypeOf(
  PieceIterator.prototype,
  Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype)) as object,
);

function ignore(): void {}
