import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];
const listening: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-command-"));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  for (const server of listening.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const command = new RunningCommand(args, { cwd: folder, env });
  running.push(command);
  return command;
}

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Takes a port, a free one unless it is named; resolves to 0 if somebody has it already. */
async function takePort(port = 0): Promise<number> {
  const server = createServer();
  listening.push(server);
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch {
    return 0;
  }
}

describe("questions", () => {
  it.each([
    ["--version", /^\d+\.\d+\.\d+\n$/],
    ["-V", /^\d+\.\d+\.\d+\n$/],
    ["--help", /^Usage: fairlead \[folder \| file \| module\] \[flags\]\n/],
    ["--limits", /limits\.maxHeadBytes +16 KiB .*\n[^]*timeouts\.keepAliveMs +1\.3 min /],
  ])("answers %s and ends", async (flag, answer) => {
    const command = start([flag]);
    expect(await command.end()).toBe(0);
    expect(command.output).toMatch(answer);
    expect(command.errors).toBe("");
  });
});

describe("serving", () => {
  it("serves a folder, with a line for the start and one per request", async () => {
    write("site/index.html", "<h1>hello</h1>");
    const command = start(["site", "-p", "0"]);
    const url = await command.url();
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, "<h1>hello</h1>"]);
    expect((await fetch(`${url}missing`)).status).toBe(404);
    await command.until(/^GET \/ 200 14 \d+\.\dms\nGET \/missing 404 \d+ \d+\.\dms\n/m);
    expect(command.output).toMatch(/^fairlead \d+\.\d+\.\d+: folder \S+site at http:\/\/127\.0\.0\.1:\d+\/\n/);
  });

  it("serves one file and nothing beside it", async () => {
    write("report.txt", "figures");
    write("other.txt", "secret");
    const url = await start(["report.txt", "-p", "0"]).url();
    expect(await (await fetch(url)).text()).toBe("figures");
    const named = await fetch(`${url}report.txt`);
    expect([named.headers.get("content-type"), await named.text()]).toEqual(["text/plain; charset=utf-8", "figures"]);
    for (const path of ["other.txt", "report.txt/", "report.txt/x"]) {
      expect((await fetch(url + path)).status).toBe(404);
    }
  });

  it.each([
    ["app.mjs", `export const fetch = (request) => new Response(new URL(request.url).pathname);`],
    ["app.js", `exports.fetch = (request) => new Response(new URL(request.url).pathname);`],
    [
      "app.ts",
      `enum A { B }\nexport default { fetch: (request: Request): Response => new Response(new URL(request.url).pathname) };`,
    ],
  ])("runs a module: %s", async (name, text) => {
    write(name, text);
    const url = await start([name, "-p", "0"]).url();
    expect(await (await fetch(`${url}a/b`)).text()).toBe("/a/b");
  });

  it("serves the usual folder without an argument", async () => {
    write("public/index.html", "public");
    expect(await (await fetch(await start(["--port=0"]).url())).text()).toBe("public");
  });

  it("takes the port from the environment, and the flag before it", async () => {
    const port = await takePort();
    listening.splice(0).forEach((server) => server.close());
    expect(await start([], { PORT: String(port) }).url()).toBe(`http://127.0.0.1:${port}/`);
    expect(await start(["-p", "0", "--host", "localhost"], { PORT: String(port), HOST: "0.0.0.0" }).url()).toMatch(
      /localhost:/,
    );
  });

  it("says nothing with --quiet", async () => {
    write("app.mjs", `process.stderr.write("up\\n"); export const fetch = () => new Response("x");`);
    const port = await takePort();
    listening.splice(0).forEach((server) => server.close());
    const command = start(["app.mjs", "-q", "-p", String(port)]);
    let text = "";
    while (text === "")
      text = await fetch(`http://127.0.0.1:${port}/`).then(
        (response) => response.text(),
        () => "",
      );
    expect([text, command.output]).toEqual(["x", ""]);
  });

  it("shows a refusal with its code and rule, and nothing that the peer could forge", async () => {
    const command = start(["-p", "0"]);
    const { port } = new URL(await command.url());
    const socket = connect(Number(port), "127.0.0.1");
    socket.end("GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n");
    await command.until(/ 400 refused ERR_\w+ \(RFC \d+ §[\d.]+\)\n/);
    expect(command.output).not.toContain("\x1b");
    socket.destroy();
  });
});

describe("failing to start", () => {
  it("refuses a flag that is none of ours", async () => {
    const command = start(["--prot", "3000"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(
      /^fairlead: there is no flag --prot; did you mean --port\?\n  The flags are: .*--host/,
    );
  });

  it("refuses a port that is none", async () => {
    const command = start(["-p", "http"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(/^fairlead: --port is "http", which is no port\n/);
  });

  it("says that a folder is missing", async () => {
    const command = start(["nowhere"]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(/^fairlead: there is no nowhere in .*\n  Give a folder/);
  });

  it("says that a module has no handler", async () => {
    write("app.mjs", "export const port = 3;");
    const command = start(["app.mjs"]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(/exports no handler, but only port\n  Export one of these/);
  });

  it("says that an explicit port is taken, and ends", async () => {
    const port = await takePort();
    const command = start(["-p", String(port)]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(new RegExp(`^fairlead: port ${port} is taken: .*\\n  Stop that program`));
    const other = start([], { PORT: String(port) });
    expect(await other.end()).toBe(1);
  });

  it("takes the next port where the default one is taken, and says so", async () => {
    await takePort(8080);
    const command = start([]);
    expect(Number(new URL(await command.url()).port)).toBeGreaterThan(8080);
    await command.until(/port 8080 is taken, so this is the next free one\n/);
  });

  it("says that an address is not one of this machine's", async () => {
    const command = start(["--host", "192.0.2.1", "-p", "0"]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(/^fairlead: cannot listen on 192\.0\.2\.1/);
  });
});

const SLOW = `export const fetch = () => new Promise((resolve) => {
  process.stdout.write("asked\\n");
  process.once("SIGUSR2", () => resolve(new Response("at last")));
});`;

describe("stopping", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("ends cleanly at %s", async (signal) => {
    const command = start(["-p", "0"]);
    await fetch(await command.url());
    expect(await command.end(signal)).toBe(0);
    expect(command.output).toMatch(/Stopped\.\n$/);
  });

  it("finishes the request under way, and says that it waits", async () => {
    write("app.mjs", SLOW);
    const command = start(["app.mjs", "-p", "0"]);
    const response = fetch(await command.url());
    await command.until(/asked/);
    command.child.kill("SIGINT");
    await command.until(/Stopping when 1 request is done\. Once more stops now\.\n/);
    command.child.kill("SIGUSR2");
    expect(await (await response).text()).toBe("at last");
    expect(await command.end()).toBe(0);
  });

  it("does not wait at the second signal", async () => {
    write("app.mjs", SLOW);
    const command = start(["app.mjs", "-p", "0"]);
    const response = fetch(await command.url()).then(
      () => "answered",
      () => "cut off",
    );
    await command.until(/asked/);
    command.child.kill("SIGINT");
    await command.until(/Stopping/);
    expect(await command.end("SIGINT")).toBe(1);
    expect(await response).toBe("cut off");
    expect(command.output).toMatch(/Stopped; 1 connection was cut off\.\n$/);
  });
});
