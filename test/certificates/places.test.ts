import { describe, expect, it } from "vitest";
import { acmeFolder, localFolder } from "../../src/certificates/state-folder.ts";
import { trustSteps } from "../../src/certificates/trust-advice.ts";

describe("where it is kept", () => {
  it.each<[NodeJS.Platform, Record<string, string>, string, string]>([
    ["linux", {}, "/home/ada/.config/fairlead/certificates", "/home/ada/.local/state/fairlead/acme"],
    [
      "linux",
      { XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "relative" },
      "/c/fairlead/certificates",
      "/home/ada/.local/state/fairlead/acme",
    ],
    ["linux", { STATE_DIRECTORY: "/var/lib/x:/y" }, "/home/ada/.config/fairlead/certificates", "/var/lib/x/acme"],
    [
      "darwin",
      {},
      "/home/ada/Library/Application Support/fairlead/certificates",
      "/home/ada/Library/Application Support/fairlead/acme",
    ],
  ])("on %s with %j", (platform, environment, local, acme) => {
    const surroundings = { platform, environment, homeFolder: "/home/ada" };
    expect([localFolder(surroundings), acmeFolder(surroundings)]).toEqual([local, acme]);
  });
});

describe("how it is trusted", () => {
  it.each<[NodeJS.Platform, string, RegExp]>([
    ["linux", "/usr/local/share/ca-certificates", /update-ca-certificates/],
    ["linux", "/etc/pki/ca-trust/source/anchors", /update-ca-trust/],
    ["linux", "", /trust anchor --store/],
    ["darwin", "", /security add-trusted-cert/],
    ["win32", "", /certutil -user -addstore Root/],
  ])("on %s with %j", (platform, there, command) => {
    const steps = trustSteps("/a/authority.crt", { platform, exists: (path) => path === there });
    expect(steps.map((step) => step.command).join("\n")).toMatch(command);
    expect(steps.map(({ who }) => who)).toContain("Firefox");
  });

  it("is safe to paste whatever the folder is called", () => {
    const [step] = trustSteps("/Users/o'neil $(x)/a.crt", { platform: "linux", exists: () => false });
    expect(step?.command).toBe(`sudo trust anchor --store '/Users/o'\\''neil $(x)/a.crt'`);
  });
});
