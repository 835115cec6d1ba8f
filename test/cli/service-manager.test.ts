import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openServiceManager, type ServiceManager, type ServiceWorld } from "../../src/cli/service-manager.ts";
import { ManualTime } from "../server/support/manual-time.ts";

interface Told {
  readonly manager: ServiceManager;
  readonly said: string[][];
  readonly time: ManualTime;
}

function open(environment: Record<string, string>): Told | null {
  const said: string[][] = [];
  const time = new ManualTime();
  const world: ServiceWorld = {
    environment,
    pid: 42,
    run: (args) => said.push([...args]),
    send: (fd, message) => {
      if (fd !== 4) throw new Error("no such descriptor");
      said.push([message]);
    },
    every: (periodMs, callback) => time.every(periodMs, callback),
  };
  const manager = openServiceManager(world);
  return manager === null ? null : { manager, said, time };
}

const NOTIFY_SOCKET = "/run/systemd/notify";

describe("the service manager", () => {
  it("is there only where a socket is named", () => {
    expect(open({})).toBeNull();
    expect(open({ NOTIFY_SOCKET: "", WATCHDOG_USEC: "1000000" })).toBeNull();
  });

  it("is told of each step of a life", () => {
    const { manager, said } = open({ NOTIFY_SOCKET }) as Told;
    manager.ready("listening on http://127.0.0.1:8080/");
    manager.reloading();
    manager.ready("again");
    manager.stopping();
    expect(said).toEqual([
      ["READY=1", "STATUS=listening on http://127.0.0.1:8080/"],
      ["RELOADING=1"],
      ["READY=1", "STATUS=again"],
      ["STOPPING=1"],
    ]);
  });

  it("is told one thing per line, whatever a status holds", () => {
    const { manager, said } = open({ NOTIFY_SOCKET }) as Told;
    manager.ready("unix:/run/a\nMAINPID=1");
    expect(said[0]?.[1]).toBe("STATUS=unix:/run/a MAINPID=1");
  });

  const passed = { NOTIFY_SOCKET, LISTEN_PID: "42", LISTEN_FDS: "2", LISTEN_FDNAMES: "web:sd_notify" };

  it("is told by this very process where systemd has passed on what leads there", () => {
    const { manager, said } = open(passed) as Told;
    manager.ready("all is well");
    manager.stopping();
    expect(said).toEqual([["READY=1\nSTATUS=all is well"], ["STOPPING=1"]]);
  });

  it("may be gone without harm", () => {
    const { manager, said } = open({ ...passed, LISTEN_FDNAMES: "sd_notify:web" }) as Told;
    expect(() => manager.ready("")).not.toThrow();
    expect(said).toEqual([]);
  });

  it("hears twice in the time of its watchdog that the event loop turns, until the end", () => {
    const { manager, said, time } = open({ NOTIFY_SOCKET, WATCHDOG_USEC: "10000000", WATCHDOG_PID: "42" }) as Told;
    time.advance(60_000);
    expect(said).toEqual([]);
    manager.ready("");
    manager.ready("");
    time.advance(15_000);
    expect(said.filter(([word]) => word === "WATCHDOG=1")).toHaveLength(3);
    manager.close();
    time.advance(60_000);
    expect(said).toHaveLength(5);
    expect(time.timers).toBe(0);
  });

  it.each<Record<string, string>>([
    {},
    { WATCHDOG_USEC: "0" },
    { WATCHDOG_USEC: "soon" },
    { WATCHDOG_USEC: "10000000", WATCHDOG_PID: "41" },
  ])("has no watchdog with %j", (variables) => {
    const { manager, time } = open({ NOTIFY_SOCKET, ...variables }) as Told;
    manager.ready("");
    expect(time.timers).toBe(0);
  });

  it.each([true, false])("is reached through systemd-notify, or not at all without it: %s", async (isThere) => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    const heard = join(folder, "heard");
    if (isThere) {
      writeFileSync(join(folder, "systemd-notify"), `#!/bin/sh\necho "$@" >> ${heard}\n`);
      chmodSync(join(folder, "systemd-notify"), 0o755);
    }
    const script = `
      import { openServiceManager } from ${JSON.stringify(join(import.meta.dirname, "../../src/cli/service-manager.ts"))};
      const manager = openServiceManager();
      manager.ready("all is well");
      setTimeout(() => console.log("alive"), 100);`;
    writeFileSync(join(folder, "script.ts"), script);
    const loader = join(import.meta.dirname, "../../node_modules/jiti/lib/jiti-register.mjs");
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", loader, join(folder, "script.ts")], {
      env: { PATH: isThere ? `${folder}:/bin:/usr/bin` : folder, NOTIFY_SOCKET },
    });
    expect(stdout).toBe("alive\n");
    expect(existsSync(heard) ? readFileSync(heard, "utf8") : "").toBe(isThere ? "READY=1 STATUS=all is well\n" : "");
    rmSync(folder, { recursive: true });
  });
});
