/** docs/guides/production.md and SECURITY.md name only options, flags and files that exist, and say their defaults. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLAG_TABLE } from "../../src/cli/flags.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";
import { readText, ROOT } from "../architecture/source.ts";

const defaults = new Map<string, unknown>(OPTION_TABLE.map((row) => [row.path, row.default]));
/** Of tools that are not ours. */
const FOREIGN_FLAGS = new Set(["time"]);

describe.each(["docs/guides/production.md", "SECURITY.md"])("%s", (path) => {
  const page = readText(path);

  it("names only options that exist", () => {
    const named = [...page.matchAll(/`((?:limits|timeouts|trustProxy|proxyProtocol|health)\.\w+)`/g)].map(
      ([, name]) => name ?? "",
    );
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((name) => !defaults.has(name))).toEqual([]);
  });

  it("names only flags that exist", () => {
    const known = new Set<string>(FLAG_TABLE.map(({ name }) => name));
    const named = [...page.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name ?? "");
    expect(named.filter((name) => !known.has(name) && !FOREIGN_FLAGS.has(name))).toEqual([]);
  });

  it("leads only to files that are there", () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link ?? "");
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
  });
});

describe("what the guide says", () => {
  const page = readText("docs/guides/production.md");

  it.each<[string, RegExp, number]>([
    ["timeouts.keepAliveMs", /`timeouts\.keepAliveMs`, (\d+) s/, 1000],
    ["timeouts.drainMs", /a drain of (\d+) s\./, 1000],
    ["timeouts.lameDuckMs", /`timeouts\.lameDuckMs`\. The default is (\d+)/, 1],
    ["limits.maxConnections", /`limits\.maxConnections`, ([\d,]+)/, 1],
  ])("of %s is true", (path, pattern, unit) => {
    expect(Number(pattern.exec(page)?.[1]?.replaceAll(",", "")) * unit).toBe(defaults.get(path));
  });

  it("of Kubernetes is what the manifest has", () => {
    const manifest = readText("examples/deploy/kubernetes.yaml");
    const [, grace] = /`terminationGracePeriodSeconds`, (\d+)/.exec(page) ?? [];
    expect(manifest).toContain(`terminationGracePeriodSeconds: ${grace}\n`);
    const [, seconds] = /`timeouts\.lameDuckMs` is for: (\d+) s there/.exec(page) ?? [];
    expect(manifest).toContain(`LAME_DUCK_MS, value: "${seconds}000"`);
  });

  it("of the paths of health is the default", () => {
    expect([defaults.get("health.livePath"), defaults.get("health.readyPath")]).toEqual(["/healthz", "/readyz"]);
  });
});
