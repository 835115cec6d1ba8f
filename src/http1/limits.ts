/**
 * Sizes, counts and times that the HTTP/1 wire enforces, with defaults and where they come from. Data only.
 *
 * The same numbers are documented for users in docs/reference/options.md; a test compares the two. Validation of what a
 * user gives is in server/options.ts; here they are taken as valid.
 */

/** Sizes and counts. `Infinity` means no limit. */
export interface WireLimits {
  /** Request line, field lines and the empty line, in octets. Node 16 KiB, h11 16 KiB, nginx 4 x 8 KiB. */
  readonly maxHeadBytes: number;
  /** Field lines of a head, and of a trailer section. Apache 100. */
  readonly maxFields: number;
  /** Request-target in octets (RFC 9112 §3 recommends at least 8000). nginx 8 KiB, Apache 8190. */
  readonly maxTargetBytes: number;
  /** Content in octets, after transfer decoding. nginx 1 MiB, Kestrel 30 MB. */
  readonly maxContentBytes: number;
  /** A chunk-size line with its extensions, in octets. Against floods of extensions (RFC 9112 §7.1.1). */
  readonly maxChunkLineBytes: number;
  /** Trailer section in octets. */
  readonly maxTrailerBytes: number;
  /** Requests on one connection; the last answer says `Connection: close`. nginx 1000, Apache 100. */
  readonly maxRequestsPerConnection: number;
  /** Content nobody read that is still drained after the answer, to keep the connection, in octets. Node: all of it. */
  readonly maxDrainBytes: number;
}

/** Times in milliseconds; 0 means none where it is allowed. Only the peer's progress is timed. */
export interface WireTimeouts {
  /** From a head's first octet, or from the opening of a connection, to the head's end. nginx 60 s. */
  readonly headMs: number;
  /** Between an answer and the next request's first octet. nginx 75 s. */
  readonly keepAliveMs: number;
  /** Least progress that a peer must make while it is waited for, octets per second, both directions. Kestrel 240. */
  readonly minContentRate: number;
  /** Time before {@link minContentRate} is asked for. Kestrel 5 s. */
  readonly contentGraceMs: number;
  /** For the handler, to its Response. 0: for ever. */
  readonly handlerMs: number;
  /** How long a peer that still sends is listened to after a refusal, so that it can read it (RFC 9112 §9.6). nginx 5 s of 30 s. */
  readonly lingerMs: number;
}

/** What is off because it is a risk. */
export interface Leniencies {
  /** Lines may end in LF alone: netcat and telnet sessions. Behind a proxy it invites request smuggling. */
  readonly allowBareLf: boolean;
  /** `get` counts as `GET`. Against RFC 9110 §9.1. */
  readonly allowLowercaseMethods: boolean;
  /** Methods served besides the registered ones. */
  readonly additionalMethods: readonly string[];
}

export const DEFAULT_LIMITS: WireLimits = {
  maxHeadBytes: 16 * 1024,
  maxFields: 100,
  maxTargetBytes: 8 * 1024,
  maxContentBytes: 16 * 1024 * 1024,
  maxChunkLineBytes: 256,
  maxTrailerBytes: 8 * 1024,
  maxRequestsPerConnection: Infinity,
  maxDrainBytes: 256 * 1024,
};

export const DEFAULT_TIMEOUTS: WireTimeouts = {
  headMs: 30_000,
  keepAliveMs: 75_000,
  minContentRate: 240,
  contentGraceMs: 5_000,
  handlerMs: 0,
  lingerMs: 5_000,
};

export const DEFAULT_LENIENCIES: Leniencies = {
  allowBareLf: false,
  allowLowercaseMethods: false,
  additionalMethods: [],
};
