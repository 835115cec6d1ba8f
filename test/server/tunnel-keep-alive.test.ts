import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import { until } from "./support/open-connections.ts";

const TABLE = "/proc/net/tcp";

/** Which timer runs on the server's end of a connection (proc(5), `tr`): 2 is that of keep-alive, 0 none. */
function timerOf(serverPort: number, clientPort: number): string {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const rows = readFileSync(TABLE, "utf8").split("\n");
  const row = rows.find(
    (line) =>
      line.includes(`:${hex(serverPort)} `) &&
      line.includes(`:${hex(clientPort)} `) &&
      isServers(line, hex(serverPort)),
  );
  return row?.trim().split(/\s+/)[5]?.slice(0, 2) ?? "";
}

function isServers(line: string, port: string): boolean {
  return line.trim().split(/\s+/)[1]?.endsWith(`:${port}`) === true;
}

describe.skipIf(!existsSync(TABLE))("TCP keep-alive", () => {
  it("watches over a connection that has been upgraded, and over no other", async () => {
    await using server = await serve({
      fetch: (request, context) => {
        if (!request.headers.has("upgrade")) return new Response("plain");
        context.upgrade();
        return undefined;
      },
      port: 0,
    });
    const client = connect(server.port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(client, "data");
    const { port } = client.address() as AddressInfo;
    expect(timerOf(server.port, port)).toMatch(/^0[01]$/);
    client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    const [head] = (await once(client, "data")) as [Buffer];
    expect(String(head)).toMatch(/^HTTP\/1\.1 101 /);
    // While something is to be sent again, that timer stands in front
    await until(() => timerOf(server.port, port) === "02");
    client.destroy();
    server.closeNow();
  });
});
