/**
 * Who may connect: limits on open connections, in all and of one address, and on those that are being turned away.
 *
 * Counting only. Addresses are counted only where an operator set a limit for them; asking for one costs a system call.
 */

import { ProtocolError } from "../http/errors.ts";
import type { ConnectionInfo } from "../http/exchange.ts";

/** The counters of one server. */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #perAddress: Map<string, number> = new Map();
  readonly #maxRefusals: number;
  #open = 0;
  #refused = 0;

  /** @param maxRefusals connections that have time to read why they are turned away; beyond this they are closed at once */
  constructor(maxConnections: number, maxPerAddress: number, maxRefusals: number) {
    this.#maxConnections = maxConnections;
    this.#maxPerAddress = maxPerAddress;
    this.#maxRefusals = maxRefusals;
  }

  /** Connections that were admitted and are still open. */
  get open(): number {
    return this.#open;
  }

  /** Admits a connection and counts it, or says why not. Its address is counted by {@link admitAddress}, once it is known. */
  admit(): ProtocolError | null {
    if (this.#open >= this.#maxConnections) {
      return new ProtocolError("ERR_TOO_MANY_CONNECTIONS", { detail: `limit ${this.#maxConnections}` });
    }
    this.#open++;
    return null;
  }

  /** Counts an admitted connection under its address, or says why not. */
  admitAddress(connection: ConnectionInfo): ProtocolError | null {
    if (this.#maxPerAddress === Infinity) return null;
    const { address, family } = connection.remoteAddress;
    const count = this.#perAddress.get(address) ?? 0;
    // Peers on a unix socket have no addresses to tell them apart
    if (count >= this.#maxPerAddress && family !== "unix") {
      return new ProtocolError("ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS", { detail: `limit ${this.#maxPerAddress}` });
    }
    this.#perAddress.set(address, count + 1);
    return null;
  }

  /** An admitted connection is gone, or was turned away because of its address. */
  release(): void {
    this.#open--;
  }

  /** The address of {@link admitAddress} has one less. */
  releaseAddress(connection: ConnectionInfo): void {
    if (this.#maxPerAddress === Infinity) return;
    const { address } = connection.remoteAddress;
    const count = this.#perAddress.get(address) ?? 0;
    if (count > 1) this.#perAddress.set(address, count - 1);
    else this.#perAddress.delete(address);
  }

  /** Whether one more may have time to read why it is turned away; counted if so. */
  beginRefusal(): boolean {
    if (this.#refused >= this.#maxRefusals) return false;
    this.#refused++;
    return true;
  }

  /** One that was turned away is gone. */
  endRefusal(): void {
    this.#refused--;
  }
}
