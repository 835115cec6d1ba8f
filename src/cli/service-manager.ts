/**
 * What systemd is told of this service: ready, reading its configuration again, stopping, still alive (sd_notify(3)).
 *
 * The messages go to a datagram socket of the unix family, which Node cannot open. systemd can, from version 253 on: a unit with
 * `OpenFile=/run/systemd/notify:sd_notify` passes on a descriptor that leads there, what is written to it comes from this very
 * process, and `NotifyAccess=main` is enough. Without it `systemd-notify`, which every system with systemd has, sends them: another
 * process, so that the unit needs `NotifyAccess=all`. Without `NOTIFY_SOCKET` nothing of this happens. It must never fail a start or
 * hold one up: a manager that hears nothing says so itself.
 */

import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { notifyDescriptor } from "../server/inherited-sockets.ts";
import { SYSTEM_TIME } from "../server/clock.ts";

/** What it needs of the world. */
export interface ServiceWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Starts `systemd-notify` with these arguments and does not wait. */
  readonly run: (args: readonly string[]) => void;
  /** Sends one message to a descriptor; throws if that cannot be. */
  readonly send: (fd: number, message: string) => void;
  /** Calls back every so often without keeping the process alive. @returns what stops it */
  readonly every: (periodMs: number, callback: () => void) => () => void;
}

const SYSTEM: ServiceWorld = {
  environment: process.env,
  pid: process.pid,
  run: runSystemdNotify,
  send: (fd, message) => void writeSync(fd, message),
  every: (periodMs, callback) => SYSTEM_TIME.every(periodMs, callback),
};

/** Tells systemd. Made by {@link openServiceManager}. */
export class ServiceManager {
  readonly #world: ServiceWorld;
  readonly #watchdogMs: number;
  /** Leads to systemd, -1 if there is none. */
  readonly #fd: number;
  #stopWatchdog: (() => void) | null = null;

  /** @internal */
  constructor(world: ServiceWorld) {
    this.#world = world;
    this.#watchdogMs = watchdogPeriodMs(world);
    this.#fd = notifyDescriptor(world.environment, world.pid);
  }

  /** Everything listens. From now on the watchdog is told as often as it wants, for as long as the event loop turns. */
  ready(status: string): void {
    this.#tell("READY=1", `STATUS=${oneLine(status)}`);
    if (this.#watchdogMs === 0 || this.#stopWatchdog !== null) return;
    this.#stopWatchdog = this.#world.every(this.#watchdogMs, () => this.#tell("WATCHDOG=1"));
  }

  /** The configuration is read again; {@link ready} says that this is over. For `Type=notify`; `notify-reload` wants more. */
  reloading(): void {
    this.#tell("RELOADING=1");
  }

  /** The end has begun. */
  stopping(): void {
    this.#tell("STOPPING=1");
  }

  /** Tells the watchdog nothing more. */
  close(): void {
    this.#stopWatchdog?.();
    this.#stopWatchdog = null;
  }

  #tell(...assignments: readonly string[]): void {
    if (this.#fd === -1) return this.#world.run(assignments);
    try {
      this.#world.send(this.#fd, assignments.join("\n"));
    } catch {
      // systemd itself says that it heard nothing
    }
  }
}

/** The service manager that has started this process, null if none has, or it wants to hear nothing. */
export function openServiceManager(world: ServiceWorld = SYSTEM): ServiceManager | null {
  const { NOTIFY_SOCKET: address = "" } = world.environment;
  return address === "" ? null : new ServiceManager(world);
}

/** Half of what the watchdog allows (sd_watchdog_enabled(3)); 0 if there is none, or it watches another process. */
function watchdogPeriodMs({ environment, pid }: ServiceWorld): number {
  const { WATCHDOG_USEC: allowed = "", WATCHDOG_PID: watched = "" } = environment;
  if (!/^\d{4,15}$/.test(allowed) || (watched !== "" && watched !== String(pid))) return 0;
  return Math.max(1, Math.floor(Number(allowed) / 2000));
}

/** One assignment a line is the protocol: what is said must not become another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, " ");
}

function runSystemdNotify(args: readonly string[]): void {
  const child = spawn("systemd-notify", [...args], { stdio: "ignore" });
  // Not there, or not allowed: systemd itself says that it heard nothing
  child.once("error", () => {});
  child.unref();
}
