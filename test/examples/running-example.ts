/**
 * An example as a reader runs it: `npx fairlead examples/x.ts`, or `node examples/x.js`, on a free port, by the built package.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { ROOT } from "../architecture/source.ts";

const COMMAND = join(ROOT, "dist/cli/start.cjs");

/** What an example is started with. */
interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that serves an example. */
export class RunningExample {
  /** Set once it listens. */
  url: URL = new URL("http://127.0.0.1:0/");
  output = "";
  errors = "";
  readonly #child: ChildProcess;

  private constructor(name: string, { args = [], env = {} }: StartOptions) {
    const path = join(ROOT, "examples", name);
    const words = name.endsWith(".js") ? [path, ...args] : [COMMAND, path, "--port", "0", ...args];
    this.#child = spawn(process.execPath, words, {
      cwd: ROOT,
      env: { ...process.env, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.errors += text));
  }

  /** Starts one and waits until it listens. */
  static async start(name: string, options: StartOptions = {}): Promise<RunningExample> {
    const example = new RunningExample(name, options);
    const [origin] = await example.until(/http:\/\/127\.0\.0\.1:\d+\//);
    example.url = new URL(origin);
    return example;
  }

  /** Waits until the output has a match. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.#child.exitCode !== null) throw new Error(`it ended without ${pattern}: ${this.output}${this.errors}`);
      await Promise.race([once(this.#child.stdout!, "data"), once(this.#child, "exit")]);
    }
  }

  fetch(path: string, init: RequestInit = {}): Promise<globalThis.Response> {
    return fetch(new URL(path, this.url), { redirect: "manual", ...init });
  }

  /** A connection, once it is open. */
  async connect(): Promise<Socket> {
    const socket = connect(Number(this.url.port), "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  /** Sends octets, ends, and says all that comes until the other side ends too. */
  async talk(text: string): Promise<string> {
    const socket = await this.connect();
    socket.end(text, "latin1");
    return readAll(socket);
  }

  /** Waits for an end that comes by itself. */
  async crash(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  /** Ends it gracefully, if it runs, and says with which code it ended. */
  async end(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const closed = once(this.#child, "close");
      this.#child.kill("SIGTERM");
      await closed;
    }
    return this.#child.exitCode;
  }
}

/** All that comes on a connection until its end, one character for each octet. */
export async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => (text += part));
  await once(socket, "close");
  return text;
}

/** The content of a raw response. */
export function contentOf(response: string): string {
  return response.slice(response.indexOf("\r\n\r\n") + 4);
}
