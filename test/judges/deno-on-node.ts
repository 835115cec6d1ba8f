/**
 * Runs a script for Deno that asks for no more than sockets, on Node: `jiti deno-on-node.ts <file> [arguments]`.
 *
 * It stands in for what public suites use: `Deno.args`, `Deno.connect` and `Deno.exit`. It must never be used by the project.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

class Connection {
  readonly #socket: Socket;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((done) => this.#socket.write(bytes, () => done(bytes.length)));
  }

  /** As much as has come, null at the end; rejects once the script has closed the connection itself. */
  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) {
        const size = Math.min(chunk.length, buffer.length);
        buffer.set(chunk.subarray(0, size));
        if (size < chunk.length) this.#socket.unshift(chunk.subarray(size));
        return size;
      }
      if (this.#isClosed) throw new Error("the connection was closed here");
      if (this.#socket.readableEnded || this.#socket.destroyed) return null;
      await Promise.race(["readable", "end", "close"].map((event) => once(this.#socket, event)));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }
}

const [file = "", ...args] = process.argv.slice(2);
Object.assign(globalThis, {
  Deno: {
    args,
    exit: (code: number): never => process.exit(code),
    connect: async ({ hostname, port }: { hostname: string; port: number }): Promise<Connection> => {
      const socket = connect(port, hostname);
      await once(socket, "connect");
      return new Connection(socket);
    },
  },
});
await import(pathToFileURL(resolve(file)).href);
