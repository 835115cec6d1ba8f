/**
 * Options of a server's life in production: where it listens, whom it believes, how it says how it is. Rows of the option table,
 * and what the values come to.
 *
 * A group that is not given (`trustProxy`, `health`) means that there is no such thing; its defaults hold once it is.
 */

import { ADDRESSES_ALLOWED, AddressSet } from "./address-set.ts";
import type { HealthOptions } from "./health.ts";
import { inheritedSockets } from "./inherited-sockets.ts";
import { type OptionMistake, show } from "./option-check.ts";
import { nearestOf } from "./option-rules.ts";
import { integer, type OptionRow, other } from "./option-row.ts";
import type { ResolvedTrust } from "./trust.ts";

type Values = ReadonlyMap<string, unknown>;

/** One place of several to listen at: exactly one of `port` (with `hostname`), `unix`, `fd` and `systemd`. */
export interface ListenPlace {
  /** TCP port, 0 to 65,535; 0 takes any free one. That of the option `port` where only `hostname` is given. */
  readonly port?: number | undefined;
  /** Address or name to listen on; that of the option `hostname`, 127.0.0.1, where it is not given. */
  readonly hostname?: string | undefined;
  /** Path of a unix socket. */
  readonly unix?: string | undefined;
  /** Permissions of the socket file, e.g. 0o660; as the process's umask has it where it is not given. */
  readonly mode?: number | undefined;
  /** Descriptor of a socket that was inherited and listens already. */
  readonly fd?: number | undefined;
  /** Sockets that systemd has opened for this process: `true` for all of them, or the name of one (`FileDescriptorName=`). */
  readonly systemd?: boolean | string | undefined;
  /** Connections that the system holds here until they are accepted, 1 to 65,535; the option `backlog`, 511, otherwise. */
  readonly backlog?: number | undefined;
}

/** Where to listen. */
export type ListenTarget =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number; readonly backlog: number }
  | { readonly kind: "unix"; readonly path: string; readonly backlog: number; readonly mode?: number }
  | { readonly kind: "fd"; readonly fd: number; readonly backlog: number };

const MAX_PORT = 65_535;
const MAX_MODE = 0o777;

/** Rows that say where and whom, in the order of the reference. */
export const LIFE_OPTION_ROWS: readonly OptionRow[] = [
  other(
    "listen",
    "objects",
    [],
    "several places to listen, each { port, hostname }, { unix, mode }, { fd } or { systemd }, in place of those options themselves",
    "nginx listen",
  ),
  integer(
    "mode",
    "",
    -1,
    -1,
    MAX_MODE,
    "permissions of the socket file of unix, e.g. 0o660, a mistake without one; -1 for what the umask of the process leaves",
    "systemd SocketMode",
  ),
  other(
    "trustProxy.from",
    "texts",
    [],
    "addresses and networks (10.0.0.0/8) of your proxies, or loopback, private, unix; what they say of their clients is believed, so whoever is in them can claim any address",
    "nginx set_real_ip_from",
  ),
  other(
    "trustProxy.header",
    "forwarding-header",
    "x-forwarded",
    "which fields your proxies write: X-Forwarded-For and -Proto, or Forwarded (RFC 7239); the others are never looked at",
  ),
  other(
    "trustProxy.host",
    "boolean",
    false,
    "believe X-Forwarded-Host too, which many proxies pass on as their client has sent it; the host of Forwarded needs no such word",
  ),
  other(
    "health.livePath",
    "path",
    "/healthz",
    "answered 200 as long as the process answers",
    "Kubernetes livenessProbe",
  ),
  other(
    "health.readyPath",
    "path",
    "/readyz",
    "answered 200 when requests are welcome, 503 before check agrees and from close() on; another path than livePath",
    "Kubernetes readinessProbe",
  ),
  other("health.check", "function", null, "whether the application is ready: () => boolean, or a promise of one"),
];

/** Mistakes between `listen` and its entries, or between it and the places at the top. */
export function checkPlaces(given: Readonly<Record<string, unknown>>, mistakes: OptionMistake[]): void {
  const list = given["listen"];
  if (list === undefined || !Array.isArray(list)) return;
  if (list.length === 0)
    mistakes.push({ path: "listen", given: "no place", allowed: "one place at least", nearest: "" });
  for (const name of ["port", "hostname", "unix", "fd", "mode"]) {
    if (given[name] === undefined) continue;
    mistakes.push({ path: "listen", given: `together with ${name}`, allowed: `${name} in its entries`, nearest: "" });
  }
  for (const [index, place] of list.entries()) {
    if (typeof place === "object" && place !== null) checkPlace(`listen[${index}]`, place as ListenPlace, mistakes);
  }
}

/** What each member of a place may be. */
const PLACE_RULES: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  port: [(value) => isIntegerUpTo(value, MAX_PORT), `an integer from 0 to ${MAX_PORT}`],
  hostname: [isText, "text that is not empty and holds no NUL"],
  unix: [isText, "text that is not empty and holds no NUL"],
  mode: [(value) => isIntegerUpTo(value, MAX_MODE), "permissions from 0 to 0o777"],
  fd: [(value) => isIntegerUpTo(value, 0x7fff_ffff), "a descriptor"],
  systemd: [(value) => value === true || isText(value), "true, or the name of a socket"],
  backlog: [(value) => isIntegerUpTo(value, MAX_PORT) && value !== 0, `an integer from 1 to ${MAX_PORT}`],
};

const PLACE_NAMES: readonly string[] = Object.keys(PLACE_RULES);
/** What Node's `listen()` calls them. */
const NODES_NAMES: ReadonlyMap<string, string> = new Map([
  ["host", "hostname"],
  ["path", "unix"],
]);
/** Those that say where. */
const KINDS: ReadonlySet<string> = new Set(["port", "hostname", "unix", "fd", "systemd"]);

function checkPlace(path: string, place: ListenPlace, mistakes: OptionMistake[]): void {
  let meant = "";
  for (const [name, value] of Object.entries(place)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(PLACE_RULES, name) ? PLACE_RULES[name] : undefined;
    if (rule === undefined) {
      const nearest = NODES_NAMES.get(name) ?? nearestOf(name, PLACE_NAMES);
      if (KINDS.has(nearest)) meant = nearest;
      mistakes.push({
        path: `${path}.${name}`,
        given: show(value),
        allowed: "",
        nearest: nearest && `${path}.${nearest}`,
      });
    } else if (!rule[0](value)) {
      mistakes.push({ path: `${path}.${name}`, given: show(value), allowed: rule[1], nearest: "" });
    }
  }
  const kinds = [place.port ?? place.hostname, place.unix, place.fd, place.systemd].filter(
    (kind) => kind !== undefined,
  );
  // Of a name that nobody knows it may have been the value
  if (kinds.length > 1 || (kinds.length === 0 && meant === "")) {
    const given = kinds.length === 0 ? "no address" : "several addresses";
    mistakes.push({ path, given, allowed: "one of port (with hostname), unix, fd and systemd", nearest: "" });
  }
  if (place.mode !== undefined && place.unix === undefined) {
    mistakes.push({ path: `${path}.mode`, given: "without unix", allowed: "unix besides", nearest: "" });
  }
}

function isIntegerUpTo(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

/** All places to listen, in order; at least one unless there are mistakes. */
export function resolveTargets(values: Values, mistakes: OptionMistake[]): readonly ListenTarget[] {
  const places = values.get("listen") as readonly ListenPlace[];
  if (places.length === 0) {
    const fd = values.get("fd") as number;
    const mode = values.get("mode") as number;
    return targetsOf(
      {
        unix: (values.get("unix") as string | null) ?? undefined,
        mode: mode === -1 ? undefined : mode,
        fd: fd === -1 ? undefined : fd,
      },
      values,
      "fd",
      mistakes,
    );
  }
  return Object.freeze(places.flatMap((place, index) => targetsOf(place, values, `listen[${index}]`, mistakes)));
}

function targetsOf(place: ListenPlace, values: Values, path: string, mistakes: OptionMistake[]): ListenTarget[] {
  const backlog = place.backlog ?? (values.get("backlog") as number);
  if (place.unix !== undefined) {
    const mode = place.mode === undefined ? {} : { mode: place.mode };
    return [Object.freeze({ kind: "unix", path: place.unix, backlog, ...mode })];
  }
  if (place.fd !== undefined) return [Object.freeze({ kind: "fd", fd: place.fd, backlog })];
  if (place.systemd !== undefined) {
    const wanted = place.systemd === true ? null : String(place.systemd);
    const fds = inheritedSockets(process.env, process, wanted);
    if (typeof fds === "string")
      mistakes.push({ path: `${path}.systemd`, given: "", allowed: "", nearest: "", what: fds });
    else return fds.map((fd) => Object.freeze({ kind: "fd", fd, backlog }));
    return [];
  }
  const hostname = (place.hostname ?? (values.get("hostname") as string)).replace(/^\[(.*)\]$/, "$1");
  return [Object.freeze({ kind: "tcp", hostname, port: place.port ?? (values.get("port") as number), backlog })];
}

/** Whom to believe; call it where the option was given. */
export function resolveTrust(values: Values, mistakes: OptionMistake[]): ResolvedTrust {
  const path = "trustProxy.from";
  const from = new AddressSet();
  const entries = values.get(path) as readonly string[];
  if (entries.length === 0) mistakes.push({ path, given: "nobody", allowed: ADDRESSES_ALLOWED, nearest: "" });
  for (const entry of entries) {
    if (!from.add(entry)) mistakes.push({ path, given: show(entry), allowed: ADDRESSES_ALLOWED, nearest: "" });
  }
  const header = values.get("trustProxy.header") as ResolvedTrust["header"];
  return Object.freeze({ from, header, host: values.get("trustProxy.host") as boolean });
}

/** Where and how health is told; call it where the option was given. */
export function resolveHealth(values: Values, mistakes: OptionMistake[]): Required<HealthOptions> {
  const livePath = values.get("health.livePath") as string;
  const readyPath = values.get("health.readyPath") as string;
  // Who is asked whether it lives would be restarted for not being ready, or never be told that it is not
  if (livePath === readyPath)
    mistakes.push({ path: "health.readyPath", given: "the same as livePath", allowed: "another path", nearest: "" });
  return Object.freeze({
    livePath,
    readyPath,
    check: values.get("health.check") as Required<HealthOptions>["check"],
  });
}
