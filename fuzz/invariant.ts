/**
 * How targets say that an invariant is broken: by an error that names the invariant, so that an input is shortened without
 * sliding into another failure, and with what was seen instead.
 */

import { isDeepStrictEqual } from "node:util";

/** An invariant does not hold. */
export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
  /** Which one, the same text for all inputs. */
  readonly invariant: string;

  constructor(invariant: string, detail: string, options?: ErrorOptions) {
    super(detail === "" ? invariant : `${invariant}: ${detail}`, options);
    this.invariant = invariant;
  }
}

/** Throws {@link BrokenInvariant} unless `condition`. `detail` is asked only then. */
export function hold(condition: boolean, invariant: string, detail: () => string = () => ""): asserts condition {
  if (!condition) throw new BrokenInvariant(invariant, detail());
}

/** Throws {@link BrokenInvariant} unless both are deeply the same. */
export function same(actual: unknown, expected: unknown, invariant: string): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new BrokenInvariant(invariant, `${show(actual)} is not ${show(expected)}`);
  }
}

/**
 * Calls `piece`, which may throw errors that `isDeclared`.
 *
 * @returns what it returns, or the error that it threw as declared.
 * @throws BrokenInvariant at any other.
 */
export function attempt<Value>(
  piece: () => Value,
  isDeclared: (error: unknown) => boolean = () => false,
): { readonly value: Value; readonly error: null } | { readonly value: null; readonly error: unknown } {
  try {
    return { value: piece(), error: null };
  } catch (error) {
    if (isDeclared(error)) return { value: null, error };
    throw new BrokenInvariant("throws nothing but what is declared", String(error), { cause: error });
  }
}

/** Values in messages, cut where they are long. */
function show(value: unknown): string {
  const text =
    JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? `${item}n` : item)) ?? String(value);
  return text.length > 600 ? `${text.slice(0, 600)}... (${text.length} characters)` : text;
}

/** What an error stands for when failures are compared: the invariant, or the kind and its words without their numbers. */
export function failureKey(error: unknown): string {
  if (error instanceof BrokenInvariant) return error.invariant;
  if (error instanceof Error)
    return `${error.name}: ${error.message.replaceAll(/\d+|"[^"]*"|'[^']*'/g, "#").slice(0, 80)}`;
  return String(error).slice(0, 80);
}
