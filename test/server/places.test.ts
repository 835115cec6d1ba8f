import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, linkSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inheritedSockets, NOTIFY_NAME, notifyDescriptor } from "../../src/server/inherited-sockets.ts";
import { type Server, serve } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";

const fetch = (): Response => new Response("served");

async function statusAt(where: { port: number } | { path: string }): Promise<string> {
  const socket = "path" in where ? connect(where.path) : connect(where.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.slice(9, 12);
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("several places to listen", () => {
  it("are all served, told of in order, and closed together", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "socket");
      const server = await serve({ fetch, listen: [{ port: 0 }, { port: 0, hostname: "127.0.0.1" }, { unix: path }] });
      const [first, second, third] = server.addresses;
      expect(server.address).toEqual(first);
      expect(server.urls.map(String)).toEqual([
        `http://127.0.0.1:${first?.port}/`,
        `http://127.0.0.1:${second?.port}/`,
        `unix:${path}`,
      ]);
      expect(await Promise.all([first, second].map((at) => statusAt({ port: at?.port ?? 0 })))).toEqual(["200", "200"]);
      expect(third).toEqual({ address: path, port: 0, family: "unix" });
      expect(await statusAt({ path })).toBe("200");
      await server.close();
      expect(existsSync(path)).toBe(false);
      await expect(statusAt({ port: first?.port ?? 0 })).rejects.toThrow("ECONNREFUSED");
      await expect(statusAt({ port: second?.port ?? 0 })).rejects.toThrow("ECONNREFUSED");
    });
  });

  it("are listened at all, or none", async () => {
    const taken: NetServer = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    await withFolder(async (folder) => {
      const path = join(folder, "socket");
      await expect(serve({ fetch, listen: [{ unix: path }, { port }] })).rejects.toMatchObject({
        code: "ERR_LISTEN_IN_USE",
      });
      expect(existsSync(path)).toBe(false);
    });
    taken.close();
  });

  it.each<[string, unknown, string]>([
    ["none", [], "listen: no place was given"],
    ["two in one", [{ port: 0, unix: "/tmp/x" }], "listen[0]: several addresses was given"],
    ["nowhere", [{ backlog: 5 }], "listen[0]: no address was given"],
    ["an unknown name", [{ port: 0, path: "/tmp/x" }], "listen[0].path"],
    ["a mode without socket file", [{ port: 0, mode: 0o600 }], "listen[0].mode: without unix"],
    ["a mode as text", [{ unix: "/tmp/x", mode: "660" }], "permissions from 0 to 0o777"],
    ["a port too high", [{ port: 70_000 }], "listen[0].port: 70000 was given"],
  ])("are checked: %s", async (_, listen, message) => {
    await expect(serve({ fetch, listen: listen as [] })).rejects.toThrow(message);
  });

  it.each([
    [{ prot: 80 }, "  listen[0].prot: there is no such option, did you mean listen[0].port?"],
    [{ host: "::1", port: 0 }, "  listen[0].host: there is no such option, did you mean listen[0].hostname?"],
    [{ path: "/tmp/x" }, "  listen[0].path: there is no such option, did you mean listen[0].unix?"],
    [{ port: 0, constructor: 1 }, "  listen[0].constructor: there is no such option"],
  ])("have names of which the nearest is told: %j", async (place, line) => {
    const { message } = await serve({ fetch, listen: [place as object] }).then(
      () => new Error("none"),
      (error: Error) => error,
    );
    expect(message).toBe(`an option is invalid:\n${line}`);
  });

  it("stand in place of one place", async () => {
    await expect(serve({ fetch, port: 0, listen: [{ port: 0 }] })).rejects.toThrow("listen: together with port");
  });
});

describe("a socket file", () => {
  it.each([0o600, 0o660, 0o666, 0o777])("has the mode %s from the start, and the umask stays", async (mode) => {
    await withFolder(async (folder) => {
      const before = process.umask(0o027);
      const path = join(folder, "socket");
      const server = await serve({ fetch, unix: path, mode });
      expect(statSync(path).mode & 0o777).toBe(mode);
      expect(process.umask(before)).toBe(0o027);
      await server.close();
    });
  });

  it("has what the umask leaves where no mode is asked for", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "socket");
      const before = process.umask(0o027);
      const server = await serve({ fetch, unix: path });
      process.umask(before);
      expect(statSync(path).mode & 0o777).toBe(0o750);
      await server.close();
    });
  });
});

describe("inherited sockets", () => {
  const self = { pid: 42, ppid: 7 };
  const passed = { LISTEN_PID: "42", LISTEN_FDS: "3", LISTEN_FDNAMES: "web:admin:web" };

  it.each<[string, Record<string, string>, string | null, readonly number[] | string]>([
    ["all", passed, null, [3, 4, 5]],
    ["those of a name", passed, "web", [3, 5]],
    ["one of a name", passed, "admin", [4]],
    ["an unknown name", passed, "other", 'no socket is named "other"; there are web, admin, web'],
    ["none at all", {}, null, "is there a .socket unit?"],
    [
      "those of another process",
      { ...passed, LISTEN_PID: "41" },
      null,
      "the sockets are for process 41, and this is 42",
    ],
    ["a number that is none", { ...passed, LISTEN_FDS: "3x" }, null, "LISTEN_FDS is no number of sockets"],
    ["those of a worker's primary", { ...passed, LISTEN_PID: "7", FAIRLEAD_WORKER: "1" }, "admin", [4]],
    ["all but what leads to systemd", { ...passed, LISTEN_FDS: "2", LISTEN_FDNAMES: `web:${NOTIFY_NAME}` }, null, [3]],
    [
      "none where that is all",
      { ...passed, LISTEN_FDS: "1", LISTEN_FDNAMES: NOTIFY_NAME },
      null,
      "is there a .socket unit?",
    ],
    ["zero", { ...passed, LISTEN_FDS: "0" }, null, "LISTEN_FDS is no number of sockets"],
  ])("are found by systemd's variables: %s", (_, environment, name, expected) => {
    const found = inheritedSockets(environment, self, name);
    if (typeof expected === "string") expect(found).toContain(expected);
    else expect(found).toEqual(expected);
  });

  it.each([
    [{ ...passed, LISTEN_FDNAMES: `web:web:${NOTIFY_NAME}` }, 5],
    [passed, -1],
    [{ ...passed, LISTEN_FDNAMES: NOTIFY_NAME, LISTEN_PID: "41" }, -1],
    [{}, -1],
  ])("may be beside what leads to systemd: %j", (environment, fd) => {
    expect(notifyDescriptor(environment, self.pid)).toBe(fd);
  });

  it("are an option", async () => {
    await expect(serve({ fetch, listen: [{ systemd: true }] })).rejects.toThrow(
      "listen[0].systemd: systemd has passed no sockets on",
    );
  });

  it("are served, those of unix too", async () => {
    await withFolder(async (folder) => {
      const tcp = createServer().listen(0, "127.0.0.1");
      const path = join(folder, "socket");
      const unix = createServer().listen(path);
      await Promise.all([once(tcp, "listening"), once(unix, "listening")]);
      const { port } = tcp.address() as { port: number };
      const child = spawn(
        process.execPath,
        ["--import", "jiti/register", join(import.meta.dirname, "support/activated.ts")],
        {
          stdio: ["pipe", "pipe", "inherit", handleOf(tcp), handleOf(unix)],
        },
      );
      const [line] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [Buffer];
      expect(JSON.parse(String(line))).toEqual([
        { address: "127.0.0.1", port, family: "IPv4" },
        // Node does not tell the path of a socket that it has not bound itself
        { address: "", port: 0, family: "unix" },
      ]);
      // From here on the child alone accepts; closing removes the path, but not the socket's other name
      linkSync(path, `${path}2`);
      tcp.close();
      unix.close();
      expect(await statusAt({ port })).toBe("200");
      expect(await statusAt({ path: `${path}2` })).toBe("200");
      child.stdin?.end();
      const [code] = (await once(child, "exit")) as [number];
      expect(code).toBe(0);
    });
  });
});

/** What spawn() passes on: the socket of a server that is not yet reading from it. */
function handleOf(server: NetServer): number {
  return (Reflect.get(server, "_handle") as { fd: number }).fd;
}

describe("the first place", () => {
  it("is the one that address, port and url tell of", async () => {
    const server: Server = await serve({ fetch, listen: [{ port: 0 }, { port: 0 }] });
    expect(server.port).toBe(server.addresses[0]?.port);
    expect(server.hostname).toBe("127.0.0.1");
    await server.close();
  });
});
