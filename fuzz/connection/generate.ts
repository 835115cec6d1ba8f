/**
 * Draws scripts: messages, plans of handlers, and steps, in the proportions of a {@link Weights}.
 *
 * The same seed and weights give the same script.
 */

import type { WireLimits, WireTimeouts } from "../../src/http1/limits.ts";
import { Random } from "../random.ts";
import { drawMessage, drawSize } from "./messages.ts";
import { type Act, type AnswerAct, type Message, octetsOf, type Script, type Step } from "./script.ts";

/** Which kind of script is drawn how often. */
export interface Weights {
  readonly name: string;
  readonly faces: ReadonlyArray<Script["face"]>;
  /** Most messages on a connection. */
  readonly maxMessages: number;
  /** Once in so many there may be as many; else there are few. */
  readonly longIn: number;
  /** Once in so many the peer reads only as its steps say. */
  readonly slowIn: number;
  /** Octets of a piece of an answer, and pieces. */
  readonly maxAnswerBytes: number;
  readonly maxPieces: number;
  /** Once in so many a message is hostile; 0: never. */
  readonly hostileIn: number;
  readonly maxContentBytes: number;
  /** Once in so many a plan is more than reading and answering; 0: never. */
  readonly wildIn: number;
  /** Once in so many the peer or the server does something between two chunks; 0: never. */
  readonly eventIn: number;
  /** Once in so many limits and times are small; 0: never. */
  readonly smallIn: number;
  /** Once in so many a message asks for an upgrade, and a plan is nothing but that; 0: as messages and plans come. */
  readonly upgradeIn: number;
}

/** Taken one after the other, so that a run of seeds has all of them. */
export const WEIGHTS: readonly Weights[] = [
  {
    name: "pipelines",
    faces: ["bare"],
    maxMessages: 50,
    longIn: 3,
    slowIn: 5,
    maxAnswerBytes: 60,
    maxPieces: 2,
    hostileIn: 40,
    maxContentBytes: 60,
    wildIn: 8,
    eventIn: 12,
    smallIn: 6,
    upgradeIn: 0,
  },
  {
    name: "handlers",
    faces: ["bare"],
    maxMessages: 5,
    longIn: 4,
    slowIn: 5,
    maxAnswerBytes: 3000,
    maxPieces: 4,
    hostileIn: 10,
    maxContentBytes: 3000,
    wildIn: 1,
    eventIn: 8,
    smallIn: 4,
    upgradeIn: 0,
  },
  {
    name: "fetch",
    faces: ["web", "server"],
    maxMessages: 5,
    longIn: 4,
    slowIn: 5,
    maxAnswerBytes: 3000,
    maxPieces: 4,
    hostileIn: 12,
    maxContentBytes: 3000,
    wildIn: 2,
    eventIn: 8,
    smallIn: 4,
    upgradeIn: 0,
  },
  {
    name: "hostile",
    faces: ["bare", "bare", "web"],
    maxMessages: 4,
    longIn: 4,
    slowIn: 5,
    maxAnswerBytes: 300,
    maxPieces: 3,
    hostileIn: 2,
    maxContentBytes: 300,
    wildIn: 4,
    eventIn: 0,
    smallIn: 3,
    upgradeIn: 0,
  },
  {
    name: "slow peers",
    faces: ["bare", "server"],
    maxMessages: 6,
    longIn: 4,
    slowIn: 2,
    maxAnswerBytes: 80000,
    maxPieces: 4,
    hostileIn: 15,
    maxContentBytes: 300_000,
    wildIn: 3,
    eventIn: 2,
    smallIn: 2,
    upgradeIn: 0,
  },
  {
    name: "floods",
    faces: ["bare", "bare", "web"],
    maxMessages: 40,
    longIn: 1,
    slowIn: 1,
    maxAnswerBytes: 12_000,
    maxPieces: 16,
    hostileIn: 0,
    maxContentBytes: 200,
    wildIn: 3,
    eventIn: 6,
    smallIn: 0,
    upgradeIn: 0,
  },
  {
    name: "tunnels",
    faces: ["bare", "web", "server"],
    maxMessages: 12,
    longIn: 3,
    slowIn: 2,
    maxAnswerBytes: 300,
    maxPieces: 2,
    hostileIn: 30,
    maxContentBytes: 20_000,
    wildIn: 3,
    eventIn: 4,
    smallIn: 6,
    upgradeIn: 2,
  },
];

/** The script of a seed. */
export function drawScript(seed: number): Script {
  return drawScriptWith(new Random(seed), WEIGHTS[Math.abs(seed) % WEIGHTS.length] as Weights);
}

/** A script in the given proportions. */
export function drawScriptWith(random: Random, weights: Weights): Script {
  const face = random.pick(weights.faces);
  const count = random.once(weights.longIn) ? random.below(weights.maxMessages + 1) : 1 + random.below(4);
  const messages: Message[] = [];
  for (let index = 0; index < count; index++) {
    messages.push(drawMessage(random, index, weights));
  }
  const isSmall = weights.smallIn > 0 && random.once(weights.smallIn);
  return {
    face,
    limits: isSmall ? drawLimits(random) : {},
    timeouts: isSmall ? drawTimeouts(random) : {},
    hooks: random.once(3) ? "failing" : "looking",
    trust: random.pick(["", "x-forwarded", "forwarded"]),
    isLenient: random.once(10),
    isEncrypted: random.once(10),
    sweepMs: random.once(4) ? 500 : 0,
    markBytes: random.pick([1, 100, 1024, 16_384, 16_384, 65_536]),
    isEager: !random.once(weights.slowIn),
    flushesLate: random.once(4),
    messages,
    plans: Array.from({ length: Math.max(1, Math.min(count, 8)) }, () => drawPlan(random, weights)),
    steps: drawSteps(random, messages, weights),
    ending: random.pick(["silence", "silence", "fin", "fin", "reset", "cut"]),
    endsAtOnce: random.once(3),
  };
}

function drawLimits(random: Random): Partial<WireLimits> {
  const limits: Partial<Record<keyof WireLimits, number>> = {};
  if (random.once(3)) limits.maxHeadBytes = random.pick([64, 100, 200, 400]);
  if (random.once(3)) limits.maxFields = random.pick([1, 2, 3, 5]);
  if (random.once(4)) limits.maxTargetBytes = random.pick([1, 8, 30, 100]);
  if (random.once(2)) limits.maxContentBytes = random.pick([0, 1, 10, 100, 1000]);
  if (random.once(3)) limits.maxChunkLineBytes = random.pick([1, 2, 8, 20]);
  if (random.once(3)) limits.maxTrailerBytes = random.pick([0, 5, 20]);
  if (random.once(3)) limits.maxRequestsPerConnection = random.pick([1, 2, 3, 10]);
  if (random.once(2)) limits.maxDrainBytes = random.pick([0, 1, 10, 500]);
  return limits;
}

function drawTimeouts(random: Random): Partial<WireTimeouts> {
  const timeouts: Partial<Record<keyof WireTimeouts, number>> = {};
  if (random.once(3)) timeouts.headMs = random.pick([1, 100, 1000]);
  if (random.once(3)) timeouts.keepAliveMs = random.pick([1, 100, 1000]);
  if (random.once(3)) timeouts.minContentRate = random.pick([1, 1000, 100_000]);
  if (random.once(3)) timeouts.contentGraceMs = random.pick([1, 50, 500]);
  if (random.once(3)) timeouts.handlerMs = random.pick([1, 50, 500]);
  if (random.once(3)) timeouts.lingerMs = random.pick([1, 100, 1000]);
  return timeouts;
}

const PAUSES = [0, 1, 10, 100, 1000, 4999, 10_000, 60_000];

function drawPlan(random: Random, weights: Weights): Act[] {
  if (weights.upgradeIn > 0 && random.once(weights.upgradeIn)) return [drawUpgrade(random)];
  if (weights.wildIn === 0 || !random.once(weights.wildIn)) return drawCalmPlan(random, weights);
  const acts: Act[] = [];
  for (let count = random.below(4); count > 0; count--) acts.push(drawAct(random, weights));
  // Most end with an answer, some with something else or nothing
  if (random.below(10) > 0) acts.push(drawAnswer(random, weights));
  if (random.once(6)) acts.push(drawAct(random, weights));
  return acts;
}

function drawCalmPlan(random: Random, weights: Weights): Act[] {
  const acts: Act[] = [];
  if (random.below(4) > 0) acts.push({ act: "read", how: "all", bytes: 0, ms: 0 });
  const sizes = drawSizes(random, weights, 1);
  const as = random.pick<AnswerAct["as"]>(["text", "text", "bytes", "none", "stream"]);
  acts.push({ ...PLAIN, as, sizes, isShared: random.once(10) });
  return acts;
}

const PLAIN: AnswerAct = {
  act: "answer",
  as: "text",
  status: 200,
  sizes: [2],
  declared: null,
  gapMs: 0,
  failsAt: -1,
  trailers: false,
  fields: [],
  isShared: false,
};

function drawAct(random: Random, weights: Weights): Act {
  switch (random.below(14)) {
    case 0:
    case 1:
      return { act: "wait", ms: random.pick(PAUSES) };
    case 2:
      return { act: "turn" };
    case 3:
    case 4:
    case 5:
    case 6:
      return {
        act: "read",
        how: random.pick(["all", "all", "slow", "part", "background", "throwing", "twice"]),
        bytes: drawSize(random, weights.maxContentBytes),
        ms: random.pick(PAUSES),
      };
    case 7:
      return { act: "cancel" };
    case 8:
      return { act: "inform", status: random.pick([103, 103, 102, 100, 199, 101, 200, 99]) };
    case 9:
      return drawUpgrade(random);
    case 10:
      return { act: "limit", bytes: random.pick([0, 1, 100, 10_000, 1_000_000]) };
    case 11:
      return random.pick<Act>([
        { act: "throw", what: "error" },
        { act: "throw", what: "http" },
        { act: "throw", what: "nothing" },
        { act: "throw", what: "protocol" },
        { act: "abort" },
        { act: "refuse" },
      ]);
    case 12:
      return { act: "waitUntil", ms: random.pick(PAUSES), fails: random.once(2) };
    default:
      return drawAnswer(random, weights);
  }
}

function drawUpgrade(random: Random): Act {
  const after = random.pick(["echo", "echo", "end", "destroy", "ignore", "slow", "slow", "late"] as const);
  return { act: "upgrade", after, ms: random.pick(PAUSES) };
}

function drawSizes(random: Random, weights: Weights, atLeast: number): number[] {
  const length = atLeast + random.below(weights.maxPieces + 1 - atLeast);
  // Some are large in all their pieces: more than may be queued
  if (random.once(6)) return Array.from({ length }, () => weights.maxAnswerBytes);
  return Array.from({ length }, () => drawSize(random, weights.maxAnswerBytes));
}

function drawAnswer(random: Random, weights: Weights): AnswerAct {
  const as = random.pick<AnswerAct["as"]>([
    "none",
    "text",
    "text",
    "utf8",
    "bytes",
    "iterable",
    "iterable",
    "stream",
    "stream",
    "native",
    "file",
    "wrong",
  ]);
  const sizes = drawSizes(random, weights, 0);
  return {
    act: "answer",
    as,
    status: random.pick([200, 200, 200, 200, 204, 205, 206, 304, 404, 500, 599, 199, 600]),
    sizes,
    declared: random.once(3) ? random.pick([0, 0, 0, 1, -1, 100]) : null,
    gapMs: random.once(3) ? random.pick(PAUSES) : 0,
    failsAt: random.once(5) ? random.below(sizes.length + 1) : -1,
    trailers: random.once(4),
    fields: random.once(4)
      ? random.pick([
          ["Connection", "close"],
          ["Transfer-Encoding", "chunked"],
          ["Content-Type", "text/plain"],
          ["X-Split", "a\r\nX-Evil: 1"],
          ["X Y", "z"],
          ["Upgrade", "echo"],
          ["Keep-Alive", "timeout=9"],
          ["Date", "Sat, 21 Nov 2026 08:00:00 GMT"],
          ["Content-Length", "x"],
        ])
      : [],
    isShared: random.once(5),
  };
}

/** Splits of all octets, with events between. */
function drawSteps(random: Random, messages: readonly Message[], weights: Weights): Step[] {
  const octets = octetsOf(messages).map((message) => message.length);
  let left = octets.reduce((sum, length) => sum + length, 0);
  const steps: Step[] = [];
  const style = random.below(4);
  // Silence at any position
  if (weights.eventIn > 0 && random.once(2 * weights.eventIn)) left = random.below(left + 1);
  let hasEnded = false;
  while (left > 0 && steps.length < 400 && !hasEnded) {
    const bytes = Math.min(left, drawPiece(random, style, octets));
    steps.push({ step: "send", bytes });
    left -= bytes;
    if (weights.eventIn > 0 && random.once(weights.eventIn + (style === 1 ? 30 : 0)))
      hasEnded = addEvent(random, steps);
  }
  if (left > 0 && !hasEnded) steps.push({ step: "send", bytes: left });
  if (weights.eventIn > 0 && random.once(weights.eventIn)) addEvent(random, steps);
  return steps;
}

function drawPiece(random: Random, style: number, octets: readonly number[]): number {
  if (style === 0) return 65_536;
  if (style === 1) return 1 + random.below(3);
  if (style === 2) return random.pick(octets.length > 0 ? octets : [1]) || 1;
  return 1 + random.below(random.pick([10, 100, 1000, 20_000]));
}

/** Whether nothing more can be sent. */
function addEvent(random: Random, steps: Step[]): boolean {
  switch (random.below(12)) {
    case 0:
      steps.push({ step: "fin" });
      return true;
    case 1:
      steps.push({ step: "reset" });
      return true;
    case 2:
      steps.push({ step: "shutdown", lastCallMs: random.pick([0, 0, 100, 5000]) });
      return false;
    case 3:
      if (random.once(3)) steps.push({ step: "cut" });
      return false;
    case 4:
    case 5:
    case 6:
    case 7:
      steps.push({ step: "wait", ms: random.pick(PAUSES) });
      return false;
    default:
      steps.push({ step: "take", bytes: random.pick([1, 10, 100, 1000, 10_000, 1_000_000]) });
      return false;
  }
}
