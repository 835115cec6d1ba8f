/**
 * Finds the ends of answers of known length on one connection, as cheap as can be.
 *
 * The first answer is read: its status must be 200, its length is that of the head plus Content-Length. All others must have
 * the same length (a Date has a fixed one) and begin with the same status line. Anything else is an error, so a load that
 * uses this has checked every answer's frame.
 */

const STATUS_LINE = "HTTP/1.1 200 ";

/** One connection's answers, one at a time: the next request is sent when the last was answered. */
export class AnswerCounter {
  #answerBytes = 0;
  #received = 0;
  #first = "";

  /**
   * Takes octets that came.
   *
   * @returns true if they end the answer
   * @throws if they are none, or more than one
   */
  take(octets: Uint8Array, length: number): boolean {
    if (this.#answerBytes === 0) return this.#takeFirst(octets, length);
    // "H" and "2" of "HTTP/1.1 200"
    const isWrong = octets[0] !== 0x48 || (length > 9 && octets[9] !== 0x32);
    if (this.#received === 0 && isWrong) throw new Error(`no answer, or another: ${textOf(octets, length)}`);
    this.#received += length;
    if (this.#received < this.#answerBytes) return false;
    if (this.#received > this.#answerBytes) throw new Error(`answers differ in length: ${textOf(octets, length)}`);
    this.#received = 0;
    return true;
  }

  #takeFirst(octets: Uint8Array, length: number): boolean {
    this.#first += textOf(octets, length);
    if (!this.#first.startsWith(STATUS_LINE.slice(0, this.#first.length))) throw new Error(`no 200: ${this.#first}`);
    const headEnd = this.#first.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const contentBytes = /\r\ncontent-length: *(\d+)\r\n/i.exec(this.#first.slice(0, headEnd + 2))?.[1];
    if (contentBytes === undefined)
      throw new Error(`an answer without Content-Length: ${this.#first.slice(0, headEnd)}`);
    const answerBytes = headEnd + 4 + Number(contentBytes);
    if (this.#first.length < answerBytes) return false;
    if (this.#first.length > answerBytes) throw new Error("more than one answer");
    this.#answerBytes = answerBytes;
    this.#first = "";
    return true;
  }
}

function textOf(octets: Uint8Array, length: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset, length).toString("latin1");
}
