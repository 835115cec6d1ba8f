/** A pipe with a name, whose reader takes something when it is told to. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";

/** What a pipe gets, kept. */
export class SlowPipe {
  readonly path: string;
  readonly #fd: number;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param path where it is made, unless there is one */
  constructor(path: string, isThere = false) {
    this.path = path;
    if (!isThere) execFileSync("mkfifo", [path]);
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** @returns how many octets there were */
  take(): number {
    const piece = Buffer.alloc(16 * 1024);
    try {
      const length = readSync(this.#fd, piece);
      this.#pieces.push(piece.subarray(0, length));
      this.#bytes += length;
      return length;
    } catch {
      // Nothing there yet
      return 0;
    }
  }

  /** All that has come when it is so many octets. */
  async rest(bytes: number): Promise<string> {
    while (this.#bytes < bytes) {
      this.take();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return this.text;
  }

  get text(): string {
    return Buffer.concat(this.#pieces).toString();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
