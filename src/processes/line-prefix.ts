/**
 * Octets of a worker's standard error -> lines that say whose they are.
 *
 * Lines of several workers are never mixed: one is passed on when it is whole. One that grows without an end is passed on in
 * pieces, so that nothing is kept without a bound.
 */

import { StringDecoder } from "node:string_decoder";

/** A line that is longer comes in pieces. */
const LONGEST_LINE = 16 * 1024;

/** Lines of one worker. */
export class PrefixedLines {
  readonly #prefix: () => string;
  readonly #write: (text: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  /**
   * @param prefix asked for each time something is passed on
   * @param write gets whole lines with their ends
   */
  constructor(prefix: () => string, write: (text: string) => void) {
    this.#prefix = prefix;
    this.#write = write;
  }

  /** Takes what has come. */
  add(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    this.#pass(lines);
  }

  /** Nothing more will come. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "") this.#pass([rest]);
  }

  #pass(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const prefix = this.#prefix();
    this.#write(lines.map((line) => `${prefix}${line}\n`).join(""));
  }
}
