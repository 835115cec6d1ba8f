/**
 * How our classes are shown by `console.log` and its like: as the platform shows its own, by name and members.
 *
 * By itself Node would show our private state, or nothing. It must never read content, nor make the platform's object.
 */

import { formatWithOptions, type InspectOptions, inspect } from "node:util";

/**
 * Sets how objects of a class are shown.
 *
 * @param name of the class as users know it
 * @param describe what is shown behind the name
 */
export function showAs<T extends object>(prototype: T, name: string, describe: (shown: T) => object): void {
  Object.defineProperty(prototype, inspect.custom, {
    configurable: true,
    writable: true,
    value(this: T, depth: number, options: InspectOptions): string {
      return `${name} ${formatWithOptions({ ...options, depth: options.depth ?? depth }, describe(this))}`;
    },
  });
}

/** {@link showAs} with members. @param members in the order in which the platform shows them */
export function showMembers<T extends object>(prototype: T, name: string, members: ReadonlyArray<keyof T>): void {
  showAs(prototype, name, (shown) => Object.fromEntries(members.map((member) => [member, shown[member]])));
}
