/**
 * A client on a bare socket: several requests at once on one connection, and readers as slow as one likes. What it reads it
 * reads by Content-Length alone, so that an octet too many or too few spoils what follows.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Answer, Question } from "./judge.ts";

/** One connection. */
export class RawClient {
  readonly socket: Socket;
  #input: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1" });
    this.socket.on("data", (part: Buffer) => {
      this.#parts.push(part);
      this.#wake?.();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  /** Sends requests in one go. */
  ask(questions: readonly Question[]): void {
    const heads = questions.map(({ method, subject, fields }) => {
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
      return `${method} ${subject.path} HTTP/1.1\r\nHost: localhost\r\n${lines.join("")}\r\n`;
    });
    this.socket.write(heads.join(""));
  }

  /** The next answer; null where the connection ended before it did. @throws what is no response */
  async read(method: string): Promise<Answer | null> {
    let end = -1;
    for (;;) {
      this.#take();
      end = this.#input.indexOf("\r\n\r\n");
      if (end !== -1) break;
      if (this.#isClosed) return null;
      await this.#more();
    }
    const [first = "", ...lines] = this.#input.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? NaN);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(first.slice(0, 100))}`);
    const fields = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.replace(/^[^:]*: */, "")]),
    );
    const isEmpty = method === "HEAD" || status === 304 || status === 204;
    const length = isEmpty ? 0 : Number(fields.get("content-length"));
    if (Number.isNaN(length)) throw new Error("no Content-Length");
    const start = end + 4;
    while (this.#received - start < length) {
      if (this.#isClosed) return null;
      await this.#more();
    }
    this.#take();
    const content = Buffer.from(this.#input.subarray(start, start + length));
    this.#input = this.#input.subarray(start + length);
    return { status, fields, content };
  }

  close(): void {
    this.socket.destroy();
  }

  get #received(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, this.#input.length);
  }

  #take(): void {
    if (this.#parts.length > 0) this.#input = Buffer.concat([this.#input, ...this.#parts]);
    this.#parts = [];
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}
