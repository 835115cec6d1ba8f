/**
 * What holds for every connection, whatever the peer, the handlers and the server do. One sentence each:
 *
 * - `bytes`: what is written always parses as a sequence of valid responses, by Node's parser and by ours for tests alike, to the
 *   same statuses, contents and ends (RFC 9112 §4 to §7).
 * - `order`: each accepted request has exactly one final response, in the order of the requests (RFC 9112 §9.3.2; RFC 9110 §15).
 * - `one refusal`: there are exchanges, or exchanges and one ProtocolError with one answer, behind which the connection ends
 *   (RFC 9112 §2.2, §9.6, §11.2).
 * - `whole`: a response that was broken off never looks whole (RFC 9112 §8), and one that is complete has all its content.
 * - `own octets`: no response carries the name or content of another's, no request the content of another's.
 * - `sound`: a request with nothing wrong is refused for its size or time, or its peer's leaving, and for nothing else.
 * - `content`: what a handler gets of content is a prefix of what was sent, and all of it when its end is said (RFC 9112 §6.3, §7.1).
 * - `ends`: each exchange ends exactly once; its handler hears that the peer has left where the answer is not whole; every promise,
 *   source and file of it is settled, closed and released when the connection is gone.
 * - `alive`: every sound request is answered, unless the connection has ended before it; a silent peer is not waited for (§9.5).
 * - `timer`: no deadline is left when the connection is gone.
 * - `rejection`: no promise is rejected unheard.
 * - `carrier`: the wire neither throws at its transport, nor uses it behind its end, and holds no more octets than it may.
 */

import type { Seen } from "./observed.ts";
import { ID_FIELD, SHARED_ID } from "./observed.ts";
import { hasNodeParser, readWithNode } from "./node-parser.ts";
import {
  membersOf,
  readResponses,
  type Reading,
  valuesOf,
  type WireResponse,
} from "../../test/support/wire-responses.ts";
import type { Played } from "./play.ts";
import { judgeRequests } from "./judge-requests.ts";

/** An invariant that does not hold: `invariant: what was seen`. */
export type Broken = string;

/** All that does not hold of a run; empty. */
export function judge(played: Played): Broken[] {
  const broken: Broken[] = played.faults.map((fault) => `carrier: ${fault}`);
  const reading = read(played);
  judgeBytes(played, reading, broken);
  judgeOrder(played, reading, broken);
  judgeEnds(played, broken);
  judgeRequests(played, broken);
  if (played.deadlineAfterMs !== Infinity) broken.push("timer: a deadline is left when the connection is gone");
  for (const reason of played.rejections) broken.push(`rejection: ${String(reason)}`);
  return broken;
}

function methodsOf({ seen, refusals }: Played): string[] {
  const methods = seen.map(({ exchange }) => exchange.request.method);
  for (const refusal of refusals) if (refusal.exchange === null) methods.push(refusal.method);
  return methods;
}

function read(played: Played): Reading {
  const { isEnded, isDestroyed } = played.peer;
  return readResponses(played.output, methodsOf(played), isEnded || isDestroyed);
}

// ---- bytes --------------------------------------------------------------------------------------------------------------

function judgeBytes(played: Played, reading: Reading, broken: Broken[]): void {
  for (const fault of reading.faults) broken.push(`bytes: ${fault}`);
  if (!hasNodeParser) return;
  const { isEnded } = played.peer;
  const node = readWithNode(played.output, methodsOf(played), isEnded);
  if (node.refusal !== "") broken.push(`bytes: Node refuses the responses with ${node.refusal}`);
  const ours = reading.responses.map(shown).join("; ");
  const theirs = node.responses
    .map(({ status, content, isWhole }) => shown({ status, content: Buffer.concat(content), isWhole }))
    .join("; ");
  const isCut = reading.responses.at(-1)?.framing === "close" && !isEnded;
  if (ours !== theirs && node.refusal === "" && !isCut) broken.push(`bytes: Node reads ${theirs} for ${ours}`);
}

function shown({ status, content, isWhole }: Pick<WireResponse, "status" | "content" | "isWhole">): string {
  const text = content.length > 60 ? `${content.length} octets` : JSON.stringify(content.toString("latin1"));
  return `${status} ${text}${isWhole ? "" : " cut"}`;
}

// ---- order, one refusal, whole, own octets ------------------------------------------------------------------------------

function judgeOrder(played: Played, { responses, tunnel }: Reading, broken: Broken[]): void {
  const { seen } = played;
  let at = 0;
  for (const one of seen) {
    const isLast = one.index === seen.length - 1;
    for (let interim = responses[at]; isInterim(interim); interim = responses[++at]) judgeInterim(one, interim, broken);
    const final = responses[at];
    const outcome = one.outcomes[0];
    if (outcome === "upgraded") {
      if (final?.status !== 101) broken.push(`order: exchange ${one.index} was upgraded without 101`);
      at++;
    } else if (outcome === "complete") {
      at++;
      if (final === undefined) broken.push(`order: exchange ${one.index} is complete without a response`);
      else judgeComplete(played, one, final, broken);
    } else if (final !== undefined) {
      at++;
      judgeCut(played, one, final, broken);
    }
    if (outcome !== "complete" && !isLast)
      broken.push(`order: exchange ${one.index + 1} began before the end of another`);
  }
  judgeTunnel(played, tunnel, broken);
  judgeRest(played, responses.slice(at), broken);
}

/** RFC 9110 §15.2: none to HTTP/1.0; §10.1.1: 100 of the wire's own only where it is waited for. */
function judgeInterim(one: Seen, interim: WireResponse, broken: Broken[]): void {
  const { version, fields } = one.exchange.request;
  if (version === "1.0") broken.push(`order: exchange ${one.index} is of HTTP/1.0 and gets ${interim.status}`);
  if (!judgeId(interim, one, broken) && interim.status === 100 && fields.get("expect") === null)
    broken.push(`order: exchange ${one.index} gets 100 (Continue), and did not wait for it`);
}

/**
 * What handlers write to a tunnel is what they read from it: the octets behind the request (RFC 9110 §7.8). All of them were read
 * when their end is told.
 */
function judgeTunnel(
  { seen, script, octets, sentBytes, isOpenAtRest }: Played,
  tunnel: Buffer | null,
  broken: Broken[],
): void {
  const last = seen.at(-1);
  if (tunnel === null || last === undefined) return;
  const upTo = script.messages.slice(0, last.index + 1);
  if (upTo.length <= last.index || upTo.some(({ sound }) => sound === null)) return;
  const behind = Buffer.concat(octets.slice(last.index + 1));
  if (!behind.subarray(0, tunnel.length).equals(tunnel))
    broken.push(
      `own octets: the tunnel of exchange ${last.index} gave ${tunnel.length} octets that were not sent to it`,
    );
  const read = Buffer.concat(last.tunnelled);
  if (!behind.subarray(0, read.length).equals(read))
    broken.push(`own octets: through the tunnel of exchange ${last.index} came ${read.length} octets that nobody sent`);
  const sentBehind = sentBytes - octets.slice(0, last.index + 1).reduce((sum, { length }) => sum + length, 0);
  if (isOpenAtRest && last.isTunnelRead && last.tunnelledAtRest !== sentBehind)
    broken.push(
      `alive: of ${sentBehind} octets through the tunnel of exchange ${last.index} its reader waits for all but ${last.tunnelledAtRest}`,
    );
  if (last.hasTunnelEnd && last.isTunnelRead && read.length !== sentBehind)
    broken.push(
      `content: the tunnel of exchange ${last.index} ended behind ${read.length} of ${sentBehind} octets that were sent`,
    );
}

function isInterim(response: WireResponse | undefined): response is WireResponse {
  return response !== undefined && response.status < 200 && response.status !== 101;
}

/** Refusals for which the peer is not to blame; one may come on top, where content was refused before. */
const SERVERS_OWN: ReadonlySet<string> = new Set(["ERR_HANDLER_TIMEOUT", "ERR_OVERLOADED"]);

/** Behind the answers of exchanges: one refusal, or nothing. */
function judgeRest({ refusals, peer }: Played, rest: readonly WireResponse[], broken: Broken[]): void {
  const ofHeads = refusals.filter(({ exchange, error }) => exchange === null && error.status > 0);
  for (const isPeers of [true, false]) {
    const codes = refusals.map(({ error }) => error.code).filter((code) => isPeers !== SERVERS_OWN.has(code));
    if (codes.length > 1) broken.push(`one refusal: there are ${codes.length}: ${codes.join()}`);
  }
  if (rest.length > 1) broken.push(`one refusal: ${rest.length} responses that nobody asked for`);
  const [response] = rest;
  const refusal = ofHeads[0];
  if (response !== undefined && refusal === undefined) broken.push(`order: ${shown(response)}, which nobody asked for`);
  else if (response !== undefined && response.status !== refusal?.error.status)
    broken.push(`one refusal: ${refusal?.error.code} is answered ${shown(response)}`);
  if (refusals.length > 0 && !peer.isEnded && !peer.isDestroyed)
    broken.push("one refusal: the connection goes on behind it");
}

function idOf(response: WireResponse): string {
  return valuesOf(response, ID_FIELD).join();
}

/** False: it is the server's own, and names nobody. */
function judgeId(response: WireResponse | undefined, one: Seen, broken: Broken[]): boolean {
  const id = response === undefined ? "" : idOf(response);
  if (id === "") return false;
  // Whose it is shows in its content
  if (id === SHARED_ID) return true;
  if (id !== String(one.index)) broken.push(`own octets: the response of exchange ${id} answers exchange ${one.index}`);
  return true;
}

function judgeComplete(played: Played, one: Seen, final: WireResponse, broken: Broken[]): void {
  const name = `exchange ${one.index}`;
  if (!final.isWhole) broken.push(`whole: ${name} is complete, its response is cut: ${shown(final)}`);
  if (valuesOf(final, "x-evil").length > 0) broken.push(`own octets: ${name} has a field that was split in`);
  if (one.isRefusedBefore && !membersOf(final, "connection").includes("close"))
    broken.push(`one refusal: ${name} was refused, and its response does not say close`);
  if (!judgeId(final, one, broken)) return judgeServersOwn(played, one, final, broken);
  judgeFields(one, final, broken);
  const { said } = one;
  if (said === null) return void broken.push(`order: ${name} is answered ${shown(final)}, and nobody did`);
  if (said.status !== final.status) broken.push(`order: ${name} is answered ${final.status} for ${said.status}`);
  const isBare = one.exchange.request.method === "HEAD" || [204, 205, 304].includes(final.status);
  const expected = isBare ? Buffer.alloc(0) : said.content;
  if (!final.content.equals(expected)) {
    broken.push(`whole: ${name} has ${shown(final)} for ${expected.length} octets that were given`);
  }
  // A source whose content nobody wants is not asked
  if (!said.isWhole && !isBare && final.framing !== "length")
    broken.push(`whole: ${name} is complete, and its source had not ended`);
}

/** Fields that are the wire's to say, or to add. */
const OF_THE_WIRE: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
  "date",
  "strict-transport-security",
  "content-type",
]);

/** All fields that the handler gave, and none that another did. */
function judgeFields(one: Seen, final: WireResponse, broken: Broken[]): void {
  const given = one.fields.flatMap((name, at) =>
    at % 2 === 0 ? [`${name.toLowerCase()}: ${one.fields[at + 1]}`] : [],
  );
  const sent = final.fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  const isHandlers = (line: string): boolean => !OF_THE_WIRE.has(line.slice(0, line.indexOf(":")));
  const expected = given.filter(isHandlers).toSorted().join(", ");
  const actual = sent.filter(isHandlers).toSorted().join(", ");
  if (actual !== expected) broken.push(`own octets: exchange ${one.index} has the fields ${actual} for ${expected}`);
  const isUpgrading = membersOf(final, "connection").includes("upgrade");
  if (isUpgrading !== valuesOf(final, "upgrade").length > 0)
    broken.push(`own octets: exchange ${one.index} has Upgrade without its connection option, or that without it`);
}

/** What the server says in place of a handler. */
function judgeServersOwn(played: Played, one: Seen, final: WireResponse, broken: Broken[]): void {
  const { exchange } = one;
  const isRefused = played.refusals.some((refusal) => refusal.exchange === exchange) || one.exchange.status === 503;
  const isForServer = exchange.request.method === "OPTIONS" && !exchange.request.target.startsWith("/");
  if (!one.isFaulty && !isRefused && !isForServer)
    broken.push(`order: exchange ${one.index} is answered ${shown(final)} by nobody`);
  if (/r\d+\|/.test(final.content.toString("latin1")))
    broken.push(`own octets: the answer of the server to exchange ${one.index} has a handler's content`);
}

function judgeCut(played: Played, one: Seen, final: WireResponse, broken: Broken[]): void {
  const name = `exchange ${one.index}`;
  judgeId(final, one, broken);
  const { said } = one;
  const expected = said?.content ?? Buffer.alloc(0);
  if (idOf(final) !== "" && !expected.subarray(0, final.content.length).equals(final.content))
    broken.push(`own octets: ${name}, broken off, has ${shown(final)} that was not given`);
  if (final.framing === "close") {
    if (!played.peer.isAborted && !played.peer.hasReset)
      broken.push(`whole: ${name} was broken off, and its end looks like one`);
    return;
  }
  // Of a declared length all may have been given before the source failed
  const isAllGiven = final.framing === "length" && final.content.length === Number(valuesOf(final, "content-length"));
  if (final.isWhole && !isAllGiven) broken.push(`whole: ${name} was broken off, and looks whole: ${shown(final)}`);
}

// ---- ends ---------------------------------------------------------------------------------------------------------------

function judgeEnds(played: Played, broken: Broken[]): void {
  const { seen, peer } = played;
  if (!peer.isClosed) broken.push("ends: the connection is never closed");
  for (const one of seen) {
    const fault = (words: string): void => void broken.push(`ends: exchange ${one.index} ${words}`);
    if (one.outcomes.length !== 1) fault(`ends ${one.outcomes.length} times`);
    const isGivenUp = one.outcomes[0] === "aborted" || one.outcomes[0] === "broken";
    if (one.aborts > 1) fault("is given up twice");
    if (isGivenUp && one.aborts === 0) fault("is given up, and its handler does not hear of it");
    if (!isGivenUp && one.aborts > 0 && one.exchange.status !== 503) fault(`is given up, and ends ${one.outcomes[0]}`);
    if (!one.isThrough) fault("has a handler that waits for ever");
    if (one.unsettled > 0) fault("has a response whose promise never settles");
    if (one.isTunnelRead && !one.isTunnelClosed) fault("has a tunnel whose end nobody is told");
    if (one.openSources > 0) fault("has a source or file that is never closed");
    const isOver = one.trailers !== null || one.failure !== null || one.isLettingGo;
    if (one.isReading && !isOver) fault("has content that neither ends nor fails");
  }
  judgeAlive(played, broken);
}

/** At rest: all sent, all read, all handlers done; and the server still listens. */
function judgeAlive(played: Played, broken: Broken[]): void {
  const { script, seen, sentBytes, octets, exchangesAtRest } = played;
  if (!played.isOpenAtRest || played.isOwingAtRest || seen.some(({ hasTunnel }) => hasTunnel)) return;
  if (script.messages.some(({ sound }) => sound === null)) return;
  let end = 0;
  const whole = octets.filter(({ length }) => (end += length) <= sentBytes).length;
  if (exchangesAtRest < whole)
    broken.push(`alive: ${whole} sound requests came, ${exchangesAtRest} were served, and the connection waits`);
  const waiting = seen.slice(0, Math.min(exchangesAtRest, whole)).find(({ outcomeAtRest }) => outcomeAtRest === null);
  if (waiting !== undefined) broken.push(`alive: exchange ${waiting.index} came whole, and is not answered`);
}
