/**
 * The invariants of requests: what handlers got is what the peer sent (see judge.ts, `content` and `own octets`).
 *
 * Known only as far as all messages were sound: what stands behind a hostile one may be understood in several right ways, or not.
 */

import { LOOPBACK } from "../../test/support/memory-transport.ts";
import type { Played } from "./play.ts";
import type { Seen } from "./observed.ts";
import { type Script, type SoundMessage, taggedOctets } from "./script.ts";

/** What may be wrong with a sound request: its size, its time, its peer's leaving. */
const OF_SOUND: ReadonlySet<string> = new Set([
  "ERR_HEAD_TOO_LARGE",
  "ERR_TOO_MANY_FIELDS",
  "ERR_TARGET_TOO_LONG",
  "ERR_CONTENT_TOO_LARGE",
  "ERR_CHUNK_LINE_TOO_LONG",
  "ERR_TRAILERS_TOO_LARGE",
  "ERR_HEAD_TIMEOUT",
  "ERR_CONTENT_TIMEOUT",
  "ERR_HEAD_INCOMPLETE",
  "ERR_CONTENT_INCOMPLETE",
  "ERR_HANDLER_TIMEOUT",
  "ERR_OVERLOADED",
  "ERR_BUFFERED_CONTENT_TOO_LARGE",
]);

/** Adds what does not hold. */
export function judgeRequests({ script, seen, refusals, sentBytes, octets }: Played, broken: string[]): void {
  if (script.messages.every(({ sound }) => sound !== null)) {
    const isAllSent = sentBytes === octets.reduce((sum, { length }) => sum + length, 0);
    for (const { error } of refusals) {
      const isCut = error.code === "ERR_HEAD_INCOMPLETE" || error.code === "ERR_HEAD_TIMEOUT";
      if (
        !OF_SOUND.has(error.code) ||
        (isCut && isAllSent && script.timeouts.headMs === undefined && !hasPauses(script))
      )
        broken.push(`sound: a sound request is refused: ${error.code} at ${error.offset}`);
    }
  }
  for (const one of seen) {
    const message = script.messages[one.index];
    if (message === undefined || message.sound === null) {
      // Nobody sent more than there are messages, unless a hostile one holds several
      if (script.messages.slice(0, one.index + 1).every(({ sound }) => sound !== null))
        broken.push(`own octets: exchange ${one.index} was never asked for`);
      return;
    }
    judgeRequest(one, message.tag, message.sound, broken);
    judgeClient(one, message.sound, script, broken);
  }
}

/** Somebody may have been too slow. */
function hasPauses({ steps }: Script): boolean {
  return steps.some(({ step }) => step !== "send");
}

/** Who asks is who the proxy says, where it is believed; never the client of another request on the same connection. */
function judgeClient({ client, index }: Seen, { clients = {} }: SoundMessage, script: Script, broken: string[]): void {
  if (client === "") return;
  const trust = script.face === "server" ? (script.trust ?? "") : "";
  const expected = (trust === "" ? undefined : clients[trust]) ?? LOOPBACK.remoteAddress.address;
  if (client !== expected) broken.push(`own octets: exchange ${index} is of ${client}, and was sent for ${expected}`);
}

function judgeRequest(one: Seen, sentTag: number, sound: SoundMessage, broken: string[]): void {
  const { request } = one.exchange;
  const name = `exchange ${one.index}`;
  if (request.method !== sound.method || request.target !== sound.target)
    broken.push(`own octets: ${name} is ${request.method} ${request.target}, sent was ${sound.method} ${sound.target}`);
  const tag = request.fields.get("x-tag");
  if (tag !== String(sentTag)) broken.push(`own octets: ${name} has the fields of message ${tag}`);
  const content = Buffer.concat(one.content);
  const sent = taggedOctets(`m${sentTag}`, 0, sound.contentBytes);
  if (!sent.subarray(0, content.length).equals(content) || content.length > sent.length)
    broken.push(`content: ${name} got ${content.length} octets that are no prefix of the ${sent.length} sent`);
  else if (one.trailers !== null && !one.isLettingGo && one.isReading && content.length !== sent.length)
    broken.push(`content: ${name} was told of the end behind ${content.length} of ${sent.length} octets`);
  const { trailers } = one;
  if (trailers !== null && trailers.size > 0 && trailers.size !== sound.trailers)
    broken.push(`content: ${name} got ${trailers.size} of ${sound.trailers} trailers`);
}
