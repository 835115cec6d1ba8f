/**
 * What the command shows and opens when it listens: a QR code on a true terminal, a browser that then asks.
 *
 * The terminal is that of util-linux's `script`; the browser is a script of ours, found as xdg-open finds one (`$BROWSER`).
 * Where there is neither, these tests are skipped, and say so.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderUnicodeCompact } from "uqr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND, RunningCommand } from "./run-command.ts";

let folder = "";
const commands: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-greet-"));
  mkdirSync(join(folder, "site/docs"), { recursive: true });
  writeFileSync(join(folder, "site/docs/index.html"), "<h1>Docs</h1>");
});

afterEach(async () => {
  for (const command of commands.splice(0)) await command.end("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const command = new RunningCommand(["site", ...args], { cwd: folder, env });
  commands.push(command);
  return command;
}

const TERMINAL = "/usr/bin/script";
const hasScript = process.platform === "linux" && spawnSync(TERMINAL, ["--version"]).status === 0;

describe.skipIf(!hasScript)(`--qr${hasScript ? "" : " (skipped: there is no script of util-linux)"}`, () => {
  /** What a terminal shows until the command has said where it listens, and ended by Ctrl-C. */
  async function onTerminal(args: string): Promise<string> {
    const words = [process.execPath, COMMAND, "site", "-p", "0", ...args.split(" ")].map((word) => `'${word}'`);
    const env = { ...process.env, NO_COLOR: "1", TERM: "xterm" };
    const terminal = spawn(TERMINAL, ["-qfec", words.join(" "), "/dev/null"], { cwd: folder, env });
    let shown = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => (shown += text));
    // The code comes last, with an empty line behind it
    while (!/http:[^]*█[^]*\n\r?\n$/.test(shown)) {
      await Promise.race([once(terminal.stdout, "data"), once(terminal, "close")]);
      if (terminal.exitCode !== null) throw new Error(`ended without a code: ${shown}`);
    }
    terminal.stdin.write("\x03");
    await once(terminal, "close");
    return shown.replaceAll("\r", "");
  }

  it("shows the address as a code that a phone can read", async () => {
    const shown = await onTerminal("--qr");
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(shown)?.[0] ?? "";
    expect(shown).toContain(renderUnicodeCompact(url, { border: 2 }));
  });

  it("shows that of the network where others are let in, which is of use to a phone", async () => {
    const shown = await onTerminal("--qr --host 0.0.0.0");
    const urls = [...shown.matchAll(/http:\/\/[\w.:[\]-]+\//g)].map(([url]) => url);
    const codes = urls.filter((url) => shown.includes(renderUnicodeCompact(url, { border: 2 })));
    expect(codes).toHaveLength(1);
    // The only one that a machine without a network has
    const others = urls.filter((url) => !/127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0/.test(url));
    if (others.length > 0) expect(others).toContain(codes[0]);
  });
});

describe("--qr without a terminal", () => {
  it("says that there is none, and serves", async () => {
    const command = start(["-p", "0", "--qr", "--log", "text"]);
    await command.until(/the QR code is shown on a terminal only/);
    expect((await fetch(await command.url())).status).toBe(200);
    expect(command.output).not.toContain("█");
  });
});

const isLinux = process.platform === "linux";

describe.skipIf(!isLinux)(`--open${isLinux ? "" : " (skipped: the browser is found as on Linux)"}`, () => {
  /** A browser that asks for what it is to show, and says who it is. */
  function browser(
    code = `fetch(process.argv[2], { headers: { "user-agent": "browser of the test" } });`,
  ): Record<string, string> {
    const path = join(folder, "browser");
    writeFileSync(path, `#!${process.execPath}\n${code}\n`);
    chmodSync(path, 0o755);
    // No desktop, whose own way xdg-open would go
    const none = { DISPLAY: "", WAYLAND_DISPLAY: "", XDG_CURRENT_DESKTOP: "", DESKTOP_SESSION: "", DE: "" };
    return { ...none, BROWSER: path };
  }

  it.each([
    ["--open", "/"],
    ["--open=/docs/", "/docs/"],
    // RFC 3986 §4.2: two slashes would be another host
    ["--open=//evil.example/", "/evil.example/"],
  ])("%s has the browser ask for %s", async (flag, path) => {
    const command = start(["-p", "0", flag, "--log", "combined"], browser());
    const [line] = await command.until(/.*browser of the test.*/);
    expect(line).toContain(`"GET ${path} HTTP/1.1"`);
  });

  it("says which address to open where no browser can be started, and serves", async () => {
    const command = start(["-p", "0", "--open=/docs/"], browser("process.exit(1);"));
    const url = await command.url();
    await command.until(/\n/, "errors");
    expect(command.errors).toMatch(
      new RegExp(`^fairlead: the browser cannot be started: .* exit code \\d+; open ${url}docs/ yourself\\n$`),
    );
    expect((await fetch(`${url}docs/`)).status).toBe(200);
  });

  it("without an address for browsers says so, and serves", async () => {
    const path = join(folder, "web.socket");
    const command = start(["--listen", `unix:${path}`, "--open"], browser());
    await command.until(/the browser cannot be started: .*nothing that a browser can show/, "errors");
    const asked = spawnSync("curl", ["-s", "--unix-socket", path, "http://localhost/docs/"], { encoding: "utf8" });
    if (asked.error === undefined) expect(asked.stdout).toBe("<h1>Docs</h1>");
    expect(command.child.exitCode).toBeNull();
  });
});
