/** The shorter way to listen on an IPv4 address ends as the longer one does, and is taken where it may be. */
import dns from "node:dns";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bindIpv4 } from "../../src/server/bound-handle.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  vi.restoreAllMocks();
});

async function listen(hostname: string, port: number): Promise<AddressInfo> {
  const server = createServer((socket) => socket.end("hi"));
  servers.push(server);
  server.listen(bindIpv4(hostname, port, false), 511);
  await once(server, "listening");
  return server.address() as AddressInfo;
}

describe("an IPv4 address", () => {
  it("is listened on without being looked up", async () => {
    const lookup = vi.spyOn(dns, "lookup");
    const { address, family, port } = await listen("127.0.0.1", 0);
    expect([address, family, lookup.mock.calls.length]).toEqual(["127.0.0.1", "IPv4", 0]);
    const [text] = (await once(connect(port, "127.0.0.1"), "data")) as [Buffer];
    expect(text.toString()).toBe("hi");
  });

  it("that is in use is told by listening, as always", async () => {
    const { port } = await listen("127.0.0.1", 0);
    await expect(listen("127.0.0.1", port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("it is left to Node", () => {
  it.each(["localhost", "::1", "1.2.3", "127.1", "", "192.0.2.1", "999.1.1.1"])("where the host is %j", (hostname) => {
    expect(bindIpv4(hostname, 0, false)).toBe(null);
  });

  it("in a process that another one has forked: its sockets may be the other's", () => {
    expect(bindIpv4("127.0.0.1", 0, true)).toBe(null);
  });
});
