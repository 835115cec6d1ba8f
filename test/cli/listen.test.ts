import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { layer } from "../../src/cli/config-layers.ts";
import { listen } from "../../src/cli/listen.ts";
import type { Listening } from "../../src/cli/listen.ts";
import { readSettings } from "../../src/cli/settings.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { Response } from "../../src/web/response.ts";

const HAS_IPV6 = Object.values(networkInterfaces()).some((one) => one?.some(({ address }) => address === "::1"));

let listening: Listening | null = null;

afterEach(async () => {
  await Promise.all((listening?.servers ?? []).map((server) => server.close()));
  listening = null;
});

async function listenOn(...args: string[]): Promise<string[]> {
  const settings = readSettings(layer(readUsage(args).flags, {}, null), false);
  listening = await listen(settings, () => new Response("here"), {});
  return listening.servers.map((server) => server.url.href);
}

describe.runIf(HAS_IPV6)("localhost", () => {
  it.each([[["--host", "localhost", "-p", "0"]], [["-l", "tcp://localhost:0"]]])(
    "is both families, on one port: %j",
    async (args) => {
      const urls = await listenOn(...args);
      const port = new URL(urls[0] ?? "").port;
      expect(urls).toEqual([`http://127.0.0.1:${port}/`, `http://[::1]:${port}/`]);
      for (const url of urls) expect(await (await fetch(url)).text()).toBe("here");
    },
  );
});

it("an address is that address alone", async () => {
  expect(await listenOn("--host", "127.0.0.1", "-p", "0")).toEqual([
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
  ]);
});
