/**
 * A protocol that does what a test says, on a real socket: records what it hears, and answers through `transport`.
 */

import type { Clock, ProtocolConnection, Transport } from "../../../src/http/exchange.ts";

/** What a fake protocol hears. */
export interface FakeScript {
  onReceive?: (connection: FakeProtocol, chunk: Buffer) => void;
  onEnd?: (connection: FakeProtocol) => void;
  onFlush?: (connection: FakeProtocol) => void;
  onWritable?: (connection: FakeProtocol) => void;
  onExpire?: (connection: FakeProtocol) => void;
  onShutdown?: (connection: FakeProtocol) => void;
}

/** One connection of it. */
export class FakeProtocol implements ProtocolConnection {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly events: string[] = [];
  readonly received: Buffer[] = [];
  readonly closedPromise: Promise<Error | null>;
  deadlineMs: number = Infinity;
  isIdle = true;
  readonly #script: FakeScript;
  #resolveClosed: (error: Error | null) => void = () => {};

  constructor(transport: Transport, clock: Clock, script: FakeScript) {
    this.transport = transport;
    this.clock = clock;
    this.#script = script;
    this.closedPromise = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get text(): string {
    return Buffer.concat(this.received).toString("latin1");
  }

  receive(chunk: Uint8Array): void {
    this.events.push("receive");
    this.received.push(Buffer.from(chunk));
    this.#script.onReceive?.(this, Buffer.from(chunk));
  }

  receiveEnd(): void {
    this.events.push("end");
    this.#script.onEnd?.(this);
  }

  flush(): void {
    this.events.push("flush");
    this.#script.onFlush?.(this);
  }

  writable(): void {
    this.events.push("writable");
    this.#script.onWritable?.(this);
  }

  closed(error: Error | null): void {
    this.events.push("closed");
    this.#resolveClosed(error);
  }

  expire(): void {
    this.events.push("expire");
    this.#script.onExpire?.(this);
  }

  shutdown(): void {
    this.events.push("shutdown");
    if (this.#script.onShutdown === undefined) this.transport.end();
    else this.#script.onShutdown(this);
  }
}
