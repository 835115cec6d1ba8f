/**
 * Makes a failing script short: leaves out and simplifies what it can as long as the same invariant breaks in the same words.
 */

import type { Act, Message, Script, Step } from "./script.ts";

/** What broke, without its numbers; `""` for nothing. */
export type FailureOf = (script: Script) => Promise<string>;

/** Plays at most. */
const MAX_TRIES = 4000;

/** The shortest script that was found to fail as `script` does. */
export async function shrink(script: Script, failureOf: FailureOf): Promise<Script> {
  const failure = await failureOf(script);
  let best = script;
  let tries = 0;
  for (let hasShrunk = true; hasShrunk && tries < MAX_TRIES;) {
    hasShrunk = false;
    for (const candidate of simplerThan(best)) {
      if (++tries > MAX_TRIES) break;
      if ((await failureOf(candidate)) !== failure) continue;
      best = candidate;
      hasShrunk = true;
      break;
    }
  }
  return best;
}

/** Simpler ones, the boldest first. */
function* simplerThan(script: Script): IterableIterator<Script> {
  const { messages, plans, steps } = script;
  for (const fewer of without(messages)) yield { ...script, messages: fewer };
  for (const fewer of without(plans)) if (fewer.length > 0) yield { ...script, plans: fewer };
  const sends = steps.filter(({ step }) => step === "send");
  if (sends.length > 1) {
    const all: Step = {
      step: "send",
      bytes: sends.reduce((sum, step) => sum + (step.step === "send" ? step.bytes : 0), 0),
    };
    yield { ...script, steps: [all, ...steps.filter(({ step }) => step !== "send")] };
  }
  for (const fewer of without(steps)) yield { ...script, steps: fewer };
  for (const merged of mergedSends(steps)) yield { ...script, steps: merged };
  for (const name of Object.keys(script.limits)) yield { ...script, limits: omit(script.limits, name) };
  for (const name of Object.keys(script.timeouts)) yield { ...script, timeouts: omit(script.timeouts, name) };
  if (script.face !== "bare") yield { ...script, face: "bare" };
  if (script.face === "server") yield { ...script, face: "web" };
  if (script.hooks === "failing") yield { ...script, hooks: "looking" };
  if (script.trust !== undefined && script.trust !== "") yield { ...script, trust: "" };
  if (script.isLenient) yield { ...script, isLenient: false };
  if (script.isEncrypted) yield { ...script, isEncrypted: false };
  if (script.sweepMs > 0) yield { ...script, sweepMs: 0 };
  if (!script.isEager) yield { ...script, isEager: true };
  if (script.flushesLate) yield { ...script, flushesLate: false };
  if (script.markBytes !== 65_536) yield { ...script, markBytes: 65_536 };
  if (script.endsAtOnce) yield { ...script, endsAtOnce: false };
  if (script.ending !== "silence") yield { ...script, ending: "silence" };
  for (const [at, acts] of plans.entries()) {
    for (const fewer of without(acts)) yield { ...script, plans: plans.with(at, fewer) };
    for (const [index, act] of acts.entries()) {
      for (const simpler of simplerActs(act)) yield { ...script, plans: plans.with(at, acts.with(index, simpler)) };
    }
  }
  for (const [at, message] of messages.entries()) {
    for (const simpler of simplerMessages(message)) yield { ...script, messages: messages.with(at, simpler) };
  }
  for (const [at, step] of steps.entries()) {
    if (step.step === "wait" && step.ms > 1) yield { ...script, steps: steps.with(at, { ...step, ms: step.ms >> 1 }) };
  }
}

/** Without halves, quarters, and each one. */
function* without<Item>(items: readonly Item[]): IterableIterator<Item[]> {
  for (let size = items.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < items.length; at += size) yield items.toSpliced(at, size);
  }
}

function* mergedSends(steps: readonly Step[]): IterableIterator<Step[]> {
  for (const [at, step] of steps.entries()) {
    const next = steps[at + 1];
    if (step.step !== "send" || next?.step !== "send") continue;
    yield steps.toSpliced(at, 2, { step: "send", bytes: step.bytes + next.bytes });
  }
}

function omit<Value extends object>(value: Value, name: string): Value {
  return Object.fromEntries(Object.entries(value).filter(([known]) => known !== name)) as Value;
}

function* simplerActs(act: Act): IterableIterator<Act> {
  if ((act.act === "wait" || act.act === "waitUntil") && act.ms > 0) yield { ...act, ms: act.ms >> 1 };
  if (act.act === "read") {
    if (act.how !== "all") yield { ...act, how: "all" };
    if (act.bytes > 0) yield { ...act, bytes: 0 };
    if (act.ms > 0) yield { ...act, ms: 0 };
  }
  if (act.act === "upgrade") {
    if (act.after !== "echo") yield { ...act, after: "echo" };
    if ((act.ms ?? 0) > 0) yield { ...act, ms: (act.ms ?? 0) >> 1 };
  }
  if (act.act !== "answer") return;
  if (act.as !== "text") yield { ...act, as: "text" };
  if (act.status !== 200) yield { ...act, status: 200 };
  if (act.declared !== null) yield { ...act, declared: null };
  if (act.gapMs > 0) yield { ...act, gapMs: 0 };
  if (act.failsAt !== -1) yield { ...act, failsAt: -1 };
  if (act.isShared) yield { ...act, isShared: false };
  if (act.trailers) yield { ...act, trailers: false };
  if (act.fields.length > 0) yield { ...act, fields: [] };
  for (const sizes of without(act.sizes)) yield { ...act, sizes };
  for (const [at, size] of act.sizes.entries()) if (size > 1) yield { ...act, sizes: act.sizes.with(at, size >> 1) };
}

/** Field lines that are not needed; of a hostile message anything. */
function* simplerMessages({ parts, tag, sound }: Message): IterableIterator<Message> {
  const [head] = parts;
  if (typeof head === "string") {
    const lines = head.split("\r\n");
    for (let at = 1; at < lines.length - 2; at++) {
      if (sound !== null && /^(?:host|content-length|transfer-encoding|x-tag)/i.test(lines[at] ?? "")) continue;
      yield { parts: parts.with(0, lines.toSpliced(at, 1).join("\r\n")), tag, sound };
    }
  }
  if (sound !== null) return;
  for (const fewer of without(parts)) yield { parts: fewer, tag, sound };
  for (const [at, part] of parts.entries()) {
    if (typeof part === "number") {
      if (part > 0) yield { parts: parts.with(at, part >> 1), tag, sound };
      continue;
    }
    for (let from = 0; from < part.length && part.length < 200; from++) {
      yield { parts: parts.with(at, part.slice(0, from) + part.slice(from + 1)), tag, sound };
    }
  }
}
