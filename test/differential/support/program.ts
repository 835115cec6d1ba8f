/**
 * Programs of others, run for a test: found, given a folder and a port of their own, waited for, ended by their pid.
 *
 * Looked for in the folders of the variable FAIRLEAD_PEERS, of PATH, and where Debian puts servers. Nothing runs with rights
 * that it does not need, nothing outlives the test, nothing is left on the disk.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Something that listens on a port of the loopback. */
export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** How a program is started. */
export interface Launch {
  readonly program: string;
  /** Writes what it reads into the folder, and says its arguments. */
  readonly prepare: (folder: string, port: number) => readonly string[];
}

/** Where the program of this name is, or null. */
export function findProgram(name: string): string | null {
  const folders = [process.env["FAIRLEAD_PEERS"] ?? "", process.env["PATH"] ?? "", "/usr/sbin"];
  for (const folder of folders.join(delimiter).split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Elsewhere
    }
  }
  return null;
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a program. Resolves when it listens. @throws Error with what it said where it ended instead */
export async function launch({ program, prepare }: Launch): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-peer-"));
  // Some give up being root before they read it
  chmodSync(folder, 0o755);
  const port = await freePort();
  const child = spawn(program, prepare(folder, port), {
    cwd: folder,
    // Caddy and Deno keep things at home
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, DENO_DIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += String(chunk)));
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    await end(child, exited);
    rmSync(folder, { recursive: true, force: true });
  };
  while (!(await isOpen(port))) {
    if (child.exitCode === null && child.signalCode === null) continue;
    await stop();
    throw new Error(`${program} does not start: ${said}`);
  }
  return { port, stop };
}

/** SIGTERM, so that it ends children of its own; what does not end by it is killed. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const killing = setTimeout(() => child.kill("SIGKILL"), 5000);
  await exited;
  clearTimeout(killing);
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const opened = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return opened;
}
