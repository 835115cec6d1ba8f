/**
 * Numbers that look random and are the same for the same seed (xorshift32): what the runner draws is repeated by `--seed`.
 */

/** A source of such numbers. */
export class Random {
  #state: number;

  /** @param seed any integer; its lower 32 bits count. */
  constructor(seed: number) {
    // 0 would stay 0 for ever; the multiplication parts seeds that lie side by side
    this.#state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x85ebca6b) | 0 || 1;
  }

  /** @returns an integer of 32 bits, with sign. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state;
  }

  /** @returns an integer from 0 to `limit` - 1; 0 if `limit` is 0. */
  below(limit: number): number {
    return limit <= 1 ? 0 : (this.next() >>> 0) % limit;
  }

  /** @returns true once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** @returns one of `items`, which has at least one. */
  pick<Item>(items: ArrayLike<Item>): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}
