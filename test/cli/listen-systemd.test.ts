import { afterEach, describe, expect, it } from "vitest";
import { parseListenUri, type Target } from "../../src/cli/targets.ts";

const NAMES = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

function parse(text: string, count: number, names: string): Target {
  process.env["LISTEN_PID"] = String(process.pid);
  process.env["LISTEN_FDS"] = String(count);
  process.env["LISTEN_FDNAMES"] = names;
  return parseListenUri(text, 8080);
}

afterEach(() => {
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
});

describe("--listen systemd", () => {
  it("takes the only socket, or the one of a name", () => {
    expect(parse("systemd", 1, "web")).toEqual({ kind: "fd", fd: 3 });
    expect(parse("systemd:admin", 2, "web:admin")).toEqual({ kind: "fd", fd: 4 });
  });

  it.each([
    ["systemd", 2, "web:admin", "there are 2 sockets"],
    ["systemd:web", 2, "web:web", "there are 2 sockets"],
    ["systemd:other", 2, "web:admin", 'no socket is named "other"'],
  ])("refuses to guess: %s with %s of %s", (text, count, names, message) => {
    expect(() => parse(text, count, names)).toThrow(message);
  });

  it("says what is missing where systemd has passed nothing on", () => {
    expect(() => parseListenUri("systemd", 8080)).toThrow("is there a .socket unit?");
  });
});
