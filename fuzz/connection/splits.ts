/**
 * `split`: a network may cut the octets of a connection anywhere, and what is understood and answered is the same (RFC 9112 §2.2,
 * §9.3.2): the same exchanges, contents, refusals, and the same octets of answers but for 100 (Continue), which may be omitted
 * where content has come already (RFC 9110 §10.1.1).
 *
 * Held for scripts without time and without handlers that look at how content comes in pieces: {@link stillOf} makes one of any.
 */

import { ProtocolError } from "../../src/http/errors.ts";
import { membersOf, readResponses } from "../../test/support/wire-responses.ts";
import { judge } from "./judge.ts";
import { play, type Played } from "./play.ts";
import { type Act, octetsOf, type Script, type Step } from "./script.ts";

/** Octets up to which a script is also played octet by octet; above in pieces of {@link LONG_PIECE_BYTES}. */
const MAX_SINGLY_BYTES = 700;
const LONG_PIECE_BYTES = 61;

/** The script without what depends on time, on other ends than the last, or on how much has come yet. */
function stillOf(script: Script): Script {
  return {
    ...script,
    // Unread content is drained whole: whether what is left of it fits a bound depends on how much has come
    limits: { ...script.limits, maxDrainBytes: 1 << 20 },
    timeouts: {},
    markBytes: 1 << 20,
    isEager: true,
    flushesLate: false,
    plans: script.plans.map(stillPlan),
    steps: script.steps.filter(({ step }) => step === "send"),
    ending: "fin",
    endsAtOnce: false,
  };
}

/** Behind its answer a handler would race with the peer. */
function stillPlan(acts: readonly Act[]): Act[] {
  const still = acts.filter(isStill);
  const answer = still.findIndex(({ act }) => act === "answer");
  return answer === -1 ? still : still.slice(0, answer + 1);
}

function isStill(act: Act): boolean {
  if (act.act === "read") return act.how === "all";
  if (act.act === "upgrade") return act.after !== "slow" && act.after !== "late";
  return ["answer", "inform", "throw", "abort", "refuse", "limit"].includes(act.act);
}

/** What does not hold: of any of the splits, or between them. */
export async function judgeSplits(script: Script): Promise<string[]> {
  const still = stillOf(script);
  const length = octetsOf(script.messages).reduce((sum, { length: octets }) => sum + octets, 0);
  const whole = await play({ ...still, steps: [{ step: "send", bytes: length }] });
  const broken = judge(whole);
  const expected = log(whole);
  judgePersistence(whole, broken);
  const size = length > MAX_SINGLY_BYTES ? LONG_PIECE_BYTES : 1;
  const singly: Step[] = [];
  for (let at = 0; at < length; at += size) singly.push({ step: "send", bytes: size });
  const rest: Step = { step: "send", bytes: length };
  for (const steps of [singly, [...still.steps, rest]]) {
    const played = await play({ ...still, steps });
    broken.push(...judge(played));
    judgePersistence(played, broken);
    const difference = log(played).findIndex((line, index) => line !== expected[index]);
    if (difference === -1 && log(played).length === expected.length) continue;
    broken.push(
      `split: in ${steps.length} pieces ${show(log(played)[difference])} for ${show(expected[difference])} in one`,
    );
  }
  return broken;
}

/** RFC 9112 §9.6: whoever closes behind a response says so in it; and whoever says so does it. */
function judgePersistence(played: Played, broken: string[]): void {
  const { script, seen, refusals, isOpenAtRest, output } = played;
  if (script.messages.some(({ sound }) => sound === null) || refusals.length > 0) return;
  const last = seen.at(-1);
  if (last === undefined || last.outcomeAtRest !== "complete") return;
  const methods = seen.map(({ exchange }) => exchange.request.method);
  const response = readResponses(output, methods, true).responses.at(-1);
  const saysClose = response !== undefined && membersOf(response, "connection").includes("close");
  if (saysClose === isOpenAtRest)
    broken.push(
      `persistence: the last response ${saysClose ? "says close, and nobody does" : "does not say that we close"}`,
    );
}

function show(line: string | undefined): string {
  if (line === undefined) return "nothing";
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

function log(played: Played): string[] {
  const { seen, refusals, output, peer, script } = played;
  const lines = seen.map(({ exchange, content, trailers, failure, outcomes }) =>
    [
      exchange.request.method,
      exchange.request.target,
      Buffer.concat(content).toString("latin1"),
      trailers === null ? "" : JSON.stringify([...trailers]),
      failure instanceof ProtocolError ? failure.code : String(failure),
      exchange.status,
      outcomes.join(),
    ].join(" "),
  );
  for (const { error } of refusals) lines.push(`refused ${error.code} at ${error.offset}`);
  lines.push(peer.isAborted ? "aborted" : "ended");
  // The server's own answers to failures have ids, which count up
  if (script.face === "bare") lines.push(output.toString("latin1").replaceAll(CONTINUE, ""));
  else {
    const methods = seen.map(({ exchange }) => exchange.request.method);
    for (const response of readResponses(output, methods, true).responses) {
      const fields = response.fields.filter(([name]) => name !== "Content-Length").map((field) => field.join(": "));
      const text = response.content.toString("latin1").replace(/\bid(?:":"|\s+)[\w-]+/g, "");
      if (response.status >= 200) lines.push(`${response.status} ${fields.join(", ")} ${text}`);
    }
  }
  return lines;
}
