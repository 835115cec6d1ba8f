/** The promise that octets never change is of these octets, and of no others in the same memory. */
import { expect, it } from "vitest";
import { isLasting, markLasting } from "../../src/http/lasting-octets.ts";

it("is told of what was promised, and of nothing else", () => {
  const octets = new Uint8Array(16);
  const part = octets.subarray(0, 16);
  markLasting(octets);
  expect(isLasting(octets)).toBe(true);
  expect(isLasting(part)).toBe(false);
  expect(isLasting(new Uint8Array(octets.buffer))).toBe(false);
});
