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
import { SYSTEM_TIME } from "./clock.ts";
import type { Hooks } from "./hooks.ts";
import {
  editDistance,
  isConsequence,
  mistakeIn,
  nameDistance,
  type OptionMistake,
  renderMistakes,
  show,
  takeList,
} from "./option-check.ts";
import { isStateOf, observerOf } from "./join-hooks.ts";
import type { HealthOptions } from "./health.ts";
import {
  checkPlaces,
  type ListenPlace,
  type ListenTarget,
  resolveHealth,
  resolveTargets,
  resolveTrust,
} from "./life-options.ts";
import type { OptionRow } from "./option-row.ts";
import { OPTION_TABLE } from "./option-table.ts";
import type { ProxyTrust } from "./preface.ts";
import type { Sendfile } from "./sendfile-pump.ts";
import {
  checkNeedOfTls,
  type ProxyProtocolOptions,
  type RedirectOptions,
  type ResolvedRedirect,
  type ResolvedTls,
  resolveProxyTrust,
  resolveRedirect,
  resolveTls,
  resolveTransportSecurity,
  type TlsOptions,
  type TransportSecurityOptions,
} from "./tls-options.ts";
import type { ResolvedTrust, TrustProxyOptions } from "./trust.ts";

/** Sizes and counts. */
export interface Limits extends WireLimits {
  /** Open connections, 10,000; Infinity: no limit. One more is answered 503 with Retry-After and closed. */
  readonly maxConnections: number;
  /** Open connections of one remote address, no limit. Behind a proxy all connections have the proxy's address. */
  readonly maxConnectionsPerAddress: number;
  /** Content that text(), json(), bytes(), blob() and formData() read at once, in octets, 1 MiB. Fastify 1 MiB, nginx 1 MiB. */
  readonly maxBufferedBytes: number;
  /**
   * Mean delay of the event loop in milliseconds above which requests are answered 503 with Retry-After, no limit. The paths of
   * `health` are answered all the same.
   */
  readonly maxEventLoopDelayMs: number;
}

/** Times in milliseconds. */
export interface Timeouts extends WireTimeouts {
  /** For close() to let requests finish, 30 s; then they are cut off. 0: at once; Infinity: no limit. Kubernetes 30 s. */
  readonly drainMs: number;
  /**
   * Between close() and the end of accepting, while `health.readyPath` says 503, 0. For load balancers that go on sending until
   * they have noticed: in Kubernetes, the endpoints' way to all nodes takes some seconds.
   */
  readonly lameDuckMs: number;
  /** From the opening of a connection to the end of its TLS handshake, or of its PROXY header, 10 s; 0 or Infinity: no limit. */
  readonly handshakeMs: number;
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
  /** Permissions of that file, e.g. 0o660, in force before anybody can connect; default -1: what the umask leaves. */
  readonly mode?: number | undefined;
  /** Descriptor of a listening socket that this process inherited (systemd: 3), in place of an address; -1: none. */
  readonly fd?: number | undefined;
  /** Several places to listen, in place of `port`, `hostname`, `unix` and `fd`: all of them, or none if one fails. */
  readonly listen?: readonly ListenPlace[] | undefined;
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
  /** Speak HTTPS; needs a certificate and its key. See docs/guides/tls.md. */
  readonly tls?: TlsOptions | undefined;
  /** Strict-Transport-Security on every answer over TLS that says none itself. */
  readonly hsts?: TransportSecurityOptions | undefined;
  /** A second port that sends plain HTTP to HTTPS. */
  readonly redirectFrom?: RedirectOptions | undefined;
  /** Proxies whose X-Forwarded or Forwarded fields are believed; by default nobody's are. */
  readonly trustProxy?: TrustProxyOptions | undefined;
  /** Answers `/healthz` and `/readyz` in front of `fetch`; `{}` for these paths. */
  readonly health?: HealthOptions | undefined;
  /** Proxies that begin each connection with who their client is. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Sends large files within the kernel, default none: `linuxSendfile()` of `fairlead/sendfile`, where its price is told. */
  readonly sendfile?: Sendfile | undefined;
  /** What observers want to be told; of several, each is told in order, whatever the others do. */
  readonly hooks?: Hooks | readonly Hooks[] | undefined;
}

/** Options after validation. */
export interface ResolvedOptions {
  readonly fetch: Handler;
  /** At least one; the first is the one that `server.url` tells of. */
  readonly targets: readonly ListenTarget[];
  readonly signal: AbortSignal | null;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  readonly leniencies: Leniencies;
  readonly isExplaining: boolean;
  readonly replacesGlobals: boolean;
  readonly tls: ResolvedTls | null;
  /** Strict-Transport-Security as a line with its CRLF, `""` for none. */
  readonly transportSecurity: string;
  readonly redirectFrom: ResolvedRedirect | null;
  readonly proxyTrust: ProxyTrust | null;
  readonly trust: ResolvedTrust | null;
  readonly health: Required<HealthOptions> | null;
  readonly sendfile: Sendfile | null;
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
  handshakeTimeout: "timeouts.handshakeMs",
  https: "tls",
  ssl: "tls",
  certificate: "tls.cert",
  SNICallback: "tls.servers",
  onListen: "hooks.onListen",
  onError: "hooks.onFault",
};

const GROUPS: readonly string[] = [
  "limits",
  "timeouts",
  "hooks",
  "tls",
  "hsts",
  "redirectFrom",
  "proxyProtocol",
  "trustProxy",
  "health",
];
/** Groups of which each option is looked at for itself: what is wrong with another says nothing of a file, or of an address. */
const OF_PARTS: ReadonlySet<string> = new Set(["tls", "trustProxy", "proxyProtocol", "health"]);
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
  const isSeveral = Array.isArray(options.hooks);
  if (isSeveral) checkObservers(options.hooks as readonly unknown[], mistakes);
  findStrangers(isSeveral ? { ...given, hooks: undefined } : given, mistakes);
  checkTogether(given, mistakes);
  // What is made of several values, or read from files, is looked at as if what is wrong were not given: it would be blamed twice
  const wrong = new Set(mistakes.map(({ path }) => path));
  const blamed = new Set([...wrong].filter((path) => !OF_PARTS.has(groupNameOf(path))).map(firstNameOf));
  for (const { path, default: value } of OPTION_TABLE) if (blamed.has(firstNameOf(path))) values.set(path, value);
  const found: OptionMistake[] = [];
  const derived = derive(options, values, given, blamed, found);
  const strangers = [...wrong].filter((path) => !PATHS.includes(path));
  mistakes.push(...found.filter((one) => !isConsequence(one, wrong, strangers)));
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", renderMistakes(mistakes), { cause: mistakes });
  return derived;
}

/** `tls` of `tls.servers[0].cert`. */
function firstNameOf(path: string): string {
  return path.replace(/[.[].*/, "");
}

/** The same of an option that is one of several; `""` of the group itself, or of one that has none. */
function groupNameOf(path: string): string {
  return path.includes(".") ? firstNameOf(path) : "";
}

/** What was given; for what is wrong with it the default, and of a list the rest. */
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
  const list = takeList(row, value, mistakes);
  if (list !== null) return list;
  const mistake = mistakeIn(row, value);
  if (mistake === null) return value;
  mistakes.push(mistake);
  return row.default;
}

/** Each of several observers as if it were alone, under its place. */
function checkObservers(observers: readonly unknown[], mistakes: OptionMistake[]): void {
  for (const [index, observer] of observers.entries()) {
    const found: OptionMistake[] = [];
    const alone = { hooks: observer ?? null };
    for (const row of OPTION_TABLE) if (row.path.startsWith("hooks.")) takeValue(row, alone, found);
    findStrangers(alone, found);
    mistakes.push(...found.map((one) => ({ ...one, path: one.path.replace(/^hooks/, `hooks[${index}]`) })));
  }
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
      if (PATHS.includes(`${group}.${name}`) || (group === "hooks" && isStateOf(value, name))) continue;
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
  // "constructor" is a member of every object
  if (Object.hasOwn(ELSEWHERE, name)) return ELSEWHERE[name] as string;
  const folded = name.toLowerCase();
  let nearest = "";
  // A third of the letters may be wrong, and two of four; three quarters of a step more is no further step
  let least = Math.max(name.length < 4 ? 1 : 2, Math.floor(name.length / 3)) + 0.75;
  for (const path of PATHS) {
    const last = path.slice(path.indexOf(".") + 1);
    // A name of the same group wins over the same name elsewhere
    const penalty = group !== "" && !path.startsWith(`${group}.`) ? 0.5 : 0;
    const distance = nameDistance(folded, last.toLowerCase()) + penalty;
    if (distance >= least) continue;
    least = distance;
    nearest = path;
  }
  return nearest;
}

/** Rules between options. */
function checkTogether(given: Readonly<Record<string, unknown>>, mistakes: OptionMistake[]): void {
  checkPlaces(given, mistakes);
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
  const { mode } = given;
  const isModeAlone = given["unix"] === undefined && given["listen"] === undefined;
  if (isModeAlone && typeof mode === "number" && mode >= 0 && !mistakes.some(({ path }) => path === "mode"))
    mistakes.push({ path: "mode", given: "without unix", allowed: "unix besides", nearest: "" });
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

function derive(
  options: ServeOptions,
  values: ReadonlyMap<string, unknown>,
  given: Readonly<Record<string, unknown>>,
  blamed: ReadonlySet<string>,
  mistakes: OptionMistake[],
): ResolvedOptions {
  const isRight = (name: string): boolean => given[name] !== undefined && !blamed.has(name);
  checkNeedOfTls(values, given["tls"] !== undefined, mistakes);
  const limits = groupOf("limits", values) as unknown as Limits;
  // Called as written: a `fetch` that uses `this` finds the object that it was given in
  const fetch: Handler = blamed.has("fetch") ? () => undefined : options.fetch.bind(options);
  return Object.freeze({
    fetch,
    targets: resolveTargets(values, mistakes),
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
    sendfile: values.get("sendfile") as Sendfile | null,
    tls: isRight("tls") ? resolveTls(values, mistakes, SYSTEM_TIME.wallMs(), options.tls) : null,
    transportSecurity: resolveTransportSecurity(values, mistakes),
    redirectFrom: resolveRedirect(values, values.get("hostname") as string),
    proxyTrust: isRight("proxyProtocol") ? resolveProxyTrust(values, mistakes) : null,
    trust: isRight("trustProxy") ? resolveTrust(values, mistakes) : null,
    health: isRight("health") ? resolveHealth(values, mistakes) : null,
    hooks: Object.freeze({ ...observerOf(blamed.has("hooks") ? undefined : options.hooks) }),
  });
}

function groupOf(name: string, values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const prefix = `${name}.`;
  const group: Record<string, unknown> = {};
  for (const [path, value] of values) if (path.startsWith(prefix)) group[path.slice(prefix.length)] = value;
  return group;
}
