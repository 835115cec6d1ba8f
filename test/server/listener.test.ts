import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ServerError } from "../../src/http/errors.ts";
import { bindIpv4 } from "../../src/server/bound-handle.ts";
import { socketAddress } from "../../src/server/connection-info.ts";
import { listenError } from "../../src/server/listen-error.ts";
import { Listener } from "../../src/server/listener.ts";
import type { ListenTarget } from "../../src/server/life-options.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((each) => each.address === "::1"));

let folder = "";
const listeners: Listener[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-"));
});

afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

async function open(
  target: ListenTarget,
  onSocket: (socket: Socket) => void = (socket) => socket.destroy(),
  bind: typeof bindIpv4 = bindIpv4,
): Promise<Listener> {
  const listener = await Listener.open(target, { onSocket, onAcceptError: () => {} }, bind);
  listeners.push(listener);
  return listener;
}

const tcp = (hostname: string, port: number): ListenTarget => ({ kind: "tcp", hostname, port, backlog: 511 });
const unix = (name: string): ListenTarget => ({ kind: "unix", path: join(folder, name), backlog: 511 });

async function refusal(target: ListenTarget, bind?: typeof bindIpv4): Promise<ServerError> {
  try {
    await open(target, undefined, bind);
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  return expect.unreachable();
}

/** Tests run in processes that were forked, where Node does all of it. */
const BINDERS: Readonly<Record<string, typeof bindIpv4>> = {
  "by Node alone": () => null,
  "bound before": (hostname, port) => bindIpv4(hostname, port, false),
};

describe.each(Object.keys(BINDERS))("Listener on TCP, %s", (how) => {
  const bind = BINDERS[how];

  it("listens on a free port and hands over sockets", async () => {
    let arrive: (socket: Socket) => void = () => {};
    const arrived = new Promise<Socket>((resolve) => {
      arrive = resolve;
    });
    const listener = await open(tcp("127.0.0.1", 0), arrive, bind);
    expect(listener.address).toMatchObject({ address: "127.0.0.1", family: "IPv4" });
    expect(listener.address.port).toBeGreaterThan(0);
    const client = connect(listener.address.port, "127.0.0.1");
    const socket = await arrived;
    expect(socket.allowHalfOpen).toBe(true);
    socket.destroy();
    client.destroy();
  });

  it.skipIf(!hasIpv6)("listens on IPv6", async () => {
    expect((await open(tcp("::1", 0), undefined, bind)).address).toMatchObject({ address: "::1", family: "IPv6" });
  });

  it("listens on a name", async () => {
    expect((await open(tcp("localhost", 0), undefined, bind)).address.port).toBeGreaterThan(0);
  });

  it("says that a port is in use and what to do", async () => {
    const { port } = (await open(tcp("127.0.0.1", 0), undefined, bind)).address;
    const error = await refusal(tcp("127.0.0.1", port), bind);
    expect(error.code).toBe("ERR_LISTEN_IN_USE");
    expect(error.message).toBe(
      `cannot listen on 127.0.0.1:${port}: another program listens there; stop it, choose another port, or port 0 for any free one (EADDRINUSE)`,
    );
    expect(error.cause).toMatchObject({
      code: "EADDRINUSE",
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      address: "127.0.0.1",
      port,
    });
  });

  it("says that an address is none of this machine", async () => {
    const error = await refusal(tcp("192.0.2.1", 0), bind);
    expect(error.code).toBe("ERR_LISTEN_ADDRESS");
    expect(error.message).toContain("no interface of this machine has this address");
  });

  it("keeps as many waiting as was wished", async () => {
    const listened: unknown[] = [];
    const spy = (hostname: string, port: number): ReturnType<typeof bindIpv4> => {
      const handle = bind?.(hostname, port) ?? null;
      if (handle === null) return null;
      const { listen } = handle as { listen(backlog: number): number };
      return Object.assign(handle, {
        listen(backlog: number) {
          listened.push(backlog);
          return listen.call(handle, backlog);
        },
      });
    };
    await open({ kind: "tcp", hostname: "127.0.0.1", port: 0, backlog: 17 }, undefined, spy);
    expect(listened).toEqual(how === "bound before" ? [17] : []);
  });
});

describe("Listener on a unix socket", () => {
  it("listens, is reached, and removes the file at close", async () => {
    const target = unix("plain");
    const listener = await open(target, (socket) => socket.end("hi"));
    expect(listener.address).toEqual({ address: join(folder, "plain"), port: 0, family: "unix" });
    const client = connect(listener.address.address);
    const [chunk] = (await once(client, "data")) as [Buffer];
    expect(chunk.toString()).toBe("hi");
    client.destroy();
    listener.close();
    expect(existsSync(listener.address.address)).toBe(false);
  });

  it("replaces a socket that nobody answers on", async () => {
    const target = unix("stale");
    // A process that ends without closing leaves its socket behind
    const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script, join(folder, "stale")]);
    expect(existsSync(join(folder, "stale"))).toBe(true);
    await open(target, (socket) => socket.end("new"));
    const client = connect(join(folder, "stale"));
    const [chunk] = (await once(client, "data")) as [Buffer];
    expect(chunk.toString()).toBe("new");
    client.destroy();
  });

  it("leaves a socket alone that somebody answers on", async () => {
    const target = unix("living");
    await open(target);
    const error = await refusal(target);
    expect(error.code).toBe("ERR_LISTEN_IN_USE");
    expect(error.message).toContain("another program answers on this socket");
    const client = connect(join(folder, "living"));
    await once(client, "connect");
    client.destroy();
  });

  it("leaves a file alone that is no socket", async () => {
    const target = unix("file");
    writeFileSync(join(folder, "file"), "precious");
    expect((await refusal(target)).code).toBe("ERR_LISTEN_IN_USE");
    expect(existsSync(join(folder, "file"))).toBe(true);
  });

  it("says that the folder does not exist", async () => {
    const error = await refusal(unix("nowhere/socket"));
    // Node on Linux says EACCES where the system says ENOENT for the folder of a socket
    expect(["ERR_LISTEN_ADDRESS", "ERR_LISTEN_PERMISSION"]).toContain(error.code);
  });

  it("says that a path is too long, before the system cuts it", async () => {
    const error = await refusal(unix("x".repeat(120)));
    expect(error.code).toBe("ERR_LISTEN_ADDRESS");
    expect(error.message).toContain("too long for a unix socket");
  });
});

describe("Listener on an inherited descriptor", () => {
  it("says when the descriptor is no listening socket", async () => {
    const error = await refusal({ kind: "fd", fd: 987_654, backlog: 511 });
    expect(["ERR_LISTEN_ADDRESS", "ERR_LISTEN"]).toContain(error.code);
    expect(error.message).toContain("descriptor 987654");
  });

  it("accepts on a socket that the parent process opened", async () => {
    const parent = createServer();
    parent.listen(0, "127.0.0.1");
    await once(parent, "listening");
    const { port } = parent.address() as AddressInfo;
    const { fd } = Reflect.get(parent, "_handle") as { fd: number };
    const script = fileURLToPath(new URL("support/inherit.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "jiti/register", script], {
      stdio: ["pipe", "pipe", "inherit", fd],
    });
    const [said] = (await once(child.stdout as Readable, "data")) as [Buffer];
    expect(said.toString()).toBe(`${port}\n`);
    parent.close();
    const client = connect(port, "127.0.0.1");
    const [chunk] = (await once(client, "data")) as [Buffer];
    expect(chunk.toString()).toBe("inherited");
    client.destroy();
    child.stdin?.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("listenError", () => {
  it.each([
    ["EACCES", tcp("127.0.0.1", 80), "ERR_LISTEN_PERMISSION", "ports below 1024 need a privilege"],
    ["EACCES", tcp("127.0.0.1", 8080), "ERR_LISTEN_PERMISSION", "may not use it"],
    ["EPERM", unix("x"), "ERR_LISTEN_PERMISSION", "may not create the socket file"],
    ["EADDRNOTAVAIL", tcp("192.0.2.1", 80), "ERR_LISTEN_ADDRESS", "no interface"],
    ["ENOTFOUND", tcp("no.such.invalid", 80), "ERR_LISTEN_ADDRESS", "the name has no address"],
    ["EAFNOSUPPORT", tcp("::1", 80), "ERR_LISTEN_ADDRESS", "does not speak"],
    ["ENOENT", unix("x"), "ERR_LISTEN_ADDRESS", "folder"],
    ["ENOTDIR", unix("x"), "ERR_LISTEN_ADDRESS", "no folder"],
    ["EINVAL", tcp("::1", 80), "ERR_LISTEN", "choose another"],
    ["EMFILE", tcp("::1", 80), "ERR_LISTEN", "ulimit -n"],
    ["EWHATEVER", tcp("::1", 80), "ERR_LISTEN", "[::1]:80: the system refuses it (EWHATEVER)"],
  ] as const)("explains %s", (code, target, expected, words) => {
    const cause = Object.assign(new Error("x"), { code });
    const error = listenError(cause, target);
    expect(error.code).toBe(expected);
    expect(error.message).toContain(words);
    expect(error.message).not.toMatch(/\.$/);
    expect(error.cause).toBe(cause);
  });
});

describe("socketAddress", () => {
  it.each([
    ["127.0.0.1", 80, "IPv4", { address: "127.0.0.1", port: 80, family: "IPv4" }],
    ["::1", 80, "IPv6", { address: "::1", port: 80, family: "IPv6" }],
    ["::ffff:192.0.2.1", 80, "IPv6", { address: "192.0.2.1", port: 80, family: "IPv4" }],
    ["::ffff:c000:201", 80, "IPv6", { address: "::ffff:c000:201", port: 80, family: "IPv6" }],
    [undefined, undefined, undefined, { address: "", port: 0, family: "IPv4" }],
  ])("writes %s as people do", (address, port, family, expected) => {
    expect(socketAddress(address, port, family)).toEqual(expected);
  });
});
