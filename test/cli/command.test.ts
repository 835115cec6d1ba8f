import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): RunningCommand {
  const command = new RunningCommand(args, { cwd: folder, env, input });
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

describe("rules of the folder", () => {
  beforeEach(() => {
    write("site/_redirects", "/old  /new.html  302\n/*  /new.html  200\n");
    write("site/_headers", "/new*\n  X-Frame-Options: DENY\n  Cache-Control: max-age=60\n");
    write("site/new.html", "new");
  });

  it("are in force, said at the start, and not served", async () => {
    const command = start(["site", "-p", "0", "--log", "text"]);
    const url = await command.url();
    expect(command.output).toContain("fairlead: _redirects and _headers in force, and not served: --no-rules\n");
    const moved = await fetch(`${url}old`, { redirect: "manual" });
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "/new.html"]);
    const page = await fetch(`${url}new.html`);
    expect([page.headers.get("x-frame-options"), page.headers.get("cache-control")]).toEqual(["DENY", "max-age=60"]);
    for (const path of ["_redirects", "_headers"]) expect((await fetch(url + path)).status).toBe(404);
    await command.end("SIGTERM");
  });

  it("are files like others with --no-rules", async () => {
    const command = start(["site", "-p", "0", "--log", "text", "--no-rules"]);
    const url = await command.url();
    expect((await fetch(`${url}old`)).status).toBe(404);
    expect((await fetch(`${url}_redirects`)).status).toBe(200);
    expect(command.output).not.toContain("in force");
    await command.end("SIGTERM");
  });

  it("are told of a JSON log too, and only of those that are there", async () => {
    rmSync(join(folder, "site/_headers"));
    const command = start(["site", "-p", "0"]);
    await command.url();
    expect(JSON.parse(command.output.split("\n")[0]!)).toMatchObject({
      rules: "_redirects in force, and not served: --no-rules",
    });
    await command.end("SIGTERM");
  });

  it("that are wrong are an error at the start, with the line and the way out", async () => {
    write("site/_redirects", "/ok /new.html\n/api/* https://api.example/:splat 200\n");
    const command = start(["site", "-p", "0"]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toMatch(/^fairlead: site\/_redirects:2: .*\n {2}Mend them, or .*--no-rules\n$/);
  });

  it.each([
    ["/old", /rules +redirect +_redirects:1/, /302 Found/],
    ["/nothing", /rules +rewrite +_redirects:2/, /200 OK/],
    ["/new.html", /x-frame-options: +DENY +_headers:2/i, /cache-control: +max-age=60 +_headers:3/i],
    ["/_headers", /rules +hidden +--rules: /, /404 Not Found/],
  ])("are explained: %s", async (path, first, second) => {
    const command = start(["explain", "site", path]);
    expect(await command.end()).toBe(0);
    expect(command.output).toMatch(first);
    expect(command.output).toMatch(second);
  });
});

describe("questions", () => {
  it.each([
    ["--version", /^\d+\.\d+\.\d+\n$/],
    ["-V", /^\d+\.\d+\.\d+\n$/],
    ["--help", /^Usage: fairlead \[folder \| file \| module\] \[flags\]\n/],
    ["--limits", /limits\.maxHeadBytes +16 KiB .*\n[^]*timeouts\.keepAliveMs +75 s /],
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
    const command = start(["site", "-p", "0", "--log", "text"]);
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
    // Both of its addresses, of which this is the first: listen.test.ts
    expect(await start(["-p", "0", "--host", "localhost"], { PORT: String(port), HOST: "0.0.0.0" }).url()).toMatch(
      /^http:\/\/127\.0\.0\.1:/,
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
    const command = start(["-p", "0", "--log=text"]);
    const { port } = new URL(await command.url());
    const socket = connect(Number(port), "127.0.0.1");
    socket.end("GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n");
    await command.until(/ 400 refused ERR_\w+ \(RFC \d+ §[\d.]+\)\n/);
    expect(command.output).not.toContain("\x1b");
    socket.destroy();
  });
});

describe("flags about files", () => {
  const html = { accept: "text/html" };

  /** Status and Cache-Control of what a command with these flags answers. */
  async function ask(flags: readonly string[], path: string, headers: Record<string, string> = {}): Promise<unknown[]> {
    const response = await fetch((await start(["site", "-p", "0", ...flags]).url()) + path, { headers });
    return [response.status, response.headers.get("cache-control"), response.headers.get("content-encoding")];
  }

  beforeEach(() => {
    write("site/index.html", "home");
    write("site/about.html", "about ".repeat(1000));
    write("site/200.html", "app");
    write("site/empty/a.txt", "a");
    write("site/.env", "secret");
    write("outside.txt", "outside");
    symlinkSync(join(folder, "outside.txt"), join(folder, "site/out.txt"));
  });

  it.each([
    ["usual", [], "about", {}, [200, "no-cache", "gzip"]],
    ["--no-clean-urls", ["--no-clean-urls"], "about", {}, [404]],
    ["--no-compress", ["--no-compress"], "about", {}, [200, "no-cache", null]],
    ["--cache 10m", ["--cache", "10m"], "about", {}, [200, "max-age=600"]],
    ["--cache off", ["--cache=off"], "about", {}, [200, "no-store"]],
    ["no page for all", [], "deep/page", html, [404]],
    ["--single", ["-s"], "deep/page", html, [200]],
    ["--spa FILE", ["--spa=200.html"], "deep/page", html, [200]],
    ["--single, but a script", ["-s"], "deep/page.js", html, [404]],
    ["a list", [], "empty/", html, [200]],
    ["--no-list", ["--no-list"], "empty/", html, [404]],
    ["no list for others", ["--host", "0.0.0.0"], "empty/", html, [404]],
    ["a dot file", [], ".env", {}, [404]],
    ["--dotfiles", ["--dotfiles"], ".env", {}, [200]],
    ["a link that leads out", [], "out.txt", {}, [404]],
    ["--follow", ["--follow"], "out.txt", {}, [200]],
  ])("reach the files: %s", async (_what, flags, path, headers, expected) => {
    const asked = { "accept-encoding": "gzip", ...headers };
    expect((await ask(flags, path, asked)).slice(0, expected.length)).toEqual(expected);
  });

  it("are wrong usage where they name nothing that can be", async () => {
    const command = start(["site", "--spa=../other.html", "-p", "0"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(/^fairlead: --single must be/);
  });
});

describe("what is said", () => {
  it("is JSON in a pipe: a line for the start, one per request, one for the end", async () => {
    write("site/index.html", "hello");
    const command = start(["site", "-p", "0"]);
    const url = await command.url();
    await fetch(url);
    await command.until(/"msg":"request".*\n/);
    await command.end("SIGTERM");
    const lines = command.output.trim().split("\n");
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ msg }) => msg)).toEqual(["listening", "request", "Stopped."]);
    expect(records[0]).toMatchObject({ level: "info", kind: "folder", path: join(folder, "site"), urls: [url] });
    expect(records[1]).toMatchObject({ method: "GET", target: "/", status: 200, bytes: 5, remote: "127.0.0.1" });
  });

  it("has what is hidden", async () => {
    write("site/.env", "secret");
    write("site/.git/config", "");
    symlinkSync(tmpdir(), join(folder, "site/out"));
    const command = start(["site", "-p", "0", "--log", "text"]);
    const [line] = await command.until(/^fairlead: .* hidden: .*\n/m);
    expect(line).toBe("fairlead: 2 dot files, 1 outside link hidden: --dotfiles, --follow\n");
  });

  it("goes to a file with --log-file, in the form that is asked for", async () => {
    const command = start(["-p", "0", "--log", "combined", "--log-file", "access.log"]);
    await fetch(`${await command.url()}missing`, {
      headers: { "referer": "http://a.example/", "user-agent": 'a "b"' },
    });
    expect(await command.end("SIGINT")).toBe(0);
    expect(readFileSync(join(folder, "access.log"), "utf8")).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/missing HTTP\/1\.1" 404 \d+ "http:\/\/a\.example\/" "a \\"b\\""\n$/,
    );
    expect(command.output).not.toContain("missing");
  });

  it("is no line per request with --log off", async () => {
    const command = start(["-p", "0", "--log=off"]);
    await fetch(await command.url());
    await command.end("SIGINT");
    // The client may have its answer before the server knows that it has
    expect(command.output).toMatch(/^fairlead .*\n(?:fairlead: .*\n)*(?:Stopping when 1 request .*\n)?Stopped\.\n$/);
  });
});

describe("where it listens", () => {
  it("is several addresses, if one asks for them", async () => {
    write("index.html", "hello");
    const command = start(["-l", "tcp://127.0.0.1:0", "-l", "unix:site.sock", "-l", "tcp://127.0.0.1:0"]);
    const [, list = ""] = await command.until(/"urls":(\[[^\]]*\])/);
    const urls = JSON.parse(list) as string[];
    expect(urls.map((url) => new URL(url).protocol)).toEqual(["http:", "unix:", "http:"]);
    expect(await (await fetch(urls[0] ?? "")).text()).toBe("hello");
    expect(await (await fetch(urls[2] ?? "")).text()).toBe("hello");
    const socket = connect(join(folder, "site.sock"));
    socket.end("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const [data] = (await once(socket, "data")) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("is all of them or none", async () => {
    const port = await takePort();
    const command = start(["-l", "tcp://127.0.0.1:0", "-l", `tcp://127.0.0.1:${port}`]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toContain(String(port));
  });
});

describe("the gate", () => {
  it("asks for name and password, and lets preflights through without", async () => {
    write("index.html", "hello");
    write("users", "# who may come in\n\nada:secret\n");
    const command = start([
      "-p",
      "0",
      "--auth",
      "@users",
      "--cors",
      "https://app.example",
      "--isolated",
      "-H",
      "X-A: 1",
    ]);
    const url = await command.url();
    const origin = "https://app.example";
    const refused = await fetch(url, { headers: { origin } });
    expect(refused.status).toBe(401);
    const all = ["access-control-allow-origin", "cross-origin-opener-policy", "x-a"];
    expect(all.map((name) => refused.headers.get(name))).toEqual([origin, "same-origin", "1"]);
    const authorization = `Basic ${Buffer.from("ada:secret").toString("base64")}`;
    const answer = await fetch(url, { headers: { authorization, origin } });
    expect([answer.status, await answer.text(), answer.headers.get("access-control-allow-credentials")]).toEqual([
      200,
      "hello",
      "true",
    ]);
    const asked = { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
    const preflight = await fetch(url, { method: "OPTIONS", headers: asked });
    expect([preflight.status, preflight.headers.get("access-control-allow-headers")]).toEqual([204, "authorization"]);
  });

  it("takes the password from the environment", async () => {
    const url = await start(["-p", "0"], { FAIRLEAD_AUTH: "ada:secret" }).url();
    expect((await fetch(url)).status).toBe(401);
  });

  it("warns where the password can be overheard", async () => {
    const command = start(["-p", "0", "--host", "0.0.0.0", "--auth", "ada:secret"]);
    const [line = ""] = await command.until(/"msg":"listening".*\n/);
    expect(line).toContain("travel unencrypted");
  });

  it.each([
    [["--auth", "ada"], 2, /^fairlead: --auth is no name and password\n/],
    [["--auth", "@missing"], 1, /^fairlead: --auth: .*missing cannot be read/],
    [["--auth", "@users"], 2, /^fairlead: line 2 of .*users is no name and password\n/],
    [["--cors=app.example"], 2, /^fairlead: --cors: "app\.example" is no origin/],
    [["-H", "Content-Length: 3"], 2, /^fairlead: --header: Content-Length belongs to each message/],
    [["--log-file", "no/such/folder"], 1, /^fairlead: --log-file: .* cannot be written/],
  ])("says what is wrong with %j", async (args, exitCode, message) => {
    write("users", "ada:secret\nsecret-without-name\n");
    const command = start([...args, "-p", "0"]);
    expect(await command.end()).toBe(exitCode);
    expect(command.errors).toMatch(message);
    expect(command.errors).not.toContain("secret-without-name");
  });
});

describe("asking without a socket", () => {
  it("fetches: content to the output, the head to the errors, the status as exit code", async () => {
    write("site/a b.txt", "hello");
    const found = start(["fetch", "site", "/a b.txt", "-v"]);
    expect(await found.end()).toBe(0);
    expect(found.output).toBe("hello");
    expect(found.errors).toMatch(/^> GET \/a%20b\.txt\n< 200 OK\n< content-type: text\/plain/);
    const head = start(["fetch", "site", "HEAD", "/a b.txt"]);
    expect([await head.end(), head.output]).toEqual([0, ""]);
    const missing = start(["fetch", "site", "/../etc/passwd"]);
    expect([await missing.end(), missing.output.startsWith("404 Not Found")]).toEqual([22, true]);
  });

  it("fetches from a module, gate and all", async () => {
    write("app.mjs", `export const fetch = (request) => new Response(request.method + request.headers.get("x-a"));`);
    const command = start(["fetch", "app.mjs", "PUT", "/", "-H", "X-A: 1"]);
    expect([await command.end(), command.output]).toEqual([0, "PUT1"]);
    const guarded = start(["fetch", "app.mjs", "/", "--auth", "a:b"]);
    expect(await guarded.end()).toBe(22);
  });

  it("tells of a handler that failed", async () => {
    write("app.mjs", `export const fetch = () => { throw new Error("of its own"); };`);
    const command = start(["fetch", "app.mjs", "/"]);
    expect(await command.end()).toBe(22);
    expect(command.output).toMatch(/^500 /);
    expect(command.errors).toMatch(/the handler failed: Error: of its own\n +at /);
  });

  it("explains", async () => {
    write("site/index.html", "hello");
    const command = start(["explain", "site", "/", "--isolated", "-H", "Accept: text/html"]);
    expect(await command.end()).toBe(0);
    expect(command.output).toMatch(/^GET \/\nAccept: text\/html\n\n[^]*\n200 OK\n {2}content-type: +text\/html/);
    expect(command.output).toMatch(/\n {2}resolve +.*\n[^]*\n {2}contain +inside +opened, and verified/);
    expect(command.output).toMatch(/cache-control: +no-cache +--cache\n/);
    expect(command.output).toMatch(/cross-origin-opener-policy: +same-origin +--isolated\n/);
  });

  it("encodes what a target cannot hold, so that names can be given as they are", async () => {
    write('site/a "b" <c>.txt', "odd");
    const command = start(["fetch", "site", '/a "b" <c>.txt']);
    expect([await command.end(), command.output]).toEqual([0, "odd"]);
  });

  it("explains each field of several ranges, whose boundary is another each time", async () => {
    write("site/index.html", "<h1>hello</h1>");
    const command = start(["explain", "site", "/", "-H", "Range: bytes=0-1,4-5"]);
    expect(await command.end()).toBe(0);
    expect(command.output).toMatch(/range +206 +2 parts: octets 0-1, 4-5 of 14\n/);
    expect(command.output).toMatch(/content-type: +multipart\/byteranges; boundary=\S+ +RFC 9110 §14\.6\n/);
  });

  it("explains a refusal of the gate, and a module", async () => {
    write("app.mjs", `export const fetch = () => new Response("x", { headers: { "x-a": "1" } });`);
    const shut = start(["explain", "app.mjs", "/", "--auth", "a:b"]);
    expect(await shut.end()).toBe(0);
    expect(shut.output).toMatch(/password +refused[^]*401 Unauthorized\n[^]*www-authenticate: .* --auth\n/);
    const open = start(["explain", "app.mjs", "/"]);
    await open.end();
    expect(open.output).toMatch(/x-a: +1 +the module\n/);
  });

  it.each([
    [["explain"], /explain needs a path/],
    [["fetch", "site"], /fetch needs a path/],
    [["fetch", "a", "b", "/x"], /fetch needs a path, and takes little else/],
    [["fetch", "/", "-H", "a b: c"], /"a b" is no field of a request/],
    [["explain", "BREW", "/"], /BREW is no method/],
  ])("says what is wrong with %j", async (args, message) => {
    const command = start(args);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(message);
  });

  it("makes a hash that --auth takes", async () => {
    const command = start(["hash-password"], {}, "secret\n");
    expect(await command.end()).toBe(0);
    const fetched = start([
      "fetch",
      "/",
      "-H",
      `Authorization: Basic ${btoa("ada:secret")}`,
      "--auth",
      `ada:${command.output.trim()}`,
    ]);
    await fetched.end();
    expect(fetched.output).toContain("Index of");
  });
});

describe("failing to start", () => {
  it("refuses a flag that is none of ours", async () => {
    const command = start(["--prot", "3000"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(/^fairlead: there is no flag --prot; did you mean --port\?\n  fairlead --help/);
  });

  it("refuses a port that is none", async () => {
    const command = start(["-p", "http"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(/^fairlead: --port is "http", which is no port\n/);
  });

  it("refuses a flag about files for a module", async () => {
    write("app.mjs", "export const fetch = () => new Response();");
    const command = start(["app.mjs", "--no-list"]);
    expect(await command.end()).toBe(2);
    expect(command.errors).toMatch(
      /^fairlead: --list is about files, and .*app\.mjs is a module that answers itself\n/,
    );
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
    await command.until(/port 8080 is taken, so this is the next free one/);
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
    const command = start(["-p", "0", "--log", "text"]);
    await fetch(await command.url());
    expect(await command.end(signal)).toBe(0);
    expect(command.output).toMatch(/Stopped\.\n$/);
  });

  it("finishes the request under way, and says that it waits", async () => {
    write("app.mjs", SLOW);
    const command = start(["app.mjs", "-p", "0", "--log", "text"]);
    const response = fetch(await command.url());
    await command.until(/asked/);
    command.child.kill("SIGINT");
    await command.until(/Stopping when 1 request is done\. Once more stops now\.\n/);
    command.child.kill("SIGUSR2");
    expect(await (await response).text()).toBe("at last");
    expect(await command.end()).toBe(0);
  });

  it("says that it waits for connections that do not close", async () => {
    const command = start(["-p", "0", "--log", "text"]);
    const port = Number(new URL(await command.url()).port);
    const idle = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(idle, "data");
    command.child.kill("SIGINT");
    await command.until(/Stopping when 1 connection is closed\. Once more stops now\.\n/);
    idle.end();
    expect(await command.end()).toBe(0);
    expect(command.output).toMatch(/Stopped\.\n$/);
  });

  it("does not wait at the second signal", async () => {
    write("app.mjs", SLOW);
    const command = start(["app.mjs", "-p", "0", "--log", "text"]);
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
