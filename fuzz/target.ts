/**
 * What a fuzz target is: a piece of the server, inputs that look like what it takes, and a function that throws where one of
 * its invariants is broken. Every input is octets, whatever the piece takes, so that one runner can mutate, shorten, keep
 * and repeat the inputs of all of them. The header of each target names its invariants, one sentence each, with sections.
 */

import type fc from "fast-check";

/** A piece of the server under fuzz. */
export interface FuzzTarget {
  /** Kebab-case; for `--only`, and the name of its folder in fuzz/corpus. */
  readonly name: string;
  /** What holds for every input, in one sentence. */
  readonly about: string;
  /** Inputs by the grammar, valid ones and such with something wrong. */
  readonly arbitrary: fc.Arbitrary<Uint8Array>;
  /** What stands in its grammar as it is: put into inputs when they are mutated. */
  readonly words?: readonly string[];
  /** Runs that one after the other need, for instance a socket to a judge, make a target slow: its share of inputs per turn. Default 1. */
  readonly isSlow?: boolean;
  /** Inputs known to be of interest; the kept corpus comes on top. */
  seeds(): Iterable<Uint8Array>;
  /**
   * Runs one input. Must be deterministic: the same input holds or breaks the same invariants, whatever ran before.
   *
   * @throws BrokenInvariant, or anything else: whatever it throws is a failure.
   */
  run(input: Uint8Array): void | Promise<void>;
  /** Lets go of sockets and servers. Called once, at the end. */
  close?(): void | Promise<void>;
}
