/**
 * Many inputs to one server, each on a connection of its own with a marker request behind it, and what came of them.
 *
 * When is a server silent for good? Not after some milliseconds: a machine may be slow. Here time is counted in the server's
 * own answers: on one more connection it is asked plain requests one after the other, and who has nothing to say while that
 * goes on for long has nothing to say. Then we end our side, and it must end its own.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Answer, readAnswers } from "./answers.ts";

/** Behind each input: whoever reads the input as whole messages answers it. */
const MARKER = "GET /marker HTTP/1.1\r\nHost: marker.example\r\n\r\n";

/** A request as a server has understood it. */
export interface Seen {
  readonly method: string;
  /** `marker`, `smuggled`, or `other`. */
  readonly name: string;
  /** Without port, brackets and the dot of the root, in lower case; `?` where it is not told. */
  readonly host: string;
  /** Octets of content; null where it is not told. */
  readonly length: number | null;
}

/** One final answer. */
export interface Reply {
  readonly status: number;
  /** Null for an answer that the server gave without its handler. */
  readonly seen: Seen | null;
  /** The code of ours that a refusal tells, or `""`. */
  readonly code: string;
}

/** What came of one input. */
export interface Observation {
  readonly replies: readonly Reply[];
  /** The server ended the connection before we did. */
  readonly isClosed: boolean;
}

const AT_ONCE = 24;
const PLAIN = "GET /plain HTTP/1.1\r\nHost: plain.example\r\n\r\n";
/** Plain answers in a series; two series without a word from anybody are silence. */
const SERIES = 12;
/** For a server that does not end its side although we have. */
const MOST_END_MS = 3000;

/** Sends all inputs to the server on `port`. */
export async function converse(port: number, inputs: readonly Buffer[]): Promise<Observation[]> {
  const observations: Observation[] = [];
  for (let at = 0; at < inputs.length; at += AT_ONCE) {
    const lines = inputs.slice(at, at + AT_ONCE).map((input) => new Line(port, input));
    await Promise.all(lines.map((line) => line.opened));
    await untilSilent(port, lines);
    observations.push(...(await Promise.all(lines.map((line) => line.end()))));
  }
  return observations;
}

async function untilSilent(port: number, lines: readonly Line[]): Promise<void> {
  const clock = new Clock(port);
  let heard = -1;
  let quietSeries = 0;
  while (quietSeries < 2 && lines.some((line) => !line.isSettled)) {
    for (let i = 0; i < SERIES; i++) await clock.tick();
    const now = lines.reduce((sum, line) => sum + line.text.length, 0);
    quietSeries = now === heard ? quietSeries + 1 : 0;
    heard = now;
  }
  clock.stop();
}

/** Plain requests, one after the other. */
class Clock {
  readonly #port: number;
  #socket: Socket | null = null;
  #heard: () => void = () => {};

  constructor(port: number) {
    this.#port = port;
  }

  async tick(): Promise<void> {
    const socket = (this.#socket ??= this.#connect());
    await new Promise<void>((resolve) => {
      this.#heard = resolve;
      socket.write(PLAIN);
    });
  }

  stop(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect(this.#port, "127.0.0.1").setNoDelay();
    socket.on("error", () => {});
    socket.on("data", () => this.#heard());
    // Servers have a most of requests for a connection
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = null;
      this.#heard();
    });
    return socket;
  }
}

/** One connection. */
class Line {
  text = "";
  readonly opened: Promise<unknown>;
  readonly #socket: Socket;
  readonly #closed: Promise<unknown>;
  #isClosed = false;
  #isClosedFirst = false;
  #isEnding = false;

  constructor(port: number, input: Buffer) {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).setNoDelay();
    this.#socket = socket;
    this.opened = once(socket, "connect");
    socket.on("data", (chunk: Buffer) => (this.text += chunk.toString("latin1")));
    socket.on("error", () => this.#over());
    socket.on("end", () => this.#over());
    this.#closed = new Promise((resolve) => void socket.once("close", resolve));
    socket.write(Buffer.concat([input, Buffer.from(MARKER)]));
  }

  get isSettled(): boolean {
    return this.#isClosed || /x-seen: \S+ \S*\/marker/i.test(this.text);
  }

  async end(): Promise<Observation> {
    this.#isEnding = true;
    this.#socket.end();
    const giveUp = setTimeout(() => this.#socket.destroy(), MOST_END_MS);
    await this.#closed;
    clearTimeout(giveUp);
    return { replies: readAnswers(this.text).map(replyOf), isClosed: this.#isClosedFirst };
  }

  #over(): void {
    this.#isClosed = true;
    this.#isClosedFirst ||= !this.#isEnding;
    this.#socket.end();
  }
}

function replyOf({ status, fields, content }: Answer): Reply {
  const code = /ERR_[A-Z0-9_]+/.exec(content)?.[0] ?? "";
  const text = fields.get("x-seen");
  return { status, seen: text === undefined ? null : seenOf(text), code };
}

function seenOf(text: string): Seen {
  const parts = text.split(" ");
  const [method = "?", host = "?", length = "?"] = [parts[0], parts.at(-2), parts.at(-1)];
  const target = parts.slice(1, -2).join(" ");
  const name = /marker|smuggled/.exec(target)?.[0] ?? "other";
  return {
    method,
    name,
    host: host
      .toLowerCase()
      .replace(/^(\[.*\]|[^:]*):\d*$/, "$1")
      .replace(/^\[(.*)\]$/, "$1")
      .replace(/\.$/, ""),
    length: /^\d+$/.test(length) ? Number(length) : null,
  };
}
