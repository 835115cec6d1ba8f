/**
 * The flags: one table, of which everything else is made: reading, help, and what is said to a flag that is none of ours.
 *
 * Names and defaults keep people's habits, see docs/reference/cli.md. It must hold no behaviour but the shape of a value that
 * may be left out.
 */

/** What a flag is called in the code: its long name. */
export type FlagName =
  | "acme"
  | "acme-directory"
  | "admin"
  | "auth"
  | "cache"
  | "clean-urls"
  | "color"
  | "compress"
  | "config"
  | "cors"
  | "domain"
  | "dotfiles"
  | "follow"
  | "header"
  | "help"
  | "host"
  | "isolated"
  | "json"
  | "limits"
  | "list"
  | "listen"
  | "log"
  | "log-file"
  | "open"
  | "port"
  | "port-switching"
  | "precompressed"
  | "qr"
  | "quiet"
  | "root"
  | "rules"
  | "sendfile"
  | "single"
  | "tls"
  | "tls-cert"
  | "tls-key"
  | "verbose"
  | "version"
  | "workers";

/** Headings of the help, in order. */
export type FlagGroup = "Where" | "TLS" | "Files" | "Who may" | "What it says" | "Help" | "";

/** One flag. */
export interface FlagRow {
  readonly name: FlagName;
  /** A letter, or `""`. */
  readonly short: string;
  /** `<N>` must be given, `[FILE]` may be, `""`: on or off. */
  readonly value: string;
  /** Of a value that may be left out: whether the next word is one. Otherwise that word is what shall be served. */
  readonly fits: ((word: string, hasSubject: boolean) => boolean) | null;
  /** How it is written in the help: both ways, or the one that is not the default. */
  readonly shown: string;
  /** May be given several times; otherwise the last one counts. */
  readonly isRepeatable: boolean;
  /** `""`: not in the help. */
  readonly group: FlagGroup;
  readonly meaning: string;
  /** Means something only where files are served: a module decides itself. */
  readonly isOfFiles: boolean;
}

/** Values by flag, in the order given; true and false for flags without one. */
export type Flags = ReadonlyMap<FlagName, readonly (string | boolean)[]>;

/** An address as it is hardly the name of a folder. */
const ADDRESS = /^$|^localhost$|^\d+(?:\.\d+){3}$|^\[?[\da-f.]*:[\da-f:.]*(?:%\w+)?\]?$|^(?:[a-z\d-]+\.)+[a-z\d-]+$/i;

const KIND: { readonly isRepeatable: boolean; readonly isOfFiles: boolean; readonly fits: null } = {
  isRepeatable: false,
  isOfFiles: false,
  fits: null,
};

/** Flags in the order of the help. */
export const FLAG_TABLE: readonly FlagRow[] = [
  {
    ...KIND,
    name: "port",
    short: "p",
    value: "<N>",
    shown: "-p, --port <N>",
    group: "Where",
    meaning: "TCP port, 0 for any free one (default 8080, env PORT)",
  },
  {
    ...KIND,
    name: "host",
    short: "",
    value: "[ADDR]",
    shown: "--host [ADDR]",
    group: "Where",
    meaning: "address to listen on, alone: all (default 127.0.0.1, env HOST); repeatable",
    isRepeatable: true,
    fits: (word) => ADDRESS.test(word),
  },
  {
    ...KIND,
    name: "listen",
    short: "l",
    value: "<URI>",
    shown: "-l, --listen <URI>",
    group: "Where",
    meaning: "tcp://HOST:PORT, unix:/PATH or fd:3, in place of both; repeatable",
    isRepeatable: true,
  },
  {
    ...KIND,
    name: "workers",
    short: "",
    value: "<N>",
    shown: "--workers <N>",
    group: "Where",
    meaning: "worker processes that share the port; auto: one per core (default: this process alone)",
  },
  {
    ...KIND,
    name: "admin",
    short: "",
    value: "[ADDR]",
    shown: "--admin [ADDR]",
    group: "Where",
    meaning: "metrics and health on an address of their own (default off, alone: 127.0.0.1:9180)",
    fits: (word, hasSubject) => /:\d+$/.test(word) || (hasSubject && /^\d+$/.test(word)),
  },
  {
    ...KIND,
    name: "open",
    short: "o",
    value: "[PATH]",
    shown: "-o, --open [PATH]",
    group: "Where",
    meaning: "show it in the browser",
    fits: (word, hasSubject) => hasSubject && word.startsWith("/"),
  },
  {
    ...KIND,
    name: "qr",
    short: "",
    value: "",
    shown: "--qr",
    group: "Where",
    meaning: "print the address for a phone's camera",
  },
  {
    ...KIND,
    name: "tls",
    short: "",
    value: "",
    shown: "--tls, --https",
    group: "TLS",
    meaning: "speak HTTPS, with a local certificate that is made once (fairlead trust)",
  },
  {
    ...KIND,
    name: "tls-cert",
    short: "",
    value: "<FILE>",
    shown: "--tls-cert <FILE>",
    group: "TLS",
    meaning: "a certificate with those of its issuers, PEM; read again when it changes",
  },
  {
    ...KIND,
    name: "tls-key",
    short: "",
    value: "<FILE>",
    shown: "--tls-key <FILE>",
    group: "TLS",
    meaning: "its key, PEM (default: in the same file)",
  },
  {
    ...KIND,
    name: "acme",
    short: "",
    value: "<MAIL>",
    shown: "--acme <MAIL>",
    group: "TLS",
    meaning: "obtain and renew a certificate from Let's Encrypt; listens on ports 443 and 80 of all addresses",
  },
  {
    ...KIND,
    name: "domain",
    short: "",
    value: "<NAME>",
    shown: "--domain <NAME>",
    group: "TLS",
    meaning: "a name that the certificate is for; repeatable",
    isRepeatable: true,
  },
  {
    ...KIND,
    name: "acme-directory",
    short: "",
    value: "<URL>",
    shown: "--acme-directory <URL>",
    group: "TLS",
    meaning: "another authority: staging, or the URL of its directory (default production)",
  },
  {
    ...KIND,
    name: "single",
    short: "s",
    value: "[FILE]",
    shown: "-s, --single, --spa [FILE]",
    group: "Files",
    meaning: "single-page app: pages that do not exist are FILE (default index.html)",
    isOfFiles: true,
    fits: (word) => /\.html?$/i.test(word),
  },
  {
    ...KIND,
    name: "cache",
    short: "",
    value: "<TIME>",
    shown: "--cache <TIME>",
    group: "Files",
    meaning: "how long clients may keep files: 10m, 1y, off; auto: ask each time, but keep hashed names (default)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "clean-urls",
    short: "",
    value: "",
    shown: "--clean-urls, --no-clean-urls",
    group: "Files",
    meaning: "/about is about.html (default on)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "list",
    short: "",
    value: "",
    shown: "--list, --no-list",
    group: "Files",
    meaning: "list folders that have no index (default: on if only this machine can ask)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "dotfiles",
    short: "",
    value: "",
    shown: "--dotfiles",
    group: "Files",
    meaning: "serve names with a leading dot (.well-known always is)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "follow",
    short: "",
    value: "",
    shown: "--follow",
    group: "Files",
    meaning: "follow links that lead out of the folder",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "compress",
    short: "",
    value: "",
    shown: "--compress, --no-compress",
    group: "Files",
    meaning: "compress what gains by it (default on)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "precompressed",
    short: "",
    value: "",
    shown: "--precompressed, --no-precompressed",
    group: "Files",
    meaning: "use FILE.br, FILE.zst and FILE.gz beside FILE (default on)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "rules",
    short: "",
    value: "",
    shown: "--rules, --no-rules",
    group: "Files",
    meaning: "_redirects and _headers of the folder say what becomes of its paths (default on)",
    isOfFiles: true,
  },
  {
    ...KIND,
    name: "sendfile",
    short: "",
    value: "",
    shown: "--sendfile",
    group: "Files",
    meaning: "the kernel sends large files by itself, on Linux with the package koffi (default off)",
  },
  {
    ...KIND,
    name: "auth",
    short: "",
    value: "<USER:PASS>",
    shown: "--auth <USER:PASS>",
    group: "Who may",
    meaning: "ask for name and password; @FILE has one per line (env FAIRLEAD_AUTH)",
  },
  {
    ...KIND,
    name: "cors",
    short: "",
    value: "[ORIGINS]",
    shown: "--cors [ORIGINS]",
    group: "Who may",
    meaning: "let scripts of other sites read: all, or those of a comma-separated list",
    fits: (word) => word === "*" || word === "null" || word.includes("://"),
  },
  {
    ...KIND,
    name: "isolated",
    short: "",
    value: "",
    shown: "--isolated",
    group: "Who may",
    meaning: "cross-origin isolation (COOP and COEP), for SharedArrayBuffer",
  },
  {
    ...KIND,
    name: "header",
    short: "H",
    value: "<FIELD>",
    shown: "-H, --header <FIELD>",
    group: "Who may",
    meaning: 'a field on every response, "Name: value"; repeatable',
    isRepeatable: true,
  },
  {
    ...KIND,
    name: "quiet",
    short: "q",
    value: "",
    shown: "-q, --quiet",
    group: "What it says",
    meaning: "say nothing but errors",
  },
  {
    ...KIND,
    name: "verbose",
    short: "v",
    value: "",
    shown: "-v, --verbose",
    group: "What it says",
    meaning: "say more of each request: who asked, with what, from where",
  },
  {
    ...KIND,
    name: "log",
    short: "",
    value: "<FORM>",
    shown: "--log <FORM>",
    group: "What it says",
    meaning: "text, json, combined, common or off (default: text on a terminal, else json)",
  },
  {
    ...KIND,
    name: "log-file",
    short: "",
    value: "<FILE>",
    shown: "--log-file <FILE>",
    group: "What it says",
    meaning: "append the line per request to a file",
  },
  {
    ...KIND,
    name: "color",
    short: "",
    value: "",
    shown: "--no-color",
    group: "What it says",
    meaning: "no colour, also by env NO_COLOR",
  },
  {
    ...KIND,
    name: "config",
    short: "c",
    value: "<FILE>",
    shown: "-c, --config <FILE>, --no-config",
    group: "Help",
    meaning: "read settings from FILE, or none (default: fairlead.config.ts, .js, .mjs or .json of this folder)",
  },
  {
    ...KIND,
    name: "json",
    short: "",
    value: "",
    shown: "--json",
    group: "Help",
    meaning: "fairlead check prints JSON",
  },
  {
    ...KIND,
    name: "limits",
    short: "",
    value: "",
    shown: "--limits",
    group: "Help",
    meaning: "print every limit and timeout with its default, and stop",
  },
  { ...KIND, name: "help", short: "h", value: "", shown: "-h, --help", group: "Help", meaning: "show this" },
  {
    ...KIND,
    name: "version",
    short: "V",
    value: "",
    shown: "-V, --version",
    group: "Help",
    meaning: "print the version",
  },
  // Known from elsewhere, with nothing of ours in their place
  { ...KIND, name: "root", short: "", value: "<FOLDER>", shown: "--root <FOLDER>", group: "", meaning: "the folder" },
  {
    ...KIND,
    name: "port-switching",
    short: "",
    value: "",
    shown: "--no-port-switching",
    group: "",
    meaning: "fail if the default port is taken",
  },
];

/** The last value that a flag was given, undefined if it was not. */
export function lastOf(flags: Flags, name: FlagName): string | boolean | undefined {
  return flags.get(name)?.at(-1);
}

/** The last text that a flag was given; undefined if it was not, or without a value. */
export function textOf(flags: Flags, name: FlagName): string | undefined {
  const value = lastOf(flags, name);
  return typeof value === "string" ? value : undefined;
}

/** Whether a flag is on; `byDefault` if it was not given. */
export function isOn(flags: Flags, name: FlagName, byDefault: boolean): boolean {
  const value = lastOf(flags, name);
  return value === undefined ? byDefault : value !== false;
}
