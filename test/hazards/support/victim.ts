/**
 * A server under attack over real sockets, whose time a test moves, and peers that send bytes as no client would.
 */

import { connect, type Socket } from "node:net";
import type { Exchange, Outcome } from "../../../src/http/exchange.ts";
import type { ServeOptions } from "../../../src/server/options.ts";
import { type Server, startServer } from "../../../src/server/server.ts";
import { Response } from "../../../src/web/response.ts";
import { ManualTime } from "../../server/support/manual-time.ts";

/** What a test gets. */
export interface Victim extends AsyncDisposable {
  readonly server: Server;
  readonly time: ManualTime;
  /** Codes of what was refused, in order. */
  readonly refusals: string[];
  /** How exchanges ended, in order. */
  readonly outcomes: Outcome[];
  /** Requests that handlers were given. */
  readonly exchanges: Exchange[];
  /** Connects a peer, which ends its side when the server does unless it is `stubborn`. */
  dial(from?: string, manner?: "stubborn"): Peer;
  /**
   * Sends a plain request on a connection of its own: what everybody else gets meanwhile. When it is answered, the server has
   * read what others had sent before.
   */
  ask(): Promise<string>;
}

/** Starts one. Disposing cuts everything off. */
export async function startVictim(options: Partial<ServeOptions> = {}): Promise<Victim> {
  const time = new ManualTime();
  const refusals: string[] = [];
  const outcomes: Outcome[] = [];
  const exchanges: Exchange[] = [];
  const peers: Peer[] = [];
  const server = await startServer(
    {
      fetch: () => new Response("served"),
      port: 0,
      hooks: {
        onRefusal: ({ error }) => refusals.push(error.code),
        onResponse: ({ outcome }) => outcomes.push(outcome),
        onRequest: (exchange) => exchanges.push(exchange),
      },
      ...options,
    },
    time,
  );
  const dial = (from = "127.0.0.1", manner?: "stubborn"): Peer => {
    const peer = new Peer(server.port, from, manner === "stubborn");
    peers.push(peer);
    return peer;
  };
  return {
    server,
    time,
    refusals,
    outcomes,
    exchanges,
    dial,
    async ask() {
      const peer = dial();
      void peer.send("GET /ask HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      await peer.closed;
      return peer.status;
    },
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.socket.destroy();
      server.closeNow();
      await server.finished;
    },
  };
}

/** One end of a connection, in the hands of a test. It reads all that comes, unless it is told not to. */
export class Peer {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however that came about. */
  readonly closed: Promise<void>;
  /** What was heard, as latin1. */
  text = "";
  /** Whether it ended with a reset. */
  isReset = false;

  constructor(port: number, from: string, allowHalfOpen: boolean) {
    this.socket = connect({ port, host: "127.0.0.1", localAddress: from, allowHalfOpen });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    this.socket.on("error", () => {
      this.isReset = true;
    });
    this.socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
    });
  }

  /** Sends. Resolves when the system has taken it. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(data, "latin1", () => resolve()));
  }

  /** Reads no more. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Of the first answer, `""` before there is one. */
  get status(): string {
    return this.text.slice(9, 12);
  }

  /** All of them. */
  get statuses(): string[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
  }
}

/** Resolves at the next turn of the event loop in which `isTrue`. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

/** A mebibyte. */
export const MIB: number = 1024 * 1024;
