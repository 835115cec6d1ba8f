/**
 * Others who do the same as a piece of ours, as far as something else has installed them: packages that the project does not
 * depend on, and Node's own parser, which is no public module. Whoever is missing is left out aloud.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** @returns the module, of which the caller knows the shape, or null */
export function peer(name: string): unknown {
  try {
    return require(name) as unknown;
  } catch {
    console.log(`SKIPPED ALOUD: ${name} is not installed`);
    return null;
  }
}

/** @throws if what is to be measured does not give what it must: fast and wrong is no result */
export function mustBe(what: string, actual: unknown, expected: unknown): void {
  const [one, other] = [actual, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one} is not ${other}`);
}
