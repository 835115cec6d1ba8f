/**
 * The invariants of requests: what handlers got is what the peer sent (see judge.ts, `content` and `own octets`).
 *
 * Known only as far as all messages were sound: what stands behind a hostile one may be understood in several right ways, or not.
 */

import type { Played } from "./play.ts";
import type { Seen } from "./observed.ts";
import { type SoundMessage, taggedOctets } from "./script.ts";

/** Adds what does not hold. */
export function judgeRequests({ script, seen }: Played, broken: string[]): void {
  for (const one of seen) {
    const message = script.messages[one.index];
    if (message === undefined || message.sound === null) {
      // Nobody sent more than there are messages, unless a hostile one holds several
      if (script.messages.slice(0, one.index + 1).every(({ sound }) => sound !== null))
        broken.push(`own octets: exchange ${one.index} was never asked for`);
      return;
    }
    judgeRequest(one, message.tag, message.sound, broken);
  }
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
