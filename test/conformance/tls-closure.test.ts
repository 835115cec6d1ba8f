/** RFC 9112 §9.8: a server attempts to exchange closure alerts before it closes; openssl tells whether it has. */
import { spawn, spawnSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { startTls, authority, type TlsSetup } from "../server/support/tls-server.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)(`a connection that ends${hasOpenssl ? "" : " (openssl is not installed)"}`, () => {
  let setup: TlsSetup | undefined;
  afterEach(() => setup?.[Symbol.asyncDispose]());

  it.each(["tls1_2", "tls1_3"])("says that it closes before it does, over %s", async (version) => {
    const pair = await authority.issue({ names: ["a.test"] });
    setup = await startTls({ tls: pair });
    const client = spawn("openssl", [
      "s_client",
      "-connect",
      `127.0.0.1:${setup.server.port}`,
      "-servername",
      "a.test",
      `-${version}`,
      "-msg",
      "-ign_eof",
    ]);
    let said = "";
    client.stdout.on("data", (chunk: Buffer) => (said += String(chunk)));
    client.stdin.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => client.on("close", resolve));
    expect(said).toContain("HTTP/1.1 200 OK");
    expect(said.slice(said.indexOf("HTTP/1.1 200 OK"))).toMatch(/<<< .*Alert.*warning close_notify/);
  });
});
