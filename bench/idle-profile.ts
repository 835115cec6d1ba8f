/**
 * The profile of memory: what a server keeps for each connection that is open and asks nothing.
 *
 * Each connection makes one request first, because that is when servers allocate what they keep. Resident memory of the whole
 * tree is weighed before and after.
 */
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openAsker } from "./answer.ts";
import type { Subject } from "./process.ts";
import type { Profile, Round, RoundSettings } from "./profile.ts";
import { targetOf } from "./targets.ts";

const CONNECTIONS = 5_000;
const WARM_REQUESTS = 5_000;
const AT_A_TIME = 50;
/** The collector works on beside; the same for every subject. */
const SETTLE_MS = 2_000;

async function weigh(subject: Subject, settings: RoundSettings): Promise<Round> {
  const connections = settings.connections ?? CONNECTIONS;
  const warm = await openAsker(subject.port);
  for (let i = 0; i < WARM_REQUESTS; i++) await warm.ask();
  const before = subject.residentBytes();
  const sockets: Socket[] = [];
  for (let opened = 0; opened < connections; opened += AT_A_TIME) {
    const some = Math.min(AT_A_TIME, connections - opened);
    const askers = await Promise.all(Array.from({ length: some }, () => openAsker(subject.port)));
    await Promise.all(askers.map((asker) => asker.ask()));
    sockets.push(...askers.map((asker) => asker.socket));
  }
  await sleep(SETTLE_MS);
  const after = subject.residentBytes();
  const lost = sockets.filter((socket) => socket.destroyed).length;
  for (const socket of [...sockets, warm.socket]) socket.destroy();
  if (lost > 0) throw new Error(`${subject.label}: ${lost} connections were closed before they were weighed`);
  return {
    figures: {
      "KiB/connection": (after - before) / 1024 / connections,
      "RSS MiB": after / 2 ** 20,
      "peak MiB": subject.peakResidentBytes() / 2 ** 20,
    },
    percentiles: [],
    busy: null,
  };
}

export const IDLE_PROFILE: Profile = {
  name: "idle",
  about: `resident memory per idle keep-alive connection that has made one request, of ${CONNECTIONS}`,
  family: "plain",
  figures: [
    { name: "KiB/connection", digits: 2, better: "less" },
    { name: "RSS MiB", digits: 1, better: "less" },
    { name: "peak MiB", digits: 1, better: "less" },
  ],
  reference: "node-http",
  ours: ["fairlead"],
  peers: [],
  target: targetOf("idle"),
  tools: [],
  isSaturating: false,
  run: weigh,
};
