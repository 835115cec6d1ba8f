/**
 * podman or docker, whichever answers: what the judge of containers gives its orders to. Holds nothing and knows no image.
 *
 * Where an engine wants other limits or another runtime than its defaults, that is its own configuration's to say
 * (`CONTAINERS_CONF`, `daemon.json`), not ours.
 */
import { execFileSync, spawnSync } from "node:child_process";

export class Engine {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** @returns what it says; throws if it fails, with its complaint in the message */
  run(...args: string[]): string {
    return execFileSync(this.name, args, { encoding: "utf8", maxBuffer: 2 ** 26, stdio: "pipe" }).trim();
  }

  succeeds(...args: string[]): boolean {
    return spawnSync(this.name, args).status === 0;
  }
}

/** The first of these that answers, which a client of docker without its daemon does not. */
export function findEngine(names: readonly string[]): Engine | null {
  const name = names.find((one) => spawnSync(one, ["info"]).status === 0);
  return name === undefined ? null : new Engine(name);
}
