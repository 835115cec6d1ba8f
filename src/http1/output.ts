/**
 * What a connection has to say, gathered so that one chunk of input is answered with one write.
 *
 * Heads and small contents are joined as latin1 text, bytes stay as they are; past a mark all is handed to the transport at
 * once, so that a burst of pipelined requests cannot make us hold all their answers (RFC 9112 §9.3.2).
 */

import type { Transport } from "../http/exchange.ts";
import type { RepeatedMessage } from "./repeated-messages.ts";

/** Held back at most, in octets; then written even in the middle of a burst. */
const MARK_BYTES = 64 * 1024;

/** Output of one connection. */
export class Output {
  readonly #transport: Transport;
  #text = "";
  #parts: Array<string | Uint8Array> = [];
  #partBytes = 0;
  /** The same as the text, where that is one message. */
  #octets: Uint8Array | null = null;
  /** The transport's queue is above its mark: the peer does not read. */
  isBlocked = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get isEmpty(): boolean {
    return this.#text === "" && this.#parts.length === 0;
  }

  /** Whether so much is held that it should be written now. */
  get isFull(): boolean {
    return this.#text.length + this.#partBytes >= MARK_BYTES;
  }

  /** Adds latin1 text. */
  text(text: string): void {
    this.#text += text;
    this.#octets = null;
  }

  /** Adds a message that goes as octets if nothing else goes with it. */
  message({ text, octets }: RepeatedMessage): void {
    const isAlone = this.isEmpty;
    this.text(text);
    if (isAlone) this.#octets = octets;
  }

  /** Adds bytes, which must not change until they are written. */
  bytes(bytes: Uint8Array): void {
    if (this.#text !== "") {
      this.#parts.push(this.#text);
      this.#partBytes += this.#text.length;
      this.#text = "";
    }
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  /** Hands all to the transport. */
  flush(): void {
    const text = this.#text;
    const parts = this.#parts;
    if (parts.length === 0) {
      if (text === "") return;
      this.#text = "";
      if (!this.#transport.write(this.#octets ?? text)) this.isBlocked = true;
      this.#octets = null;
      return;
    }
    if (text !== "") parts.push(text);
    this.#text = "";
    this.#parts = [];
    this.#partBytes = 0;
    const isBelowMark =
      parts.length === 1 ? this.#transport.write(parts[0] as string | Uint8Array) : this.#transport.writeAll(parts);
    if (!isBelowMark) this.isBlocked = true;
  }
}
