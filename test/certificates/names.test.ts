import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAddress } from "../../src/certificates/names.ts";

describe("names and addresses", () => {
  it.each(["127.0.0.1", "::1", "fd00::1:2", "::ffff:192.0.2.1"])("%s is an address", (text) => {
    expect(isAddress(text)).toBe(true);
  });

  it.each(["", "localhost", "1.2.3", "1.2.3.256", "[::1]", "a:b", "fe80::1%eth0", ":"])("%j is none", (text) => {
    expect(isAddress(text)).toBe(false);
  });

  it("are told apart as Node does", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), (text) => isAddress(text) === (isIP(text) !== 0)),
    );
  });
});
