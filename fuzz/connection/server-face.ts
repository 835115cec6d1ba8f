/**
 * The face `server`: exchanges wired as `serve()` wires them, with hooks that only look or that fail, and with proxies that are
 * believed or not. A hook that fails must be seen by nobody but the operator.
 */

import type { Exchange } from "../../src/http/exchange.ts";
import type { Http1Config } from "../../src/http1/states.ts";
import { type Fault, type GuardedHooks, guardHooks } from "../../src/server/hooks.ts";
import { resolveOptions } from "../../src/server/options.ts";
import { createProtocolConfigs } from "../../src/server/protocol-configs.ts";
import type { Handler } from "../../src/web/handler.ts";
import type { Script } from "./script.ts";

/** What the player does for it. */
export interface ServerOwner {
  readonly fetch: Handler;
  readonly onFault: (fault: Fault) => void;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly nowMs: () => number;
}

const owners: WeakMap<Exchange, ServerOwner> = new WeakMap();

/** Guarded once for all scripts, since each guard warns once. */
let failing: GuardedHooks | null = null;

/** Warned of once, without a stack that would look like a finding. */
function failure(message: string): Error {
  return Object.assign(new Error(message), { stack: message });
}

function fail(): never {
  throw failure("a hook of the fuzz fails, as it should");
}

function failingHooks(): GuardedHooks {
  failing ??= guardHooks({
    onRequest: fail,
    onResponse: () => Promise.reject(failure("a hook of the fuzz rejects, as it should")),
    onRefusal: fail,
    onFault: (fault) => {
      if (fault.exchange !== null) owners.get(fault.exchange)?.onFault(fault);
      fail();
    },
  });
  return failing;
}

/** What a server makes its connections with. */
export function serverConfig(script: Script, owner: ServerOwner): Http1Config {
  const { limits, timeouts, hooks = "looking", trust = "" } = script;
  const { onFault, waitUntil, nowMs } = owner;
  const fetch: Handler = (request, context) => {
    owners.set(context.exchange, owner);
    return owner.fetch(request, context);
  };
  const options = resolveOptions({
    fetch,
    hooks: { onFault, onRequest: () => {}, onResponse: () => {} },
    ...(trust === "" ? {} : { trustProxy: { from: ["loopback"], header: trust } }),
  });
  const time = { wallMs: () => 0, monotonicMs: nowMs, every: neverRings, after: neverRings };
  const server = { countRequest: () => {}, waitUntil, isReady: true, eventLoopDelayMs: 0, port: 8080 };
  const merged = {
    ...options,
    limits: { ...options.limits, ...limits },
    timeouts: { ...options.timeouts, ...timeouts },
  };
  const guarded = hooks === "failing" ? failingHooks() : guardHooks(options.hooks);
  return createProtocolConfigs(merged, guarded, time, server).plain;
}

function neverRings(): () => void {
  return () => {};
}
