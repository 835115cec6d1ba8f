/**
 * W3C Trace Context: which span a request belongs to, as its client says (`traceparent`, `tracestate`).
 *
 * What is not exactly right is as good as not there (§3.2.2.5, §3.3.1.5): a trace is begun anew, and nothing that a client made
 * up gets into logs or further requests. Nothing here knows OpenTelemetry.
 */

import { type Fields, trimWhiteSpace } from "../http/fields.ts";

/** The span that a request comes from. */
export interface RemoteSpan {
  /** 32 hexadecimal digits, lower case, not all zero. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** Bit 0: sampled; bit 1: the trace id is random. */
  readonly flags: number;
  /** The value of `tracestate`, `""` where there is none that is valid. */
  readonly state: string;
}

/** Of later versions the first four parts mean the same (§4.1); they may go on behind a hyphen. */
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ALL_ZERO = /^0+$/;
const FORBIDDEN_VERSION = "ff";
const FIRST_VERSION = "00";
const KNOWN_FLAGS = 0x03;

/** §3.3.1.3.1 and §3.3.1.3.2: names of systems, with a tenant or without, and printable values. */
const STATE_MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
/** §3.3.1.1: There can be a maximum of 32 list-members in a list. */
const MOST_STATE_MEMBERS = 32;
/** §3.3.1.5: at least 512 characters should be passed on; more than this is nobody's tracing. */
const MOST_STATE_CHARACTERS = 8192;

/** Where a request comes from, null where it does not say, or not rightly. */
export function readTraceContext(fields: Fields): RemoteSpan | null {
  const lines = fields.all("traceparent");
  // Several would be several parents (§3.2)
  const [line] = lines;
  if (line === undefined || lines.length > 1) return null;
  const match = TRACE_PARENT.exec(line);
  if (match === null) return null;
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = match;
  if (version === FORBIDDEN_VERSION || (version === FIRST_VERSION && rest !== undefined)) return null;
  if (ALL_ZERO.test(traceId) || ALL_ZERO.test(spanId)) return null;
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16) & KNOWN_FLAGS,
    state: readState(fields.all("tracestate")),
  };
}

/** The combined value of `tracestate` lines, `""` if it is not valid as a whole. */
function readState(lines: readonly string[]): string {
  const members = lines
    .join(",")
    .split(",")
    .map(trimWhiteSpace)
    .filter((member) => member !== "");
  if (members.length === 0 || members.length > MOST_STATE_MEMBERS) return "";
  const names = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  const state = members.join(",");
  const isValid =
    names.size === members.length &&
    state.length <= MOST_STATE_CHARACTERS &&
    members.every((member) => STATE_MEMBER.test(member));
  return isValid ? state : "";
}

/** The value of `traceparent` for a span of ours. */
export function renderTraceParent(traceId: string, spanId: string, flags: number): string {
  return `${FIRST_VERSION}-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}
