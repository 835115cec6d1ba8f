/**
 * What was found -> Response. With {@link answerFile} the semantics of a selected representation: preconditions, ranges, HEAD.
 *
 * Nothing here waits, and the usual answers cost one object: lines and content come ready from the representation. A part of
 * an open file owns a share of the descriptor and gives it back once, whatever becomes of the exchange. It must never show a
 * path of the disk. RFC 9110 §9.3.1, §9.3.2, §9.3.7 (methods), §13.2.1 (order), §14.2 (ranges), §15 (statuses).
 */

import type { FieldSource } from "../http/conditional.ts";
import { evaluatePreconditions, NOT_MODIFIED, PROCEED } from "../http/conditional.ts";
import type { FieldLines } from "../http/exchange.ts";
import type { Problem } from "../http/problem.ts";
import type { ByteRange } from "../http/range.ts";
import { evaluateRange, UNSATISFIABLE, unsatisfiedRange } from "../http/range.ts";
import { Response, responseOfLines } from "../web/response.ts";
import { CODING_NAMES, IDENTITY } from "./coding.ts";
import { renderRefusal } from "./error-page.ts";
import type { Trace } from "./explain.ts";
import { joinParts } from "./multipart.ts";
import type { Representation } from "./representation.ts";

type Finish = Representation["finishRefusal"];

/** Methods that a file answers. */
const ALLOW = "GET, HEAD, OPTIONS";

/**
 * Answers with a representation: 200, 206, 304, 412 or 416.
 *
 * @param nowMs milliseconds since 1970
 * @returns null if octets are wanted of a file that was written to: its next version is to be found first
 */
export function answerFile(
  representation: Representation,
  method: string,
  fields: FieldSource,
  nowMs: number,
  trace: Trace | null,
): Response | null {
  const verdict = evaluatePreconditions(method, fields, representation, nowMs);
  if (verdict !== PROCEED) return answerCondition(representation, verdict, fields, trace);
  const ranges = evaluateRange(method, fields, representation.sizeBytes, representation, nowMs);
  if (ranges !== null) return answerRange(representation, ranges, fields, trace);
  const isHead = method === "HEAD";
  if (!isHead && !representation.isIntact) return null;
  if (trace !== null) noteWhole(trace, representation, fields);
  // RFC 9110 §9.3.2: the fields of GET, and no content
  return responseOfLines(200, representation.lines, isHead ? null : representation.whole());
}

function answerCondition(
  representation: Representation,
  verdict: number,
  fields: FieldSource,
  trace: Trace | null,
): Response {
  trace?.note("precondition", String(verdict), `RFC 9110 §13.2.2, against ${representation.etag}`);
  if (verdict === NOT_MODIFIED) return responseOfLines(304, representation.notModifiedLines, null);
  const detail = "the file is not, or no longer, the one that the request is about";
  // The validators tell the client what there is now (RFC 9110 §15.5.13 leaves it open)
  return replyProblem(
    fields,
    { status: verdict, title: "Precondition Failed", detail, rule: "RFC 9110 §13.1" },
    ["etag", representation.etag],
    trace,
    representation.finishRefusal,
  );
}

function answerRange(
  representation: Representation,
  ranges: readonly ByteRange[] | typeof UNSATISFIABLE,
  fields: FieldSource,
  trace: Trace | null,
): Response | null {
  const { sizeBytes } = representation;
  if (ranges === UNSATISFIABLE) {
    trace?.note("range", "416", `no part of it is within ${sizeBytes} octets`);
    const detail = `the file has ${sizeBytes} octets, none of them in the ranges asked for`;
    // RFC 9110 §15.5.17: SHOULD say the current length
    const lines = ["content-range", unsatisfiedRange(sizeBytes), "accept-ranges", "bytes"];
    return replyProblem(
      fields,
      { status: 416, title: "Range Not Satisfiable", detail, rule: "RFC 9110 §14.1.2" },
      lines,
      trace,
      representation.finishRefusal,
    );
  }
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    const content = representation.part(first);
    if (content === null) return null;
    noteParts(trace, representation, ranges);
    return responseOfLines(206, representation.partLines(first), content);
  }
  if (!representation.isIntact) return null;
  noteParts(trace, representation, ranges);
  const { contentType, length, content } = joinParts(representation, ranges);
  return responseOfLines(206, representation.multipartLines(contentType, length), content);
}

function noteParts(trace: Trace | null, { sizeBytes }: Representation, ranges: readonly ByteRange[]): void {
  if (trace === null) return;
  const told = ranges.map(({ start, length }) => `${start}-${start + length - 1}`).join(", ");
  const isOne = ranges.length === 1;
  trace.note("range", "206", `${isOne ? "" : `${ranges.length} parts: `}octets ${told} of ${sizeBytes}`);
  if (isOne) trace.attribute(["content-length", ""], "the length of the range");
  else {
    trace.attribute(["content-length", ""], "the parts and what divides them");
    trace.attribute(["content-type", ""], "RFC 9110 §14.6");
  }
}

function noteWhole(trace: Trace, representation: Representation, fields: FieldSource): void {
  const { etag, sizeBytes, coding } = representation;
  trace.note("precondition", "none holds it back", `validators ${etag} and Last-Modified`);
  const isRangeAsked = fields.get("range") !== null;
  if (isRangeAsked)
    trace.note("range", "ignored", "HEAD, malformed, another unit, too many, or If-Range names another version");
  if (coding !== IDENTITY)
    trace.attribute(["content-length", ""], `the file's size in ${CODING_NAMES[coding] as string}`);
  trace.note("reply", "200", `${sizeBytes} octets of ${CODING_NAMES[coding] as string}`);
}

/** The page of an error: a representation under another status, without its validators, parts or reuse by any cache. */
export function answerErrorPage(
  representation: Representation,
  status: number,
  method: string,
  trace: Trace | null,
): Response {
  const lines = Object.freeze(representation.errorLines());
  // What a rule has given stays the rule's
  if (lines.includes("no-cache"))
    trace?.attribute(["cache-control", ""], "an error's page is asked for anew each time");
  return responseOfLines(status, lines, method === "HEAD" ? null : representation.whole());
}

/** A redirect. Of the permanent ones 301 is known to all; its doubt about methods (RFC 9110 §15.4.2) is none for GET and HEAD. */
export function redirectTo(location: string, status: 301 | 302 | 303 | 307 | 308): Response {
  return new Response(null, { status, headers: { location } });
}

/** 204 to OPTIONS with what the resource, or the server, would answer (RFC 9110 §9.3.7). */
export function replyOptions(): Response {
  return new Response(null, { status: 204, headers: { allow: ALLOW } });
}

/** 405: the method is known but no file answers it (RFC 9110 §15.5.6: Allow is a MUST). */
export function refuseMethod(fields: FieldSource, trace: Trace | null): Response {
  const problem = { status: 405, title: "Method Not Allowed", detail: `files answer ${ALLOW}` };
  return replyProblem(fields, problem, ["allow", ALLOW], trace);
}

/**
 * 404, for what is not there and for what is none of the client's business, alike (RFC 9110 §15.5.5).
 *
 * @param finish what options make of the lines; null where whoever asks does that
 */
export function refuseMissing(fields: FieldSource, trace: Trace | null, finish: Finish | null = null): Response {
  return replyProblem(fields, { status: 404, title: "Not Found", detail: "there is nothing here" }, [], trace, finish);
}

/**
 * 406: no coding will do, not even none (RFC 9110 §12.5.3, §15.5.7).
 *
 * @param finish what options and rules make of the lines
 */
export function refuseCoding(fields: FieldSource, trace: Trace | null, finish: Finish): Response {
  const detail = "Accept-Encoding takes none of the codings that there are, and forbids identity";
  const problem = { status: 406, title: "Not Acceptable", detail, rule: "RFC 9110 §12.5.3" };
  return replyProblem(fields, problem, [], trace, finish, ", accept-encoding");
}

/**
 * @param finish null where whoever asks does that
 * @param alsoVary behind the names of its Vary line
 */
function replyProblem(
  fields: FieldSource,
  problem: Problem,
  lines: FieldLines,
  trace: Trace | null,
  finish: Finish | null = null,
  alsoVary = "",
): Response {
  const refusal = renderRefusal(problem, fields.get("accept"));
  trace?.attribute(refusal.lines, "an error's page, in the form that Accept prefers");
  const all = [...refusal.lines, ...lines];
  // RFC 9110 §5.3: one line, which not every cache puts together itself
  if (alsoVary !== "") all[all.indexOf("vary") + 1] += alsoVary;
  return responseOfLines(problem.status, finish === null ? all : finish(all), refusal.text);
}
