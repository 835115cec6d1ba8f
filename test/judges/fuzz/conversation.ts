/**
 * Conversations of hostile traffic: what is sent on one connection in which pieces, how its peer reads, and how it leaves.
 *
 * All octets are from the generators of fuzz/: scripts of connections with their splits, pauses and ends; heads that look like
 * requests; the cases of the wire, changed; values by the grammars of targets, put where the server's handlers look for them.
 * The same seed gives the same conversation. Nothing here opens a socket.
 */
import fc from "fast-check";
import { drawScript } from "../../../fuzz/connection/generate.ts";
import { octetsOf, type Script } from "../../../fuzz/connection/script.ts";
import { latin1, mutate } from "../../../fuzz/mutate.ts";
import type { Random } from "../../../fuzz/random.ts";
import type { FuzzTarget } from "../../../fuzz/target.ts";
import { conditionalTarget } from "../../../fuzz/targets/conditional.ts";
import { cookiesTarget } from "../../../fuzz/targets/cookies.ts";
import { forwardingTarget } from "../../../fuzz/targets/forwarding.ts";
import { multipartTarget } from "../../../fuzz/targets/multipart.ts";
import { negotiateTarget } from "../../../fuzz/targets/negotiate.ts";
import { rangeTarget } from "../../../fuzz/targets/range.ts";
import { requestTargetTarget } from "../../../fuzz/targets/request-target.ts";
import { staticPathTarget } from "../../../fuzz/targets/static-path.ts";
import { wireSeeds } from "../../../fuzz/wire-seeds.ts";
import { likeRequests } from "../../support/wire-arbitrary.ts";

/** What one peer does on one connection. */
export interface Conversation {
  readonly kind: string;
  /** Sent one after the other; a number is a pause in milliseconds. */
  readonly steps: ReadonlyArray<Buffer | number>;
  /** At once, with a pause behind each piece, or not at all. */
  readonly reading: "eager" | "slow" | "never";
  /** What comes behind the last step: our end at once, or when nothing more comes; a reset; or going away. */
  readonly ending: "fin" | "quiet" | "reset" | "destroy";
}

const MOST_PAUSE_MS = 200;
/** Values are drawn so many at once, which costs a tenth of drawing one by one. */
const DRAWN_AT_ONCE = 200;

/** Values of an arbitrary, one after the other, for ever. */
class Supply {
  readonly #arbitrary: fc.Arbitrary<Uint8Array>;
  #values: Uint8Array[] = [];

  constructor(arbitrary: fc.Arbitrary<Uint8Array>) {
    this.#arbitrary = arbitrary;
  }

  next(random: Random): Buffer {
    if (this.#values.length === 0)
      this.#values = fc.sample(this.#arbitrary, { numRuns: DRAWN_AT_ONCE, seed: random.next() });
    return Buffer.from(this.#values.pop() ?? []);
  }
}

const supplyOf = ({ arbitrary }: FuzzTarget): Supply => new Supply(arbitrary);
const heads = new Supply(likeRequests);
const ranges = supplyOf(rangeTarget);
const forms = supplyOf(multipartTarget);
const targets = supplyOf(requestTargetTarget);
const paths = supplyOf(staticPathTarget);
/** Of each its last line: what stands before is what the piece compares with. */
const FIELD_VALUES: ReadonlyArray<readonly [name: string, Supply]> = [
  ["Cookie", supplyOf(cookiesTarget)],
  ["X-Forwarded-For", supplyOf(forwardingTarget)],
  ["Forwarded", supplyOf(forwardingTarget)],
  ["If-None-Match", supplyOf(conditionalTarget)],
  ["If-Match", supplyOf(conditionalTarget)],
  ["Accept-Encoding", supplyOf(negotiateTarget)],
  ["Accept", supplyOf(negotiateTarget)],
  ["If-Modified-Since", supplyOf(conditionalTarget)],
  ["Range", ranges],
  ["Range", ranges],
  ["Range", ranges],
];

const FILES = ["/files/text.txt", "/files/film.bin", "/files/", "/files/page.html", "/parts", "/coded", "/files/gone"];
const WORDS = [
  "Host: a\r\n",
  "HTTP/1.1",
  "\r\n\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Content-Length: 5\r\n",
  "GET / ",
];

/** One line, so that it is a value; now and then as it is. */
function valueOf(bytes: Buffer, random: Random): string {
  const text = latin1(bytes);
  const last = text.slice(text.lastIndexOf("\n") + 1);
  return random.once(12) ? text : last.replaceAll(/[\r\n\0]/g, "");
}

function request(line: string, fields: readonly string[], content: Buffer | null): Buffer {
  const length = content === null ? [] : [`Content-Length: ${content.length}`];
  const head = [`${line} HTTP/1.1`, "Host: fuzz", ...fields, ...length].join("\r\n");
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), content ?? Buffer.alloc(0)]);
}

function drawFile(random: Random): Buffer {
  const fields: string[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const [name, supply] = random.pick(FIELD_VALUES);
    fields.push(`${name}: ${valueOf(supply.next(random), random)}`);
  }
  const path = random.once(3) ? `/files/${valueOf(paths.next(random), random)}` : random.pick(FILES);
  return request(`${random.once(5) ? "HEAD" : "GET"} ${path}`, fields, null);
}

function drawForm(random: Random): Buffer {
  const input = forms.next(random);
  const content = input.subarray(input.indexOf(0x0a) + 1);
  return request("POST /form", ["Content-Type: multipart/form-data; boundary=b"], content);
}

function drawContent(random: Random): Buffer {
  const json = JSON.stringify({ list: Array.from({ length: random.below(40) }, (_, id) => ({ id, word: "Œuvre ☃" })) });
  const sound = Buffer.from(json);
  const content = random.once(2) ? sound : mutate(sound, random, ["[[[[", "{", "\\u0000", "1e999"], sound);
  return request(`POST ${random.pick(["/json", "/digest", "/2"])}`, ["Content-Type: application/json"], content);
}

function drawTunnel(random: Random): Buffer {
  const sound = request("GET /tunnel", ["Connection: upgrade", "Upgrade: echo"], null);
  const bytes = Buffer.concat([sound, Buffer.alloc(random.below(50_000), "tunnelled ")]);
  return random.once(4) ? mutate(bytes.subarray(0, 400), random, WORDS, sound) : bytes;
}

/** Messages for the server's own handlers, pipelined. */
const OWN: ReadonlyArray<readonly [kind: string, draw: (random: Random) => Buffer]> = [
  ["files", drawFile],
  ["files", drawFile],
  ["forms", drawForm],
  ["content", drawContent],
  ["events", () => request("GET /events", ["Accept: text/event-stream"], null)],
  ["targets", (random) => request(`GET ${valueOf(targets.next(random), random)}`, [], null)],
];

function drawOwn(random: Random): [kind: string, bytes: Buffer] {
  if (random.once(12)) return ["tunnels", drawTunnel(random)];
  const [kind, draw] = random.pick(OWN);
  const messages = Array.from({ length: random.once(3) ? 1 + random.below(8) : 1 }, () => draw(random));
  if (random.once(6)) {
    const at = random.below(messages.length);
    const message = messages[at] as Buffer;
    messages[at] = mutate(message, random, WORDS, message);
  }
  return [kind, Buffer.concat(messages)];
}

function drawOctets(random: Random): [kind: string, bytes: Buffer] {
  if (random.once(4)) {
    const seeds = wireSeeds();
    const seed = random.pick(seeds);
    return ["wire cases", random.once(4) ? Buffer.from(seed) : mutate(seed, random, WORDS, random.pick(seeds))];
  }
  return random.once(5) ? ["heads", heads.next(random)] : drawOwn(random);
}

/** Splits: whole, in a few, in many, or octet by octet where that is short. */
function split(bytes: Buffer, random: Random): Array<Buffer | number> {
  const most = random.pick([Infinity, Infinity, 1000, 100, bytes.length < 100 ? 1 : 2000]);
  const steps: Array<Buffer | number> = [];
  for (let at = 0; at < bytes.length;) {
    const end = most === Infinity ? bytes.length : Math.min(bytes.length, at + 1 + random.below(most));
    steps.push(bytes.subarray(at, end));
    if (random.once(8)) steps.push(random.below(30));
    at = end;
    if (steps.length > 200) break;
  }
  return steps;
}

/** A script's own splits, pauses and end; what happens inside of it is the server's business here. */
function ofScript(random: Random): Conversation {
  const script = drawScript(random.next());
  const bytes = Buffer.concat(octetsOf(script.messages));
  const steps: Array<Buffer | number> = [];
  let at = 0;
  let leaves: "" | "fin" | "reset" = "";
  for (const step of script.steps) {
    if (step.step === "send") steps.push(bytes.subarray(at, (at += step.bytes)));
    else if (step.step === "wait") steps.push(Math.min(step.ms, MOST_PAUSE_MS));
    else if (step.step === "fin" || step.step === "reset") leaves = step.step;
  }
  return {
    kind: "scripts",
    steps,
    reading: readingOf(script, random),
    ending: leaves === "" ? endingOf(script) : leaves,
  };
}

function readingOf({ isEager }: Script, random: Random): Conversation["reading"] {
  if (isEager) return "eager";
  return random.once(5) ? "never" : "slow";
}

function endingOf({ ending, endsAtOnce }: Script): Conversation["ending"] {
  if (ending === "reset" || (ending === "fin" && endsAtOnce)) return ending;
  return "quiet";
}

/** Draws one. */
export function drawConversation(random: Random): Conversation {
  if (random.once(3)) return ofScript(random);
  const [kind, bytes] = drawOctets(random);
  const steps = split(bytes, random);
  // In the middle of a message, too
  if (random.once(10)) steps.length = random.below(steps.length + 1);
  return {
    kind,
    steps,
    reading: random.once(8) ? random.pick(["slow", "slow", "never"]) : "eager",
    ending: random.pick(["quiet", "quiet", "quiet", "fin", "fin", "reset", "destroy"]),
  };
}
