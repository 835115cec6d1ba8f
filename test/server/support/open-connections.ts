/**
 * A listener on a free port with connections behind it, and clients for it.
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Connections, type ConnectionsConfig } from "../../../src/server/connections.ts";
import { type Fault, guardHooks, type Hooks } from "../../../src/server/hooks.ts";
import { Listener } from "../../../src/server/listener.ts";
import type { Sendfile } from "../../../src/server/sendfile-pump.ts";
import { FakeProtocol, type FakeScript } from "./fake-protocol.ts";
import { ManualTime } from "./manual-time.ts";

/** What a test may choose. */
export interface OpenOptions {
  script?: FakeScript;
  hooks?: Hooks;
  maxConnections?: number;
  maxConnectionsPerAddress?: number;
  unix?: string;
  sendfile?: Sendfile | null;
}

/** What it gets. */
export interface Opened extends AsyncDisposable {
  readonly connections: Connections;
  readonly listener: Listener;
  readonly time: ManualTime;
  readonly protocols: FakeProtocol[];
  readonly faults: Fault[];
  /** Connects, and waits until both sides know. */
  dial(options?: { allowHalfOpen?: boolean }): Promise<{ client: Socket; protocol: FakeProtocol }>;
  /** Connects without waiting for the protocol. */
  dialOnly(options?: { allowHalfOpen?: boolean }): Promise<Socket>;
  /** Resolves when no connection is left. */
  empty(): Promise<void>;
}

/** Opens. Disposing closes the listener and destroys what is left. */
export async function openConnections(options: OpenOptions = {}): Promise<Opened> {
  const time = new ManualTime();
  const protocols: FakeProtocol[] = [];
  const faults: Fault[] = [];
  const waiting: Array<(protocol: FakeProtocol) => void> = [];
  const whenEmpty: Array<() => void> = [];
  const config: ConnectionsConfig = {
    maxConnections: options.maxConnections ?? Infinity,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? Infinity,
    hooks: guardHooks({ onFault: (fault) => faults.push(fault), ...options.hooks }),
    sendfile: options.sendfile ?? null,
    createProtocol: (transport, clock) => {
      const protocol = new FakeProtocol(transport, clock, options.script ?? {});
      protocols.push(protocol);
      waiting.shift()?.(protocol);
      return protocol;
    },
    renderRefusal: (error, dateText) => ({ text: `refused ${error.code} ${dateText}\n`, contentBytes: 7 }),
    onEmpty: () => {
      for (const resolve of whenEmpty.splice(0)) resolve();
    },
  };
  const connections = new Connections(config, time);
  const target =
    options.unix === undefined
      ? ({ kind: "tcp", hostname: "127.0.0.1", port: 0, backlog: 511 } as const)
      : ({ kind: "unix", path: options.unix, backlog: 511 } as const);
  const listener = await Listener.open(target, connections);
  const dialOnly = async (extra: { allowHalfOpen?: boolean } = {}): Promise<Socket> => {
    const client =
      options.unix === undefined
        ? connect({ port: listener.address.port, host: "127.0.0.1", ...extra })
        : connect({ path: options.unix, ...extra });
    await once(client, "connect");
    return client;
  };
  const empty = (): Promise<void> =>
    connections.isEmpty ? Promise.resolve() : new Promise((resolve) => whenEmpty.push(() => resolve()));
  return {
    connections,
    listener,
    time,
    protocols,
    faults,
    dialOnly,
    empty,
    async dial(extra = {}) {
      const arrival = new Promise<FakeProtocol>((resolve) => waiting.push(resolve));
      const client = await dialOnly(extra);
      return { client, protocol: await arrival };
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      connections.destroyAll();
      await empty();
      connections.clock.stop();
    },
  };
}

/** Everything a client hears until the end of the connection; rejects if it is reset. */
export async function readAll(client: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Resolves at the next turn of the event loop in which `isTrue`. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
