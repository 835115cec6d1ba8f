import { describe, expect, it } from "vitest";
import { jsonLine } from "../../src/cli/log-record.ts";

describe("what the command says to programs", () => {
  it("has time, level and message before the rest", () => {
    expect(jsonLine(0, "info", "x", { a: 1 })).toBe(
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"x","a":1}',
    );
  });

  it("is one line of ASCII, whatever it is about", () => {
    const members = { path: '/a\n"\x9b2J\u{1f4d6}é' };
    const line = jsonLine(0, "warn", "x\x7f", members);
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(line)).toMatchObject({ msg: "x\x7f", ...members });
  });
});
