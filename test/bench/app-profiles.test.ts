/** What the profiles of apps look at: the question of the load itself, not another one that is like it. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Subject } from "../../bench/process.ts";
import { findProfiles } from "../../bench/profiles.ts";

/** Counts octets, in chunks one more than there are. */
const server = createServer((request, response) => {
  let octets = request.headers["transfer-encoding"] === "chunked" ? 1 : 0;
  request.on("data", (piece: Buffer) => (octets += piece.length));
  request.on("end", () => response.setHeader("Content-Type", "text/plain").end(String(octets)));
});
beforeAll(() => once(server.listen(0, "127.0.0.1"), "listening"));
afterAll(() => server.closeAllConnections());

function run(name: string): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  const clocks = { wallMs: 0, subject: { userUs: 0, systemUs: 0 }, ownUs: 0, machine: [] };
  const subject: Subject = {
    label: "miscounts",
    port,
    clocks: () => clocks,
    residentBytes: () => 0,
    peakResidentBytes: () => 0,
    stop: () => Promise.resolve(),
  };
  const [profile] = findProfiles([name]);
  const settings = { seconds: 1, connections: 1, load: "wrk", subjectCore: 0, loadCore: 0 } as const;
  return profile?.run?.(subject, settings) ?? Promise.reject(new Error("no such profile"));
}

describe("an upload in chunks", () => {
  it("is looked at in chunks too: who counts their octets wrongly is put out before there is a load", async () => {
    await expect(run("upload-chunked")).rejects.toThrow('200, "20971521" is not 20971520');
  });
});
