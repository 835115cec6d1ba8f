import { describe, expect, it } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { readUsage } from "../../src/cli/usage.ts";

/** The error that arguments lead to. */
function errorOf(...args: string[]): CommandError {
  try {
    readUsage(args, "1.2.3", () => {});
  } catch (error) {
    if (error instanceof CommandError) return error;
  }
  throw new Error(`${args.join(" ")} is no wrong usage`);
}

describe("reading arguments", () => {
  it("takes nothing at all", () => {
    expect(readUsage([], "1.2.3", () => {})?.subject).toBeUndefined();
  });

  it.each([
    [["site", "-p", "3000", "--host", "::1", "-q"]],
    [["-p3000", "--host=::1", "--quiet", "site"]],
    [["--port=3000", "-q", "site", "--host", "::1"]],
  ])("takes flags in any order and form: %j", (args) => {
    const usage = readUsage(args, "1.2.3", () => {});
    expect(usage?.subject).toBe("site");
    expect(usage?.flags).toMatchObject({ port: "3000", host: "::1", quiet: true });
  });

  it.each([["-V"], ["--version"]])("prints the version at %s", (flag) => {
    let printed = "";
    expect(readUsage([flag], "1.2.3", (text) => (printed += text))).toBeNull();
    expect(printed).toBe("1.2.3\n");
  });

  it.each([["-h"], ["--help"]])("teaches at %s", (flag) => {
    let printed = "";
    expect(readUsage([flag], "1.2.3", (text) => (printed += text))).toBeNull();
    for (const word of [
      "--port",
      "--host",
      "--quiet",
      "--limits",
      "--no-color",
      "--version",
      "Examples:",
      "NO_COLOR",
      "8080",
    ]) {
      expect(printed).toContain(word);
    }
    expect(printed).not.toContain("--silent");
    expect(Math.max(...printed.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

describe("wrong usage", () => {
  it.each([
    ["--prot", "there is no flag --prot; did you mean --port?"],
    ["--bind", "there is no flag --bind; did you mean --host?"],
    ["--bind=0.0.0.0", "there is no flag --bind; did you mean --host?"],
    ["-a", "there is no flag -a; did you mean --host?"],
    ["-v", "there is no flag -v; did you mean --version?"],
    ["--frobnicate", "there is no flag --frobnicate"],
  ])("names ours for %s", (flag, message) => {
    const error = errorOf(flag);
    expect(error.message).toBe(message);
    expect(error.exitCode).toBe(2);
    expect(error.advice.join("\n")).toMatch(/-p, --port <N>; --host <ADDR>; .*--version/);
  });

  it("says that a flag lacks its value, or that there are too many arguments", () => {
    expect(errorOf("--port")).toMatchObject({ exitCode: 2, message: "option '-p, --port <N>' argument missing" });
    expect(errorOf("a", "b")).toMatchObject({ exitCode: 2 });
  });
});
