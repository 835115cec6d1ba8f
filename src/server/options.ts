/**
 * What serve() accepts, and what it becomes: everything checked, everything derived, frozen.
 *
 * The whole object is checked before anything happens and all mistakes are reported at once. An unknown name in `limits`,
 * `timeouts` or `hooks` is always a mistake. At the top level strangers are expected, because `serve({ ...app, port })`
 * brings all that an app object owns: there an unknown name is a mistake if its value is a boolean, a number or text (unless
 * the name begins with `_`), or if it is one slip of the pen away from an option and no function (an app's `post` is no `port`).
 */

import { ServerError } from "../http/errors.ts";
import type { Leniencies, WireLimits, WireTimeouts } from "../http1/limits.ts";
import type { Handler } from "../web/handler.ts";
import type { Hooks } from "./hooks.ts";
import { editDistance, mistakeIn, type OptionMistake, renderMistakes, show } from "./option-check.ts";
import { OPTION_TABLE, type OptionRow } from "./option-table.ts";

/** Sizes and counts. */
export interface Limits extends WireLimits {
  /** Open connections, 10,000; Infinity: no limit. One more is answered 503 with Retry-After and closed. */
  readonly maxConnections: number;
  /** Open connections of one remote address, no limit. Behind a proxy all connections have the proxy's address. */
  readonly maxConnectionsPerAddress: number;
  /** Content that text(), json(), bytes(), blob() and formData() read at once, in octets, 1 MiB. Fastify 1 MiB, nginx 1 MiB. */
  readonly maxBufferedBytes: number;
}

/** Times in milliseconds. */
export interface Timeouts extends WireTimeouts {
  /** For close() to let requests finish, 30 s; then they are cut off. 0: at once; Infinity: no limit. Kubernetes 30 s. */
  readonly drainMs: number;
}

/** Options of serve(). What is not given, or undefined, has its default. */
export interface ServeOptions {
  /** Answers requests. Called as a method of the options object. Required. */
  readonly fetch: Handler;
  /** TCP port, 0 to 65535, default 8080; 0: the system chooses a free one, see `server.port`. */
  readonly port?: number | undefined;
  /** Address or name to listen on, default 127.0.0.1: this machine only. `0.0.0.0` or `::` for all interfaces. */
  readonly hostname?: string | undefined;
  /**
   * Path of a unix socket to listen on in place of `port` and `hostname`. A socket file that nobody answers on is replaced,
   * and the file is removed at close.
   */
  readonly unix?: string | undefined;
  /** Descriptor of a listening socket that this process inherited (systemd: 3), in place of an address; -1: none. */
  readonly fd?: number | undefined;
  /** Connections that the system holds until they are accepted, default 511 as nginx and Node; the system may hold fewer. */
  readonly backlog?: number | undefined;
  /** Closes the server gracefully when it aborts; serve() rejects with its reason if it has aborted before. */
  readonly signal?: AbortSignal | undefined;
  /** Sizes and counts; each has a default. */
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } | undefined;
  /** Times; each has a default. Only a peer's progress is timed, and the handler where `handlerMs` asks for it. */
  readonly timeouts?: { readonly [Name in keyof Timeouts]?: Timeouts[Name] | undefined } | undefined;
  /** Lines may end in LF alone, default false. For netcat and telnet sessions; behind a proxy it invites request smuggling. */
  readonly allowBareLf?: boolean | undefined;
  /** `get` counts as `GET`, default false. Against RFC 9110 §9.1: what stands in front may apply other rules to it. */
  readonly allowLowercaseMethods?: boolean | undefined;
  /** Methods served besides the registered ones, default none; all others are answered 501. */
  readonly additionalMethods?: readonly string[] | undefined;
  /** Responses to bad requests name the rule that was broken and where, default true; false: status and code only. */
  readonly explainRefusals?: boolean | undefined;
  /**
   * The global Request and Response become Fairlead's, for the whole process and for good, default false. For frameworks that
   * write `new Response()` and mean the global one, as Hono does: the platform's own costs some 10 us each; and for code that
   * writes `new Request(request)`, which the platform's own refuses for one of ours from Node 24 on. @hono/node-server does the
   * same unasked. What `fetch` gives stays the platform's, and is `instanceof Response` as before.
   */
  readonly replaceGlobals?: boolean | undefined;
  /** What observers want to be told. */
  readonly hooks?: Hooks | undefined;
}

/** Where to listen. */
export type ListenTarget =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number; readonly backlog: number }
  | { readonly kind: "unix"; readonly path: string; readonly backlog: number }
  | { readonly kind: "fd"; readonly fd: number; readonly backlog: number };

/** Options after validation. */
export interface ResolvedOptions {
  readonly fetch: Handler;
  readonly target: ListenTarget;
  readonly signal: AbortSignal | null;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly leniencies: Leniencies;
  readonly isExplaining: boolean;
  readonly replacesGlobals: boolean;
  readonly hooks: Hooks;
}

/** Names that people know from elsewhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  host: "hostname",
  address: "hostname",
  bind: "hostname",
  handler: "fetch",
  path: "unix",
  socket: "unix",
  socketPath: "unix",
  maxHeaderSize: "limits.maxHeadBytes",
  bodyLimit: "limits.maxContentBytes",
  maxRequestBodySize: "limits.maxContentBytes",
  keepAliveTimeout: "timeouts.keepAliveMs",
  headersTimeout: "timeouts.headMs",
  idleTimeout: "timeouts.keepAliveMs",
  requestTimeout: "timeouts.minContentRate",
  onListen: "hooks.onListen",
  onError: "hooks.onFault",
};

const GROUPS: readonly string[] = ["limits", "timeouts", "hooks"];
const PATHS: readonly string[] = [...OPTION_TABLE.map((row) => row.path), ...GROUPS];

/**
 * Checks options whole and fills in defaults.
 *
 * @throws ServerError ERR_OPTIONS that lists every mistake; its `cause` is the list as data
 */
export function resolveOptions(options: ServeOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null) {
    throw new ServerError(
      "ERR_OPTIONS",
      `the options of serve() are an object with a fetch function, not ${show(options)}`,
    );
  }
  const given = options as unknown as Readonly<Record<string, unknown>>;
  const mistakes: OptionMistake[] = [];
  const values = new Map<string, unknown>();
  for (const row of OPTION_TABLE) values.set(row.path, takeValue(row, given, mistakes));
  findStrangers(given, mistakes);
  checkTogether(given, mistakes);
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", renderMistakes(mistakes), { cause: mistakes });
  return derive(options, values);
}

function takeValue(row: OptionRow, given: Readonly<Record<string, unknown>>, mistakes: OptionMistake[]): unknown {
  const dot = row.path.indexOf(".");
  let value: unknown;
  if (dot === -1) value = given[row.path];
  else {
    const group = given[row.path.slice(0, dot)];
    if (typeof group === "object" && group !== null)
      value = (group as Record<string, unknown>)[row.path.slice(dot + 1)];
  }
  if (value === undefined && row.path !== "fetch") return row.default;
  const mistake = mistakeIn(row, value);
  if (mistake !== null) mistakes.push(mistake);
  return value;
}

/** Names that nobody knows; see the head of the file for which of them are mistakes. */
function findStrangers(given: Readonly<Record<string, unknown>>, mistakes: OptionMistake[]): void {
  for (const group of GROUPS) {
    const value = given[group];
    if (value === undefined) continue;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      mistakes.push({ path: group, given: show(value), allowed: "an object", nearest: "" });
      continue;
    }
    for (const name of Object.keys(value)) {
      if (PATHS.includes(`${group}.${name}`)) continue;
      mistakes.push({
        path: `${group}.${name}`,
        given: show((value as Record<string, unknown>)[name]),
        allowed: "",
        nearest: nearestTo(name, group),
      });
    }
  }
  for (const name of Object.keys(given)) {
    const value = given[name];
    if (PATHS.includes(name) || value === undefined || typeof value === "function") continue;
    const isPlain = typeof value === "boolean" || typeof value === "number" || typeof value === "string";
    const isSlip = PATHS.some((path) => editDistance(path.toLowerCase(), name.toLowerCase()) <= 1);
    if (isSlip || (isPlain && !name.startsWith("_"))) {
      mistakes.push({ path: name, given: show(value), allowed: "", nearest: nearestTo(name, "") });
    }
  }
}

/** The known name that was probably meant, `""` if none comes close. */
function nearestTo(name: string, group: string): string {
  const known = ELSEWHERE[name];
  if (known !== undefined) return known;
  const folded = name.toLowerCase();
  let nearest = "";
  // A third of the letters may be wrong; two may be swapped in a word of four
  let least = Math.max(name.length < 4 ? 1 : 2, Math.floor(name.length / 3)) + 1;
  for (const path of PATHS) {
    const last = path.slice(path.indexOf(".") + 1);
    // A name of the same group wins over the same name elsewhere
    const penalty = group !== "" && !path.startsWith(`${group}.`) ? 0.5 : 0;
    const distance = editDistance(folded, last.toLowerCase()) + penalty;
    if (distance < least) {
      least = distance;
      nearest = path;
    }
  }
  return nearest;
}

/** Rules between options. */
function checkTogether(given: Readonly<Record<string, unknown>>, mistakes: OptionMistake[]): void {
  const places: string[] = [];
  if (given["unix"] !== undefined) places.push("unix");
  if (given["fd"] !== undefined && given["fd"] !== -1) places.push("fd");
  if (given["port"] !== undefined || given["hostname"] !== undefined) places.push("port and hostname");
  if (places.length > 1) {
    mistakes.push({
      path: places[0] as string,
      given: `together with ${places.slice(1).join(" and ")}`,
      allowed: "one place to listen",
      nearest: "",
    });
  }
  const limits = given["limits"];
  if (typeof limits !== "object" || limits === null) return;
  const { maxHeadBytes, maxTargetBytes } = limits as Record<string, unknown>;
  if (typeof maxHeadBytes === "number" && typeof maxTargetBytes === "number" && maxTargetBytes > maxHeadBytes) {
    mistakes.push({
      path: "limits.maxTargetBytes",
      given: show(maxTargetBytes),
      allowed: `at most limits.maxHeadBytes, ${maxHeadBytes}`,
      nearest: "",
    });
  }
}

function derive(options: ServeOptions, values: ReadonlyMap<string, unknown>): ResolvedOptions {
  const limits = groupOf("limits", values) as unknown as Limits;
  // Called as written: a `fetch` that uses `this` finds the object that it was given in
  const fetch: Handler = options.fetch.bind(options);
  return Object.freeze({
    fetch,
    target: targetOf(values),
    signal: values.get("signal") as AbortSignal | null,
    limits: Object.freeze({ ...limits, maxTargetBytes: Math.min(limits.maxTargetBytes, limits.maxHeadBytes) }),
    timeouts: Object.freeze(groupOf("timeouts", values) as unknown as Timeouts),
    leniencies: Object.freeze({
      allowBareLf: values.get("allowBareLf") as boolean,
      allowLowercaseMethods: values.get("allowLowercaseMethods") as boolean,
      additionalMethods: Object.freeze([...(values.get("additionalMethods") as readonly string[])]),
    }),
    isExplaining: values.get("explainRefusals") as boolean,
    replacesGlobals: values.get("replaceGlobals") as boolean,
    hooks: Object.freeze({ ...options.hooks }),
  });
}

function targetOf(values: ReadonlyMap<string, unknown>): ListenTarget {
  const backlog = values.get("backlog") as number;
  const path = values.get("unix") as string | null;
  if (path !== null) return Object.freeze({ kind: "unix", path, backlog });
  const fd = values.get("fd") as number;
  if (fd >= 0) return Object.freeze({ kind: "fd", fd, backlog });
  const hostname = (values.get("hostname") as string).replace(/^\[(.*)\]$/, "$1");
  return Object.freeze({ kind: "tcp", hostname, port: values.get("port") as number, backlog });
}

function groupOf(name: string, values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const prefix = `${name}.`;
  const group: Record<string, unknown> = {};
  for (const [path, value] of values) if (path.startsWith(prefix)) group[path.slice(prefix.length)] = value;
  return group;
}
