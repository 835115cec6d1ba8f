/**
 * The configuration file of the command as a type: every flag under its name in camelCase, and the options of serve() and
 * serveStatic() that are plain data.
 *
 * Types and one function that gives back what it gets: reading and checking is the command's, because a file may be JSON and
 * know nothing of types. A test holds the names here against the table of flags.
 */

import type { ServeOptions } from "../server/options.ts";
import type { StaticOptions } from "../static/static-options.ts";

/** Options of serve() that a configuration file may set: all but the handler, the address and the hooks, which are code. */
export type ServerConfig = Omit<
  ServeOptions,
  "fetch" | "port" | "hostname" | "unix" | "fd" | "listen" | "sendfile" | "signal" | "hooks"
>;

/** Options of serveStatic() that no flag has. */
export type FileConfig = Pick<
  StaticOptions,
  "index" | "notFound" | "prefix" | "mediaTypes" | "maxCacheBytes" | "maxCacheEntries"
>;

/**
 * What `fairlead.config.ts` and its like export by default. A flag or a variable of the environment goes before it. Paths are
 * relative to the file. What is not given, or undefined, has the default of its flag.
 */
export interface Config extends Omit<ServerConfig, "tls"> {
  /** What is served: a folder, a file or a module. What stands on the command line goes before it. */
  readonly root?: string | undefined;
  /** TCP port, 0 for any free one. Default 8080. */
  readonly port?: number | string | undefined;
  /** Addresses to listen on; true: all that there are. Default `127.0.0.1`, this machine only. */
  readonly host?: boolean | string | readonly string[] | undefined;
  /** `tcp://HOST:PORT`, `unix:/PATH` or `fd:3`, in place of port and host. */
  readonly listen?: string | readonly string[] | undefined;
  /** Take the next free port if the default one is taken. Default true. */
  readonly portSwitching?: boolean | undefined;
  /** Worker processes that share the port; `"auto"`: one per core. Default: one process without a supervisor. */
  readonly workers?: number | string | undefined;
  /** Tell metrics and health at this address, `"127.0.0.1:9180"`; true: there. Default false. */
  readonly admin?: boolean | string | undefined;
  /** Show it in the browser, at that path. Default false. */
  readonly open?: boolean | string | undefined;
  /**
   * Speak HTTPS: true with a local certificate, or with the options of serve() in full. A flag that says where the certificate
   * comes from goes before those. Default false.
   */
  readonly tls?: boolean | ServeOptions["tls"] | undefined;
  /** File with the certificate and those of its issuers, in PEM. Default none. */
  readonly tlsCert?: string | undefined;
  /** File with its key. Default: the one with the certificate. */
  readonly tlsKey?: string | undefined;
  /** Obtain and renew a certificate; the authority may write to this address. Default none. */
  readonly acme?: string | undefined;
  /** Names that it is for. */
  readonly domain?: string | readonly string[] | undefined;
  /** `"production"`, `"staging"`, or the URL of a directory (RFC 8555). Default `"production"`. */
  readonly acmeDirectory?: string | undefined;
  /** Print the address for a phone's camera. Default false. */
  readonly qr?: boolean | undefined;
  /** Single-page app: what a browser navigates to and does not exist is this page; true: `index.html`. Default false. */
  readonly single?: boolean | string | undefined;
  /** How long clients may keep files: `"10m"`, `"1y"`, seconds, `"off"`, `"auto"`. Default `"auto"`. */
  readonly cache?: number | string | undefined;
  /** `/about` is `about.html`. Default true. */
  readonly cleanUrls?: boolean | undefined;
  /** List folders that have no index. Default: true if only this machine can ask. */
  readonly list?: boolean | undefined;
  /** Serve names with a leading dot. Default false; `.well-known` always is. */
  readonly dotfiles?: boolean | undefined;
  /** Follow links that lead out of the folder. Default false. */
  readonly follow?: boolean | undefined;
  /** Compress what gains by it. Default true. */
  readonly compress?: boolean | undefined;
  /** Use `FILE.br`, `FILE.zst` and `FILE.gz` beside `FILE`. Default true. */
  readonly precompressed?: boolean | undefined;
  /** `_redirects` and `_headers` of the folder are read. Default true. */
  readonly rules?: boolean | undefined;
  /** The kernel sends large files by itself, on Linux with the package koffi. Default false. */
  readonly sendfile?: boolean | undefined;
  /** Name and password that are asked for, `user:password`, or `@FILE` with one per line. Default none. */
  readonly auth?: string | undefined;
  /** Origins whose scripts may read; true or `"*"`: all. Default false. */
  readonly cors?: boolean | string | readonly string[] | undefined;
  /** Cross-origin isolation (COOP and COEP). Default false. */
  readonly isolated?: boolean | undefined;
  /** Fields of every response, in place of ours of the same name. Default none. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Say nothing but errors. Default false. */
  readonly quiet?: boolean | undefined;
  /** Say more of each request. Default false. */
  readonly verbose?: boolean | undefined;
  /** Form of the line per request. Default `"text"` on a terminal, else `"json"`. */
  readonly log?: string | undefined;
  /** File that the line per request is appended to. Default none. */
  readonly logFile?: string | undefined;
  /** Colour on a terminal. Default true. */
  readonly color?: boolean | undefined;
  /** How files are served, where no flag says it. */
  readonly files?: FileConfig | undefined;
}

/**
 * Gives back a configuration, so that an editor knows what may stand in it.
 *
 * @param config it is checked by the command, and by `fairlead check` without serving
 */
export function defineConfig(config: Config): Config {
  return config;
}
