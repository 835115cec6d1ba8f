import { describe, expect, it } from "vitest";
import { ConnectionHarness } from "../support/wire-harness.ts";

const requestTo = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** Authorities that a connection has seen when it was sent `pieces`. */
function seen(pieces: readonly string[]): string[] {
  const harness = new ConnectionHarness();
  for (const piece of pieces) {
    harness.send(piece);
    // The next is read when this one is answered
    for (let served = 0; served < harness.tracks.length; served++) {
      harness.answer(harness.tracks[served]?.exchange, () => "");
    }
  }
  return harness.tracks.map(({ exchange }) => exchange.request.authority);
}

describe("the authority of a request", () => {
  const first = "shop.example:8080";
  /** Of the same length, each different at one place. */
  const hosts = Array.from(first, (character, i) => {
    const other = /[0-9]/.test(character) ? "1" : "x";
    return `${first.slice(0, i)}${other}${first.slice(i + 1)}`;
  }).filter((host) => host !== first && host.includes(":"));

  it("is its own, however like the last one it is", () => {
    expect(hosts.length).toBeGreaterThan(10);
    const asked = hosts.flatMap((host) => [first, host, host, `${host}0`.slice(0, -2)]);
    expect(seen(asked.map(requestTo))).toEqual(asked);
  });

  it("is its own in a burst, in which heads lie behind each other", () => {
    const asked = hosts.flatMap((host) => [first, host]);
    const burst = asked.map(requestTo).join("");
    expect(seen([burst])).toEqual(asked);
    expect(seen([...burst])).toEqual(asked);
  });
});
