/**
 * Our classes under the platform's: `instanceof` holds, and members that ours lack are forwarded to the platform's object.
 *
 * A class of ours answers the common members itself; whatever else a version of Node puts on the prototype works through
 * its platform object, which is made on the first such use. The platform's classes themselves take 13 ms to load on Node 20
 * and 31 ms on Node 24 (`process.hrtime` around the first `globalThis.Request`), so that a stand-in holds their place in the
 * prototype chain until somebody looks there. This file must never replace a member that a class has.
 */

/** Gives the platform's object that stands behind one of ours. */
export type Materialise<T extends object> = (ours: T) => object;

/** What the language itself asks of values that it knows nothing about. */
const ASKED_OF_ALL: readonly string[] = ["then"];

/** How a class of ours inherits. */
export interface Inheritance<T extends object> {
  /** Of our class. */
  readonly prototype: T;
  /** Loads the platform's class and gives its prototype. */
  readonly platform: () => object;
  readonly materialise: Materialise<T>;
  /** What stands between both prototypes, if anything. */
  readonly between?: object;
  /** An object of the platform's class whose state is to be forwarded; see {@link inheritState}. */
  readonly sample?: () => object;
}

/** Puts the platform's prototype above ours as soon as somebody looks there. */
export function inheritLazily<T extends object>(inheritance: Inheritance<T>): void {
  const { prototype } = inheritance;
  let platform: object | null = null;
  const link = (): object => {
    if (platform !== null) return platform;
    platform = inheritance.platform();
    for (const member of ASKED_OF_ALL) Reflect.deleteProperty(prototype, member);
    inheritMembers(prototype, platform, inheritance.materialise);
    if (inheritance.sample !== undefined) inheritState(prototype, inheritance.sample(), inheritance.materialise);
    const { between } = inheritance;
    if (between !== undefined) Object.setPrototypeOf(between, platform);
    Object.setPrototypeOf(prototype, between ?? platform);
    return platform;
  };
  const standIn = new Proxy(
    {},
    {
      getPrototypeOf: link,
      get(_target, key, receiver): unknown {
        const linked = link();
        // What was constructed by our class but is the platform's own object has nothing of ours
        const isOurs = receiver === prototype || Object.prototype.isPrototypeOf.call(prototype, receiver as object);
        const value: unknown = Reflect.get(isOurs ? prototype : linked, key, receiver);
        return value;
      },
      has(_target, key): boolean {
        return Reflect.has(link(), key);
      },
    },
  );
  // Each promise that is fulfilled with one of ours asks for it; through the stand-in that costs 85 ns
  for (const member of ASKED_OF_ALL) Object.defineProperty(prototype, member, { configurable: true, value: undefined });
  Object.setPrototypeOf(prototype, standIn);
  if (inheritance.between !== undefined) Object.setPrototypeOf(inheritance.between, standIn);
}

/** Fills every accessor and method that `prototype` lacks with a forwarder. */
function inheritMembers<T extends object>(prototype: T, platform: object, materialise: Materialise<T>): void {
  for (const key of Reflect.ownKeys(platform)) {
    const descriptor = Object.getOwnPropertyDescriptor(platform, key);
    if (descriptor === undefined || key === "constructor") continue;
    const own = Object.getOwnPropertyDescriptor(prototype, key);
    if (own !== undefined) {
      // Members of a class are not enumerable, those of a platform interface are (Web IDL §3.7)
      Object.defineProperty(prototype, key, { ...own, enumerable: descriptor.enumerable ?? false });
      continue;
    }
    const forwarder = forward(key, descriptor, materialise);
    if (forwarder !== null) Object.defineProperty(prototype, key, forwarder);
  }
}

/**
 * Forwards the state that the platform keeps in properties of its instances. Node 20 and 22 keep it so, and there
 * `new globalThis.Request(ours)` and `fetch(ours)` work because of this; later versions keep it in private fields.
 */
function inheritState<T extends object>(prototype: T, sample: object, materialise: Materialise<T>): void {
  for (const key of Object.getOwnPropertySymbols(sample)) {
    Object.defineProperty(prototype, key, {
      configurable: true,
      enumerable: false,
      get(this: T): unknown {
        return Reflect.get(materialise(this), key) as unknown;
      },
      set(this: T, value: unknown): void {
        Reflect.set(materialise(this), key, value);
      },
    });
  }
}

function forward<T extends object>(
  key: PropertyKey,
  descriptor: PropertyDescriptor,
  materialise: Materialise<T>,
): PropertyDescriptor | null {
  const { configurable = true, enumerable = false, get, set, writable = true } = descriptor;
  if (get !== undefined || set !== undefined) {
    return {
      configurable,
      enumerable,
      get(this: T): unknown {
        const platform = materialise(this);
        return Reflect.get(platform, key, platform) as unknown;
      },
      set(this: T, value: unknown): void {
        const platform = materialise(this);
        Reflect.set(platform, key, value, platform);
      },
    };
  }
  const method: unknown = descriptor.value;
  if (typeof method !== "function") return null;
  return {
    configurable,
    enumerable,
    writable,
    value(this: T, ...args: unknown[]): unknown {
      return Reflect.apply(method, materialise(this), args) as unknown;
    },
  };
}
