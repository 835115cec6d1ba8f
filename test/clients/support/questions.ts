/**
 * Questions about a changing folder, drawn by chance: whole, parts, conditions, codings, heads.
 *
 * What is drawn depends on the seed and on what was answered before, so that conditions name tags that were once right.
 */
import type { Dispatcher } from "undici";
import type { ChangingTree, Subject } from "./changing-tree.ts";
import type { Judge, Question } from "./judge.ts";

const CODINGS = ["gzip", "br", "gzip;q=0.5, br", "gzip, identity;q=0"] as const;

/** One of the files; large ones seldom. */
export function pickSubject(tree: ChangingTree, draw: (below: number) => number): Subject {
  const subject = tree.subjects[draw(tree.subjects.length)] as Subject;
  return subject.isLarge && draw(3) > 0 ? pickSubject(tree, draw) : subject;
}

/** A question of any kind. */
export function drawQuestion(subject: Subject, judge: Judge, draw: (below: number) => number): Question {
  const fields: Record<string, string> = {};
  const kind = draw(10);
  const known = judge.known(subject).at(-1 - draw(2));
  const size = subject.plain.now?.length ?? 1000;
  const start = draw(size + 10);
  if (draw(2) === 0) fields["accept-encoding"] = CODINGS[draw(4)] as string;
  if (kind <= 2) {
    fields["range"] = [`bytes=${start}-`, `bytes=${start}-${start + draw(5000)}`, `bytes=-${1 + draw(size + 10)}`][
      kind
    ] as string;
  }
  if (kind === 3) fields["range"] = `bytes=0-99,${1000 + draw(1000)}-${2500 + draw(1000)},-10`;
  if (kind <= 3 && known !== undefined && draw(2) === 0) fields["if-range"] = known.etag;
  if ((kind === 4 || kind === 5) && known !== undefined) fields["if-none-match"] = known.etag;
  return { subject, method: kind === 6 ? "HEAD" : "GET", fields, askedMs: Date.now() };
}

/** Field lines by lower-case name. */
export function fieldsOf({ headers }: Dispatcher.ResponseData): Map<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
