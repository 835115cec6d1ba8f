import { describe, expect, it } from "vitest";
import { AddressSet } from "../../src/server/address-set.ts";

function setOf(...entries: string[]): AddressSet {
  const set = new AddressSet();
  for (const entry of entries) expect(set.add(entry)).toBe(true);
  return set;
}

describe("a set of addresses", () => {
  it.each<[string, string[], string[]]>([
    ["192.0.2.1", ["192.0.2.1"], ["192.0.2.2", "192.0.2.10"]],
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["11.0.0.0", "9.255.255.255"]],
    ["0.0.0.0/0", ["203.0.113.1"], ["2001:db8::1"]],
    ["2001:db8::1", ["2001:db8::1", "2001:DB8:0::1"], ["2001:db8::2"]],
    ["2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::1", "192.0.2.1"]],
    ["loopback", ["127.0.0.1", "127.255.0.1", "::1"], ["128.0.0.1", "::2"]],
    [
      "private",
      ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1"],
      ["172.32.0.1", "127.0.0.1", "fe80::1"],
    ],
  ])("with %s", (entry, inside, outside) => {
    const set = setOf(entry);
    expect(inside.filter((address) => !set.hasAddress(address))).toEqual([]);
    expect(outside.filter((address) => set.hasAddress(address))).toEqual([]);
  });

  it.each([
    "",
    "localhost",
    "10.0.0.0/33",
    "::/129",
    "10.0.0/8",
    "10.0.0.0/08",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "1.2.3.4/8/8",
    "*",
    "constructor",
    "fe80::1%eth0",
    "[::1]",
  ])("does not know %j", (entry) => {
    expect(new AddressSet().add(entry)).toBe(false);
  });

  it("has peers of a unix socket only where it was told", () => {
    const peer = { address: "/run/app.sock", port: 0, family: "unix" } as const;
    expect(setOf("unix").has(peer)).toBe(true);
    expect(setOf("0.0.0.0/0", "::/0").has(peer)).toBe(false);
    expect(setOf("unix").has({ address: "127.0.0.1", port: 1, family: "IPv4" })).toBe(false);
  });

  it("has nobody at first, and never who has no address", () => {
    expect(new AddressSet().hasAddress("127.0.0.1")).toBe(false);
    expect(setOf("0.0.0.0/0", "::/0").hasAddress("")).toBe(false);
  });
});
