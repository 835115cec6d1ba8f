/**
 * The profiles: what is asked of a subject, and what is measured in one round.
 *
 * Load profiles drive wrk on the other core and steer by server CPU per request, because throughput on a shared machine
 * measures the load generator too. The idle profile opens connections, lets each make one request, and weighs the server.
 */
import { type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openAsker } from "./answer.ts";
import { type Subject } from "./process.ts";
import { STARTUP_PROFILE } from "./startup-profile.ts";
import { APP_PROFILES, runApp } from "./app-profiles.ts";
import { openTree, runStatic, STATIC_PROFILES } from "./static-profiles.ts";
import { openTlsTree, runTls, TLS_PROFILES } from "./tls-profiles.ts";
import { figuresOf, wrk } from "./wrk.ts";

/** One round's figures by name; the first of a profile's `figures` is the one to steer by. */
export type Round = Readonly<Record<string, number>>;

interface Settings {
  readonly seconds: number;
  readonly connections: number;
  readonly loadCore: number;
}

export interface Profile {
  readonly about: string;
  /** Name of a figure and digits behind the point. Less is better, unless the name ends in `/s`. */
  readonly figures: ReadonlyArray<readonly [string, number]>;
  readonly needsWrk: boolean;
  /** Subject that the others are compared with, and all that take part. */
  readonly reference: string;
  readonly subjects: readonly string[];
  /** Called once before the subjects start; gives what undoes it. */
  prepare?(): () => void;
  /** What it needs besides, and does not find. */
  missing?(): string[];
  /** One round with a subject that runs. */
  run?(subject: Subject, settings: Settings): Promise<Round>;
  /** In its place: one round that starts the subject itself. */
  start?(name: string, core: number): Promise<Round>;
}

const LOAD_FIGURES = [
  ["CPU us/req", 2],
  ["req/s", 0],
  ["p50 us", 0],
  ["p99 us", 0],
  ["RSS MiB", 1],
] as const;

export const PROFILES: Readonly<Record<string, Profile>> = {
  plaintext: loadProfile("GET / with a small head on keep-alive connections", 1, "small"),
  fields: loadProfile("GET / with the ten fields of a browser's head", 1, "ten"),
  pipelined: loadProfile("GET / sixteen at a time on each connection", 16, "small"),
  idle: {
    about: "resident memory per idle keep-alive connection that has made one request",
    figures: [
      ["KiB/connection", 2],
      ["RSS MiB", 1],
    ],
    needsWrk: false,
    reference: "node-http",
    subjects: ["fairlead", "node-http"],
    run: weighIdle,
  },
  startup: STARTUP_PROFILE,
  ...staticProfiles(),
  ...appProfiles(),
  ...tlsProfiles(),
};

function tlsProfiles(): Record<string, Profile> {
  let tree: ReturnType<typeof openTlsTree> | null = null;
  const profiles: Record<string, Profile> = {};
  for (const [name, { about, reference, subjects }] of TLS_PROFILES) {
    profiles[name] = {
      about,
      figures: LOAD_FIGURES,
      needsWrk: true,
      reference,
      subjects,
      prepare: () => {
        tree = openTlsTree();
        return () => tree?.remove();
      },
      run: (subject, settings) => {
        if (tree === null) throw new Error("the profile was not prepared");
        return runTls(name, subject, tree, settings);
      },
    };
  }
  return profiles;
}

function appProfiles(): Record<string, Profile> {
  const profiles: Record<string, Profile> = {};
  for (const [name, { about, reference, subjects, ...rest }] of Object.entries(APP_PROFILES)) {
    const run = (subject: Subject, settings: Settings): Promise<Round> =>
      runApp({ about, reference, subjects, ...rest }, subject, settings);
    profiles[name] = { about, figures: LOAD_FIGURES, needsWrk: true, reference, subjects, run };
  }
  return profiles;
}

/** The folder is made when the first of them runs. */
function staticProfiles(): Record<string, Profile> {
  let tree: ReturnType<typeof openTree> | null = null;
  const profiles: Record<string, Profile> = {};
  for (const [name, about] of STATIC_PROFILES) {
    profiles[name] = {
      about,
      figures: LOAD_FIGURES,
      needsWrk: true,
      reference: "nginx-static",
      subjects: ["fairlead-static", "nginx-static"],
      prepare: () => {
        tree = openTree();
        return () => tree?.remove();
      },
      run: (subject, settings) => {
        if (tree === null) throw new Error("the profile was not prepared");
        return runStatic(name, subject, tree, settings);
      },
    };
  }
  return profiles;
}

function loadProfile(about: string, depth: number, head: string): Profile {
  return {
    about,
    figures: LOAD_FIGURES,
    needsWrk: true,
    reference: "node-http",
    subjects: ["fairlead", "node-http"],
    run: (subject, settings) => load(subject, settings, depth, head),
  };
}

async function load(subject: Subject, settings: Settings, depth: number, head: string): Promise<Round> {
  const asker = await openAsker(subject.port);
  await asker.ask();
  const lines = head === "ten" ? BROWSER_LINES : "";
  const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines}\r\n`.repeat(depth);
  const question = { requests: [request], status: 200, connections: settings.connections };
  await wrk(subject, question, Math.max(1, settings.seconds / 3), settings.loadCore);
  const cpuBefore = subject.cpuUs();
  const running = { is: true };
  const loading = wrk(subject, question, settings.seconds, settings.loadCore).finally(() => {
    running.is = false;
  });
  const [result] = await Promise.all([loading, checkWhile(running, asker.ask)]);
  const round = figuresOf(result, subject.cpuUs() - cpuBefore, subject.residentBytes());
  asker.socket.destroy();
  return round;
}

/** The fields of a browser's head, as it sends them. */
const BROWSER_LINES = [
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Cache-Control: no-cache",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1",
  "Referer: http://127.0.0.1/index.html",
  "Sec-Fetch-Mode: navigate",
  "Upgrade-Insecure-Requests: 1",
  "",
].join("\r\n");

async function checkWhile(running: { is: boolean }, ask: () => Promise<void>): Promise<void> {
  while (running.is) {
    await ask();
    await sleep(100);
  }
}

async function weighIdle(subject: Subject, settings: Settings): Promise<Round> {
  const warm = await openAsker(subject.port);
  for (let i = 0; i < 5_000; i++) await warm.ask();
  const before = subject.residentBytes();
  const sockets: Socket[] = [];
  for (let opened = 0; opened < settings.connections; opened += 50) {
    const some = Math.min(50, settings.connections - opened);
    const askers = await Promise.all(Array.from({ length: some }, () => openAsker(subject.port)));
    await Promise.all(askers.map((asker) => asker.ask()));
    sockets.push(...askers.map((asker) => asker.socket));
  }
  // Let the collector's concurrent work settle; the same for every subject
  await sleep(2_000);
  const after = subject.residentBytes();
  const lost = sockets.filter((socket) => socket.destroyed).length;
  for (const socket of [...sockets, warm.socket]) socket.destroy();
  if (lost > 0) throw new Error(`${subject.name}: ${lost} connections were closed before they were weighed`);
  return { "KiB/connection": (after - before) / 1024 / settings.connections, "RSS MiB": after / 2 ** 20 };
}
