/**
 * A folder served over a real socket to real clients, with a note of every answer they were given.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { serve } from "../../../src/server/server.ts";
import type { Server } from "../../../src/server/server.ts";
import { serveStatic } from "../../../src/static/serve-static.ts";
import type { StaticOptions } from "../../../src/static/serve-static.ts";
import { StaticSite } from "../../static/support/static-site.ts";

/** One answer, as the server saw it. */
export interface Note {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly status: number;
  /** The request's Range. */
  readonly range: string | null;
  readonly contentBytes: number;
}

/** A site whose answers are noted. */
export class WatchedSite implements AsyncDisposable {
  readonly files: StaticSite;
  /** Answers in the order in which they ended. */
  readonly notes: Note[];
  /** What went wrong in the handler: nothing ever should. */
  readonly faults: unknown[] = [];
  readonly #server: Server;

  private constructor(files: StaticSite, server: Server, notes: Note[], faults: unknown[]) {
    this.files = files;
    this.#server = server;
    this.notes = notes;
    this.faults = faults;
  }

  static async open(
    content: Readonly<Record<string, string | Uint8Array>>,
    options: StaticOptions = {},
  ): Promise<WatchedSite> {
    const files = new StaticSite(content);
    const notes: Note[] = [];
    const faults: unknown[] = [];
    const server = await serve({
      port: 0,
      fetch: serveStatic(files.www, options),
      hooks: {
        onFault: (fault) => faults.push(fault.error),
        onResponse: ({ exchange: { request }, status, contentBytes }) => {
          const { method, target, version, fields } = request;
          notes.push({ method, target, version, status, range: fields.get("range"), contentBytes });
        },
      },
    });
    return new WatchedSite(files, server, notes, faults);
  }

  /** Address of a path. */
  url(path: string): string {
    return new URL(path, this.#server.url).href;
  }

  /** An empty folder beside the one that is served, for what clients write. */
  folder(name: string): string {
    const path = join(this.files.base, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Forgets what was noted. */
  forget(): void {
    this.notes.length = 0;
    this.faults.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    await this.files[Symbol.asyncDispose]();
  }
}
