/**
 * Several observers of one server.
 *
 * Each is told, in order, whatever the others do: one that throws is not the end of the others, and its error reaches whoever
 * calls the hooks, as one hook's would. A hook that nobody wants stays absent, so that it costs nothing.
 */

import type { Hooks } from "./hooks.ts";
import { show } from "./option-check.ts";

type Told = (value: unknown, more: unknown) => unknown;

const NAMES = [
  "onListen",
  "onConnection",
  "onConnectionClose",
  "onRequest",
  "onResponse",
  "onRefusal",
  "onFault",
  "onClose",
] as const satisfies readonly (keyof Hooks)[];

/**
 * Hooks that tell all of `observers`; `serve({ hooks: [accessLog(), counts.hooks] })` does it by itself.
 *
 * A failure is written to standard error unless one of them has taken it: returned anything but `false`, or a promise of it, from `onFault`.
 *
 * @throws TypeError if one of them is no object
 */
export function joinHooks(...observers: readonly Hooks[]): Hooks {
  for (const [index, observer] of observers.entries()) {
    if (typeof observer === "object" && (observer as Hooks | null) !== null) continue;
    throw new TypeError(
      `observer ${index + 1} of joinHooks() is ${show(observer)}: hooks are an object, e.g. accessLog() or metrics().hooks`,
    );
  }
  const joined: Partial<Record<keyof Hooks, Told>> = {};
  for (const name of NAMES) {
    const wanted = observers.map((observer) => hookOf(observer, name)).filter((hook) => hook !== undefined);
    const last = wanted.pop();
    if (last === undefined) continue;
    joined[name] = wanted.reduceRight((rest, hook) => join(hook, rest), last);
  }
  return joined as Hooks;
}

/** @internal What `hooks` of serve() is given as, as one; none of what is not given. */
export function observerOf(hooks: Hooks | readonly Hooks[] | undefined): Hooks {
  return isSeveral(hooks) ? joinHooks(...hooks) : joinHooks(hooks ?? {});
}

/**
 * Whether an observer that is of a class keeps this member for itself: its fields are as public as its hooks. `online`, a
 * number, is no hook that was misspelt; a function whose name begins as hooks do is.
 *
 * @internal
 */
export function isStateOf(observer: object, name: string): boolean {
  const prototype: unknown = Object.getPrototypeOf(observer);
  if (prototype === null || prototype === Object.prototype) return false;
  return !name.startsWith("on") || typeof Reflect.get(observer, name) !== "function";
}

/** Node's own `isArray` does not know of arrays that cannot be written to. */
function isSeveral(hooks: Hooks | readonly Hooks[] | undefined): hooks is readonly Hooks[] {
  return Array.isArray(hooks);
}

/** A method of a class is called as one; a function of the object's own stays itself, which costs less. */
function hookOf(observer: Hooks, name: keyof Hooks): Told | undefined {
  const hook = observer[name] as Told | undefined;
  return typeof hook !== "function" || Object.hasOwn(observer, name) ? hook : hook.bind(observer);
}

function join(first: Told, second: Told): Told {
  return (value, more) => {
    let one: unknown;
    let other: unknown;
    try {
      one = first(value, more);
    } catch (error) {
      leaveUnheard(second(value, more));
      throw error;
    }
    try {
      other = second(value, more);
    } catch (error) {
      leaveUnheard(one);
      throw error;
    }
    if (one instanceof Promise || other instanceof Promise) return Promise.all([one, other]).then(isLeft);
    return isLeft([one, other]);
  };
}

/** `false` is what leaves a failure to others, where nobody else takes it. */
function isLeft([one, other]: readonly [unknown, unknown]): false | undefined {
  return one === false && other === false ? false : undefined;
}

/** Of several that fail one is told of; a rejection that nobody hears would end the process. */
function leaveUnheard(result: unknown): void {
  if (result instanceof Promise) result.catch(() => {});
}
