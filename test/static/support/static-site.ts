/**
 * A folder in a temporary place behind a server, and a client that sends a path as it is: fetch() would remove dot segments.
 */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { request as sendRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serve } from "../../../src/server/server.ts";
import type { Server } from "../../../src/server/server.ts";
import { serveStatic } from "../../../src/static/serve-static.ts";
import type { StaticHandler, StaticOptions } from "../../../src/static/serve-static.ts";

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came, a line each. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Long ago, so that no file is in the middle of being written. */
export const OLD: Date = new Date("2024-02-29T12:34:56Z");

/** Files by path, in a folder `www` beside which more can be put. */
export class StaticSite implements AsyncDisposable {
  readonly base: string;
  readonly www: string;
  readonly faults: unknown[] = [];
  readonly #servers: Server[] = [];

  constructor(files: Readonly<Record<string, string | Uint8Array>>) {
    this.base = mkdtempSync(join(tmpdir(), "fairlead-site-"));
    this.www = join(this.base, "www");
    mkdirSync(this.www);
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  /** Writes a file, of long ago unless it is to be new. */
  write(name: string, content: string | Uint8Array, time: Date | null = OLD): string {
    const path = join(this.www, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (time !== null) utimesSync(path, time, time);
    return path;
  }

  /** Serves the folder. */
  async serve(options: StaticOptions = {}): Promise<Served> {
    const handler = serveStatic(this.www, options);
    const server = await serve({
      port: 0,
      fetch: handler,
      hooks: { onFault: (fault) => this.faults.push(fault.error) },
    });
    this.#servers.push(server);
    return new Served(server, handler);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** A folder being served. */
export class Served {
  readonly port: number;
  readonly server: Server;
  readonly handler: StaticHandler;

  constructor(server: Server, handler: StaticHandler) {
    this.server = server;
    this.port = server.port;
    this.handler = handler;
  }

  /** Asks, on a connection of its own. Rejects if the message is broken off. */
  ask(method: string, path: string, headers: Readonly<Record<string, string | string[]>> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = sendRequest(
        { host: "127.0.0.1", port: this.port, method, path, headers, agent: false },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              rawHeaders: response.rawHeaders,
              body: Buffer.concat(parts),
            }),
          );
        },
      );
      request.on("error", reject);
      request.end();
    });
  }

  get(path: string, headers: Readonly<Record<string, string | string[]>> = {}): Promise<Answer> {
    return this.ask("GET", path, headers);
  }
}
