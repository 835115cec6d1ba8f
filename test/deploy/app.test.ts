/** examples/deploy/server.js as it is run: its environment, its health, its end; and nginx in front of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Agent, request as undiciRequest } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { readText, ROOT } from "../architecture/source.ts";

const NGINX = "/usr/sbin/nginx";
const HAPROXY = "/usr/sbin/haproxy";
const CADDY = "/usr/bin/caddy";
const isBuilt = existsSync(join(ROOT, "dist/index.js"));

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
  folders.push(folder);
  return folder;
}

/** Starts the app and gives what it says of where it listens. */
async function startApp(environment: Record<string, string>): Promise<{ child: ChildProcess; where: string }> {
  const child = spawn(process.execPath, [join(ROOT, "examples/deploy/server.js")], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  if (child.stdout === null) throw new Error("the app has no output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, where: line.replace("listening on ", "") };
}

interface Told {
  readonly url: string;
  readonly client: string;
  readonly encrypted: boolean;
}

async function ask(
  url: string,
  headers: Record<string, string> = {},
  agent?: Agent,
): Promise<{ status: number; told: Told }> {
  const response = await undiciRequest(url, { headers, ...(agent === undefined ? {} : { dispatcher: agent }) });
  const text = await response.body.text();
  return { status: response.statusCode, told: (text.startsWith("{") ? JSON.parse(text) : {}) as Told };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const answer = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return answer;
}

/** Resolves when somebody listens there. */
async function untilOpen(port: number): Promise<void> {
  while (!(await isOpen(port)));
}

/** Resolves when nobody does any more. */
async function untilRefused(port: number): Promise<void> {
  while (await isOpen(port));
}

describe.skipIf(!isBuilt)("the app", () => {
  it("tells its health, serves on after SIGTERM, and ends with 0", async () => {
    const { child, where } = await startApp({ PORT: "0", LAME_DUCK_MS: "1500", LAST_CALL_MS: "0" });
    const exited = once(child, "exit") as Promise<[number]>;
    expect((await ask(`${where}healthz`)).status).toBe(200);
    expect((await ask(`${where}readyz`)).status).toBe(200);
    child.kill("SIGTERM");
    while ((await ask(`${where}readyz`)).status === 200);
    expect((await ask(`${where}readyz`)).status).toBe(503);
    expect((await ask(where)).told.url).toBe(where);
    expect((await exited)[0]).toBe(0);
  });

  it("answers a request that was on its way when it stopped accepting", async () => {
    const { child, where } = await startApp({ PORT: "0" });
    const exited = once(child, "exit") as Promise<[number]>;
    const port = Number(new URL(where).port);
    const kept = connect(port, "127.0.0.1").setEncoding("latin1");
    kept.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    await once(kept, "data");
    child.kill("SIGTERM");
    await untilRefused(port);
    kept.write("GET / HTTP/1.1\r\nHost: app\r\n\r\n");
    const [text] = (await once(kept, "data")) as [string];
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i);
    expect((await exited)[0]).toBe(0);
  });

  it("listens on a unix socket that its group can reach", async () => {
    const path = join(makeFolder(), "http.sock");
    const { where } = await startApp({ LISTEN: `unix:${path}` });
    expect(where).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });
});

interface Front {
  readonly name: string;
  readonly program: string;
  /** Its arguments for a file that it is to read, made from ours. */
  readonly start: (folder: string, port: number, appPort: number) => readonly string[];
}

const FRONTS: readonly Front[] = [
  {
    name: "nginx",
    program: NGINX,
    start: (folder, port, appPort) => {
      const text = readText("examples/deploy/nginx.conf")
        .replace("127.0.0.1:8080", `127.0.0.1:${appPort}`)
        .replace("listen 80;", `listen 127.0.0.1:${port};`)
        .replace("http {", `http {\n access_log ${folder}/access.log;\n${temporary(folder)}`);
      writeFileSync(join(folder, "nginx.conf"), text);
      mkdirSync(join(folder, "logs"));
      return [
        "-p",
        folder,
        "-c",
        join(folder, "nginx.conf"),
        "-e",
        join(folder, "error.log"),
        "-g",
        `daemon off; master_process off; pid ${folder}/pid;`,
      ];
    },
  },
  {
    name: "haproxy",
    program: HAPROXY,
    start: (folder, port, appPort) => {
      const text = readText("examples/deploy/haproxy.cfg")
        .replace("127.0.0.1:8080", `127.0.0.1:${appPort}`)
        .replace("bind :80", `bind 127.0.0.1:${port}`);
      writeFileSync(join(folder, "haproxy.cfg"), text);
      return ["-db", "-q", "-f", join(folder, "haproxy.cfg")];
    },
  },
  {
    name: "Caddy",
    program: CADDY,
    start: (folder, port, appPort) => {
      writeFileSync(join(folder, "Caddyfile"), caddyfileOf(port, appPort));
      return ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")];
    },
  },
];

/** Ours, without the address for its own commands, and without certificates. */
function caddyfileOf(port: number, appPort: number): string {
  const text = readText("examples/deploy/Caddyfile")
    .replace("www.example.com {", `http://127.0.0.1:${port} {`)
    .replace("reverse_proxy 127.0.0.1:8080", `reverse_proxy 127.0.0.1:${appPort}`);
  return `{\n\tadmin off\n\tauto_https off\n}\n${text}`;
}

function temporary(folder: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => ` ${name}_temp_path ${folder}/${name};\n`)
    .join("");
}

for (const { name, program } of FRONTS) {
  if (!existsSync(program))
    process.emitWarning(`SKIPPED: ${name} is not installed: apt-get install ${name.toLowerCase()}`);
}

describe.each(FRONTS.filter(() => isBuilt))("behind $name", ({ program, start }) => {
  it.skipIf(!existsSync(program))("the app sees its clients, and nobody can pretend to be another", async () => {
    const { where } = await startApp({ PORT: "0", TRUST_PROXY: "loopback" });
    const folder = makeFolder();
    const port = await freePort();
    const child = spawn(program, start(folder, port, Number(new URL(where).port)), {
      // What they keep, and what they say
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
      stdio: ["ignore", "inherit", "ignore"],
    });
    children.push(child);
    await untilOpen(port);
    const front = `http://127.0.0.1:${port}/`;
    // The loopback has many addresses: a client who is none of the proxies
    const agent = new Agent({ localAddress: "127.0.0.5" });
    const spoof = {
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      "forwarded": "for=203.0.113.8;proto=https;host=evil.example",
    };
    // HAProxy answers 503 until it has found the app ready
    let answer = await ask(front, spoof, agent);
    while (answer.status === 503) answer = await ask(front, spoof, agent);
    for (let round = 0; round < 20; round++) {
      expect(answer).toEqual({ status: 200, told: { url: front, client: "127.0.0.5", encrypted: false } });
      answer = await ask(front, spoof, agent);
    }
    expect((await ask(`${front}readyz`)).status).toBe(200);
    await agent.close();
  });
});
