/**
 * Clients that ask without a pause and count what goes wrong: one-shot connections, persistent ones, and persistent ones with
 * pipelining.
 *
 * A request has failed if its connection was refused or broken, or ended without a whole answer. What was sent behind a request
 * whose answer says `Connection: close` may be sent again (RFC 9112 §9.6), and is.
 */

import { connect, type Socket } from "node:net";

/** What has been counted. */
export interface LoadCount {
  answers: number;
  connections: number;
  /** What went wrong, in words, with how often. */
  readonly failures: Map<string, number>;
}

/** A load that runs. */
export interface Load {
  readonly count: LoadCount;
  /** Resolves when so many more answers have come. */
  more(answers: number): Promise<void>;
  /** Lets what is under way come to its end. */
  stop(): Promise<LoadCount>;
}

/** Starts so many clients of each kind. */
export function startLoad(port: number, clients: { oneShot: number; keepAlive: number; pipelining: number }): Load {
  const count: LoadCount = { answers: 0, connections: 0, failures: new Map() };
  const waiting: { at: number; resolve: () => void }[] = [];
  let isStopping = false;
  const onAnswer = (): void => {
    count.answers++;
    for (const one of waiting.splice(0)) {
      if (count.answers >= one.at) one.resolve();
      else waiting.push(one);
    }
  };
  const run = async (depth: number, isPersistent: boolean): Promise<void> => {
    while (!isStopping) {
      const client = new Client(port, depth, isPersistent, count, onAnswer, () => isStopping);
      await client.finished;
    }
  };
  const all = [
    ...Array.from({ length: clients.oneShot }, () => run(1, false)),
    ...Array.from({ length: clients.keepAlive }, () => run(1, true)),
    ...Array.from({ length: clients.pipelining }, () => run(4, true)),
  ];
  return {
    count,
    more: (answers) => new Promise((resolve) => waiting.push({ at: count.answers + answers, resolve })),
    stop: async () => {
      isStopping = true;
      await Promise.all(all);
      return count;
    },
  };
}

/** One connection. */
class Client {
  readonly finished: Promise<void>;
  readonly #socket: Socket;
  readonly #depth: number;
  readonly #isPersistent: boolean;
  readonly #count: LoadCount;
  readonly #onAnswer: () => void;
  readonly #isStopping: () => boolean;
  #input = "";
  /** Sent and not answered. */
  #open = 0;
  #isLast = false;
  #failure = "";

  constructor(
    port: number,
    depth: number,
    isPersistent: boolean,
    count: LoadCount,
    onAnswer: () => void,
    isStopping: () => boolean,
  ) {
    this.#depth = depth;
    this.#isPersistent = isPersistent;
    this.#count = count;
    this.#onAnswer = onAnswer;
    this.#isStopping = isStopping;
    this.#socket = connect(port, "127.0.0.1");
    count.connections++;
    this.#socket.setEncoding("latin1").on("data", (text: string) => this.#receive(text));
    this.#socket.on("connect", () => this.#send());
    this.#socket.on("error", (error: NodeJS.ErrnoException) => (this.#failure = error.code ?? error.message));
    this.finished = new Promise((resolve) => this.#socket.on("close", () => resolve(this.#close())));
  }

  #send(): void {
    const head = `GET / HTTP/1.1\r\nHost: load\r\n${this.#isPersistent ? "" : "Connection: close\r\n"}\r\n`;
    this.#open += this.#depth;
    this.#socket.write(head.repeat(this.#depth));
  }

  #receive(text: string): void {
    this.#input += text;
    for (;;) {
      const end = this.#input.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#input.slice(0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? -1);
      if (length < 0) this.#failure = `an answer without a length: ${head}`;
      if (length < 0 || this.#input.length < end + 4 + length) return;
      this.#input = this.#input.slice(end + 4 + length);
      if (!head.startsWith("HTTP/1.1 200 ")) this.#failure = head.slice(0, 40);
      this.#open--;
      this.#onAnswer();
      if (/\r\nconnection: close/i.test(head)) this.#isLast = true;
      if (this.#isLast) {
        // Those behind it are for another connection
        this.#open = 0;
        this.#socket.end();
        return;
      }
      if (this.#open > 0) continue;
      if (this.#isStopping()) this.#socket.end();
      else this.#send();
    }
  }

  #close(): void {
    if (this.#open > 0 && this.#failure === "") this.#failure = "ended without an answer";
    // A reset behind the last answer, under requests that were pipelined behind it, harms nobody
    if (this.#failure === "" || (this.#isLast && this.#open === 0)) return;
    this.#count.failures.set(this.#failure, (this.#count.failures.get(this.#failure) ?? 0) + 1);
  }
}
