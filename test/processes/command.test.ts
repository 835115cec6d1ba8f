/** `fairlead --workers`: real processes, real sockets. Each test ends the processes that it has started, by their ids. */
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { Agent, type IncomingMessage, request as nodeRequest } from "node:http";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND, RunningCommand } from "../cli/run-command.ts";
import { startLoad } from "./load.ts";

/** Ten were run by hand on Node 20, 22, 24 and 26; `FAIRLEAD_RESTARTS=10` does it again. */
const RESTARTS = Number(process.env["FAIRLEAD_RESTARTS"] ?? 2);

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-processes-"));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

const APP = `
const number = process.env.FAIRLEAD_WORKER;
const word = "first";
process.on("SIGUSR2", () => console.error("logs reopened"));
let release = () => {};
export async function fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/crash") {
    setImmediate(() => { throw new Error("the last words"); });
    return new Promise(() => {});
  }
  if (pathname === "/stream") {
    return new Response(new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("begun "));
        release = () => { controller.enqueue(new TextEncoder().encode("ended")); controller.close(); };
        process.once("SIGCONT", () => release());
      },
    }));
  }
  if (pathname === "/hang") return new Promise(() => {});
  return Response.json({ number, word, pid: process.pid });
}
`;

interface Answer {
  readonly number: string;
  readonly word: string;
  readonly pid: number;
}

/** Starts the command with two workers, and waits until they serve. */
async function start(...args: string[]): Promise<{ command: RunningCommand; url: string }> {
  const command = new RunningCommand([...args, "--workers", "2", "--port", "0", "--log", "off"], { cwd: folder });
  running.push(command);
  const url = await command.url();
  await command.until(/2 worker processes/);
  return { command, url };
}

async function startApp(): Promise<{ command: RunningCommand; url: string }> {
  writeFileSync(join(folder, "app.mjs"), APP);
  return start("app.mjs");
}

/** On a connection of its own. */
async function ask(url: string, path: string = "/"): Promise<Answer> {
  const response = await fetch(new URL(path, url), { headers: { connection: "close" } });
  return (await response.json()) as Answer;
}

/** Asks until a worker of that kind answers. */
async function askUntil(url: string, isMeant: (answer: Answer) => boolean): Promise<Answer> {
  for (let i = 0; i < 2_000; i++) {
    const answer = await ask(url);
    if (isMeant(answer)) return answer;
  }
  throw new Error("no such worker answers");
}

/** Starts the app with two workers on a unix socket. */
function startAt(path: string, env: Readonly<Record<string, string>> = {}): RunningCommand {
  const words = ["app.mjs", "--workers", "2", "--listen", `unix:${path}`, "--log", "off"];
  const command = new RunningCommand(words, { cwd: folder, env });
  running.push(command);
  return command;
}

/** {@link ask} over a unix socket. */
async function askAt(socketPath: string): Promise<Answer> {
  const outgoing = nodeRequest({ socketPath, path: "/", agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text) as Answer;
}

/** Processes of both workers, each of which has answered over a unix socket. */
async function pidsAt(socketPath: string): Promise<number[]> {
  const pids = new Map<string, number>();
  for (let i = 0; pids.size < 2 && i < 2_000; i++) {
    // At once: one that waits for the other before it would always go to the same worker where the system chooses
    const answers = await Promise.all(Array.from({ length: 8 }, () => askAt(socketPath)));
    for (const { number, pid } of answers) pids.set(number, pid);
  }
  return [...pids.values()];
}

/** Leaves a socket file behind, as a process does that is killed. */
function leaveStale(path: string): void {
  const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, path]);
  expect(existsSync(path)).toBe(true);
}

function untilError(command: RunningCommand, pattern: RegExp): Promise<RegExpExecArray> {
  return command.until(pattern, "errors");
}

/** Node has no word for it. */
function fdOf(server: Server): number {
  return (Reflect.get(server, "_handle") as { readonly fd: number }).fd;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

describe("several workers", () => {
  it("share a port, are greeted once, and stop at SIGTERM", async () => {
    const { command, url } = await startApp();
    const one = await askUntil(url, ({ number }) => number === "1");
    const two = await askUntil(url, ({ number }) => number === "2");
    expect(one.pid).not.toBe(two.pid);
    expect(command.output.match(/http:/g)).toHaveLength(1);
    expect(await command.end("SIGTERM")).toBe(0);
    expect(command.output).toContain("Stopped.");
    expect(command.errors).toBe("");
  });

  it("serve a folder", async () => {
    writeFileSync(join(folder, "index.html"), "hello");
    const { command, url } = await start(".");
    expect(await (await fetch(url)).text()).toBe("hello");
    expect(await command.end("SIGINT")).toBe(0);
  });

  it("end when the primary is killed", async () => {
    const { command, url } = await startApp();
    await ask(url);
    // All ends of its output are closed only when the workers are gone
    await command.end("SIGKILL");
    await expect(ask(url)).rejects.toThrow("fetch failed");
  });

  it("hear SIGUSR2 through the primary", async () => {
    const { command } = await startApp();
    command.child.kill("SIGUSR2");
    for (const number of [1, 2]) {
      const [line] = await untilError(command, new RegExp(`\\[${number}\\] logs reopened\n`));
      expect(line).not.toBe("");
    }
  });

  it("listen on a unix socket, whose file goes when they stop", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const path = join(folder, "s");
    const command = startAt(path);
    await command.until(/2 worker processes/);
    expect((await askAt(path)).word).toBe("first");
    expect(await command.end("SIGTERM")).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it.each(["rr", "none"])(
    "replace a socket that nobody answers on, and share its successor also after a restart (%s)",
    { timeout: 30_000 },
    async (policy) => {
      writeFileSync(join(folder, "app.mjs"), APP);
      const path = join(folder, "s");
      leaveStale(path);
      const command = startAt(path, { NODE_CLUSTER_SCHED_POLICY: policy });
      await command.until(/2 worker processes/);
      const before = await pidsAt(path);
      command.child.kill("SIGHUP");
      await command.until(/All workers are new\./);
      const after = await pidsAt(path);
      expect(new Set([...before, ...after]).size).toBe(4);
      expect(command.errors).toBe("");
      expect(await command.end("SIGTERM")).toBe(0);
      expect(existsSync(path)).toBe(false);
    },
  );

  it("leave a unix socket alone that another program answers on", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const path = join(folder, "s");
    const other = createServer((socket) => {
      // Who only asks whether somebody is there does not read
      socket.on("error", () => {}).end("other");
    }).listen(path);
    await once(other, "listening");
    // Of long ago, as one would be that is stale
    utimesSync(path, 1, 1);
    const command = startAt(path);
    expect(await command.end()).toBe(1);
    expect(command.errors).toContain("another program answers on this socket");
    const client = connect(path);
    expect(String(((await once(client, "data")) as [Buffer])[0])).toBe("other");
    client.destroy();
    other.close();
  });

  it("listen on a socket that the primary has inherited, as long as there is one", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const socket = createServer().listen(0, "127.0.0.1");
    await once(socket, "listening");
    const address = socket.address();
    const words = [COMMAND, "app.mjs", "--workers", "1", "--listen", "fd:3", "--log", "off"];
    const child = spawn(process.execPath, words, {
      cwd: folder,
      stdio: ["ignore", "pipe", "ignore", fdOf(socket)],
    });
    try {
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => (output += String(chunk)));
      while (!output.includes("1 worker process")) await once(child.stdout ?? child, "data");
      socket.close();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      const url = `http://127.0.0.1:${port}/`;
      expect((await ask(url)).number).toBe("1");
      // Without a worker the socket is lost: the process ends, so that whoever has opened it starts it anew
      const ended = once(child, "exit");
      await fetch(new URL("/crash", url)).catch(() => null);
      expect(await ended).toEqual([1, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

describe("a worker that ends by itself", () => {
  it("is replaced, its last words are shown with its number, and the other one serves on", async () => {
    const { command, url } = await startApp();
    const { pid } = await askUntil(url, ({ number }) => number === "1");
    const crashed = fetch(new URL("/crash", url)).catch(() => null);
    await untilError(command, /\[[12]\] Error: the last words/);
    await untilError(command, /worker [12] is gone: it ended with exit code 1; another one is started at once/);
    await crashed;
    expect((await ask(url)).word).toBe("first");
    const [, number = ""] = /worker ([12]) is gone/.exec(command.errors) ?? [];
    if (number === "1") await askUntil(url, (answer) => answer.number === "1" && answer.pid !== pid);
    expect(await command.end("SIGTERM")).toBe(0);
  });
});

describe("a start that fails", () => {
  it("is told once, in the words of the command without workers, with its exit code", async () => {
    writeFileSync(join(folder, "app.mjs"), "throw new Error('no database');");
    const command = new RunningCommand(["app.mjs", "--workers", "3", "--port", "0"], { cwd: folder });
    running.push(command);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(/^fairlead: .*app\.mjs failed while it was loaded: no database\n/);
    expect(command.errors.match(/no database/g)).toHaveLength(1);
    expect(command.output).toBe("");
  });

  it("is a mistake for a number of workers that cannot be", async () => {
    const command = new RunningCommand([".", "--workers", "none"], { cwd: folder });
    running.push(command);
    expect(await command.end()).toBe(2);
    expect(command.errors).toContain('--workers is "none", which is no number of workers');
  });

  it("is one if the port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const command = new RunningCommand([".", "--workers", "2", "--port", port], { cwd: folder });
    running.push(command);
    expect(await command.end()).toBe(1);
    expect(command.errors).toContain(`port ${port} is taken`);
    taken.close();
  });
});

describe("a restart at SIGHUP", () => {
  it(`refuses and resets nobody under load, ${RESTARTS} times`, { timeout: 20_000 + RESTARTS * 10_000 }, async () => {
    const { command, url } = await startApp();
    const load = startLoad(portOf(url), { oneShot: 8, keepAlive: 8, pipelining: 4 });
    await load.more(100);
    for (let round = 0; round < RESTARTS; round++) {
      command.output = "";
      command.child.kill("SIGHUP");
      await command.until(/All workers are new/);
      await load.more(200);
    }
    const { failures, answers } = await load.stop();
    expect([...failures]).toEqual([]);
    expect(answers).toBeGreaterThan(100 + 200 * RESTARTS);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("lets a response that is under way come to its end", async () => {
    const { command, url } = await startApp();
    const response = await fetch(new URL("/stream", url));
    const reader = (response.body ?? new ReadableStream()).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("begun ");
    const before = new Set(
      await Promise.all(["1", "2"].map(async (wanted) => (await askUntil(url, ({ number }) => number === wanted)).pid)),
    );
    command.child.kill("SIGHUP");
    await command.until(/All workers are new/);
    await askUntil(url, ({ pid }) => !before.has(pid));
    // One of the old workers lives on for it
    for (const pid of before) {
      try {
        process.kill(pid, "SIGCONT");
      } catch {
        // It had nothing under way
      }
    }
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("ended");
    expect((await reader.read()).done).toBe(true);
  });

  it("runs the app that is there now; one that cannot be loaded changes nothing", async () => {
    const { command, url } = await startApp();
    writeFileSync(join(folder, "app.mjs"), "export function fetch( {");
    command.child.kill("SIGHUP");
    await untilError(command, /\[1\] fairlead: .*app\.mjs cannot be read as a module/);
    await untilError(command, /a new worker could not be started: it ended with exit code 1; nothing has changed/);
    expect((await ask(url)).word).toBe("first");
    writeFileSync(join(folder, "app.mjs"), APP.replace("first", "second"));
    command.child.kill("SIGHUP");
    await command.until(/All workers are new/);
    await askUntil(url, ({ word }) => word === "second");
    for (let i = 0; i < 20; i++) expect((await ask(url)).word).toBe("second");
  });
});

describe("a stop", () => {
  it("waits for requests, and not after a second signal", async () => {
    const { command, url } = await startApp();
    const hanging = fetch(new URL("/hang", url)).then(
      () => "answered",
      () => "cut off",
    );
    // Its request has come when another one on any worker is answered that was sent after it
    await askUntil(url, ({ number }) => number === "1");
    await askUntil(url, ({ number }) => number === "2");
    command.child.kill("SIGTERM");
    await command.until(/Stopping when the requests under way are done/);
    expect(await command.end("SIGTERM")).toBe(1);
    expect(command.output).toContain("Stopped; 1 connection was cut off.");
    expect(await hanging).toBe("cut off");
  });
});

describe("the log of several workers", () => {
  it("is one file of whole lines", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const command = new RunningCommand(
      ["app.mjs", "--workers", "2", "--port", "0", "--log", "json", "--log-file", "log"],
      { cwd: folder },
    );
    running.push(command);
    const url = await command.url();
    await command.until(/2 worker processes/);
    const long = "x".repeat(5_000);
    await Promise.all(
      Array.from({ length: 8 }, async (_, client) => {
        for (let i = 0; i < 40; i++) await ask(url, `/${client}/${i}/${i % 4 === 0 ? long : ""}`);
      }),
    );
    expect(await command.end("SIGTERM")).toBe(0);
    const lines = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
    const seen = new Set(lines.map((line) => /\/\d+\/\d+\//.exec(JSON.stringify(JSON.parse(line)))?.[0]));
    expect([lines.length, seen.size]).toEqual([320, 320]);
  });

  it("is whole lines in a pipe too, and a reader who does not read holds no answer back", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    execFileSync("mkfifo", [join(folder, "go")]);
    const path = join(folder, "s");
    const words = `app.mjs --workers 2 --listen unix:${path} --log json`;
    // Nothing is read before somebody has opened and closed the other one
    const script = `"$0" "$1" ${words} | { cat go > go.read; cat > log; }`;
    const shell = spawn("sh", ["-c", script, process.execPath, COMMAND], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(shell, "close");
    try {
      const isThere = (): boolean => existsSync(path);
      while (!isThere()) await new Promise((resolve) => setImmediate(resolve));
      const pids = new Set<number>();
      let asked = 0;
      const askPath = async (agent: Agent | false, filling: number): Promise<void> => {
        const target = `/n/${asked++}/${"x".repeat(filling)}`;
        const outgoing = nodeRequest({ socketPath: path, path: target, agent }).end();
        const [response] = (await once(outgoing, "response")) as [IncomingMessage];
        let text = "";
        for await (const part of response) text += String(part);
        pids.add((JSON.parse(text) as Answer).pid);
      };
      while (pids.size < 2) await askPath(false, 0);
      // Far more than a pipe holds, and some lines nearly as long as may be
      await Promise.all(
        Array.from({ length: 6 }, async () => {
          const agent = new Agent({ keepAlive: true, maxSockets: 1 });
          for (let i = 0; i < 500; i++) await askPath(agent, (i % 7) * 500);
          agent.destroy();
        }),
      );
      writeFileSync(join(folder, "go"), "");
      const [pid = 0] = pids;
      process.kill(Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" })), "SIGTERM");
      await ended;
      const lines = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
      const targets = lines.map((line) => /\/n\/\d+\//.exec(JSON.stringify(JSON.parse(line)))?.[0]);
      expect(new Set(targets.filter((target) => target !== undefined)).size).toBe(asked);
    } finally {
      shell.kill("SIGKILL");
    }
  }, 30_000);

  it("is opened anew by all at SIGUSR2", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const command = new RunningCommand(
      ["app.mjs", "--workers", "2", "--port", "0", "--log", "json", "--log-file", "log"],
      { cwd: folder },
    );
    running.push(command);
    const url = await command.url();
    await command.until(/2 worker processes/);
    await askUntil(url, ({ number }) => number === "1");
    renameSync(join(folder, "log"), join(folder, "log.1"));
    command.child.kill("SIGUSR2");
    for (const number of [1, 2]) await untilError(command, new RegExp(`\\[${number}\\] logs reopened`));
    for (const wanted of ["1", "2"]) await askUntil(url, ({ number }) => number === wanted);
    expect(await command.end("SIGTERM")).toBe(0);
    expect(readFileSync(join(folder, "log"), "utf8").split("\n").length).toBeGreaterThan(2);
  });
});
