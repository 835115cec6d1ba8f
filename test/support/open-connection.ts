/**
 * One Http1Connection over memory with a handler of the test's, and all that it told its owner.
 */

import type { Exchange, Outcome, Refusal } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import type { WireLimits, WireTimeouts } from "../../src/http1/limits.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryTransport } from "./memory-transport.ts";

/** A connection under test. */
export interface OpenConnection {
  readonly transport: MemoryTransport;
  readonly connection: Http1Connection;
  /** Watched by default: deadlines that pass are expired. */
  readonly clock: ManualClock;
  readonly exchanges: Exchange[];
  readonly refusals: Refusal[];
  readonly outcomes: Outcome[];
  /** What callbacks threw. */
  readonly mistakes: unknown[];
}

/** What may differ from the defaults. */
export interface OpenOptions {
  readonly limits?: Partial<WireLimits>;
  readonly timeouts?: Partial<WireTimeouts>;
}

/** Opens a connection whose requests go to `handle`. */
export function openConnection(handle: (exchange: Exchange) => void, options: OpenOptions = {}): OpenConnection {
  const transport = new MemoryTransport();
  const clock = new ManualClock();
  const exchanges: Exchange[] = [];
  const refusals: Refusal[] = [];
  const outcomes: Outcome[] = [];
  const mistakes: unknown[] = [];
  const connection = new Http1Connection(transport, clock, {
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    leniencies: DEFAULT_LENIENCIES,
    isExplaining: true,
    handle: (exchange) => {
      exchanges.push(exchange);
      handle(exchange);
    },
    events: {
      onRefusal: (refusal) => refusals.push(refusal),
      onExchangeEnd: (_exchange, outcome) => outcomes.push(outcome),
      onCallbackError: (error) => mistakes.push(error),
    },
  });
  clock.watch(connection);
  return { transport, connection, clock, exchanges, refusals, outcomes, mistakes };
}

/** A request head with Host, as octets. */
export function request(line: string, ...fields: readonly string[]): Buffer {
  return Buffer.from(`${[line, "Host: a.example", ...fields].join("\r\n")}\r\n\r\n`, "latin1");
}

/** All that was written so far. */
export function written(transport: MemoryTransport): string {
  return transport.output.toString("latin1");
}

/** Lets promises that are settled be heard. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
