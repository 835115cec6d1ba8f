/**
 * Members of the platform's prototypes that our classes do not have: forwarded to the platform's own object.
 *
 * A class of ours answers the common members itself; whatever else a version of Node puts on the prototype works through
 * its platform object, which is made on the first such use. This file must never replace a member that a class has.
 */

/** Gives the platform's object that stands behind one of ours. */
export type Materialise<T extends object> = (ours: T) => object;

/**
 * Fills every accessor and method that `prototype` lacks with a forwarder, and puts `prototype` on top of `platform`, so
 * that `instanceof` holds for the platform's class.
 *
 * @param prototype of our class
 * @param platform prototype of the platform's class
 * @param top what `prototype` shall inherit from: `platform`, or a prototype that inherits from it
 */
export function inheritMembers<T extends object>(
  prototype: T,
  platform: object,
  top: object,
  materialise: Materialise<T>,
): void {
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
  Object.setPrototypeOf(prototype, top);
}

/**
 * Forwards the state that the platform keeps in properties of its instances. Node 20 and 22 keep it so, and there
 * `new globalThis.Request(ours)` and `fetch(ours)` work because of this; later versions keep it in private fields.
 *
 * @param sample an object of the platform's class
 */
export function inheritState<T extends object>(prototype: T, sample: object, materialise: Materialise<T>): void {
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
