/**
 * A flag that is none of ours -> which of ours is meant: the habits of serve, http-server, sirv, miniserve, Caddy and python.
 *
 * Letters that mean different things to different tools are not guessed but told apart. Loaded only for a mistake.
 */

import { editDistance } from "../server/option-check.ts";
import { CommandError, joinMistakes } from "./command-error.ts";
import { ALIASES } from "./flag-aliases.ts";
import { FLAG_TABLE } from "./flags.ts";
import type { UnknownFlag } from "./usage.ts";

const TLS = "HTTPS is --tls, or --tls-cert FILE --tls-key FILE";
const NO_FORWARDING = "requests are not forwarded to other servers here";
/** Node watches all modules of an app, and the command stops and starts as it should. */
const WATCH =
  "changed files show by themselves; the code of an app does with node --watch node_modules/.bin/fairlead app.js";
const OF_NODE = "flags of Node go before the command: node";
const THE_COMMAND = "node_modules/.bin/fairlead app.js";
const INSPECT = `${OF_NODE} --inspect ${THE_COMMAND}`;
const FIRST = `${OF_NODE} --import FILE ${THE_COMMAND}`;
const TYPES = "types by extension are files.mediaTypes in a configuration file";
const NO_UPLOAD = "files are only read here, never written";
const AUTH = "name and password are --auth USER:PASS";
const SOCKET = "a unix socket is --listen unix:/PATH";
const NO_RELOAD = "changes show when a page is loaded again, which nothing does for the browser";
const COMPRESSED_FILES = "compressed files beside the plain ones are --precompressed, which is on";

/** By the flag as it was typed, without its value. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ["-a", "the address is --host, name and password are --auth"],
  ["-b", `the address is --host, a list of the folder is --list, ${COMPRESSED_FILES}`],
  ["-C", "other sites' scripts are let in by --cors, compression is --compress"],
  ["-d", "the folder stands alone, as in fairlead ./site; a list of it is --list, dot files are --dotfiles"],
  ["-D", `dot files are --dotfiles; ${WATCH}`],
  ["-e", "caching is --cache, with auto as default"],
  ["-f", "an inherited socket is --listen fd:3"],
  ["-g", COMPRESSED_FILES],
  ["-B", COMPRESSED_FILES],
  ["-G", COMPRESSED_FILES],
  ["-i", "a list of the folder is --list, the address is --host; hashed names are immutable by --cache auto"],
  ["-I", "no list of the folder is --no-list"],
  ["-k", TLS],
  ["-K", TLS],
  ["-L", "no line per request is --log off"],
  ["-m", "caching is --cache: 10m, 1y, off"],
  ["-n", "nothing is copied to a clipboard, there is nothing to switch off"],
  ["-P", NO_FORWARDING],
  ["-r", "the folder stands alone, as in fairlead ./site"],
  ["-S", "links that lead out of the folder are followed by --follow; " + TLS],
  ["-t", TLS],
  ["-u", `compression is switched off by --no-compress; ${NO_UPLOAD}`],
  ["-U", NO_UPLOAD],
  ["-w", `${WATCH}; a configuration file is -c`],
  ["-x", "compression is --compress, which is on"],
  ["-z", "a list of the folder is --list"],
  ["--access-log", "the log is --log text, json, combined, common or off"],
  ["--auth-file", "a file of names and passwords is --auth @FILE"],
  ["--basic-auth", `${AUTH}; hashes in a file are made by fairlead hash-password`],
  ["--daemon", "it stays in the foreground, and a service manager keeps it, e.g. systemd"],
  ["--debug", "more about each request is --verbose, why an answer is what it is says fairlead explain"],
  ["--dev", WATCH],
  ["--etag", "every file has an entity tag, there is nothing to switch on"],
  ["--h2", `HTTP/2 is not spoken here yet; ${TLS}`],
  ["--hmr", NO_RELOAD],
  ["--hot", NO_RELOAD],
  ["--http2", `HTTP/2 is not spoken here yet; ${TLS}`],
  ["--immutable", "hashed names are immutable by --cache auto, all files are kept for a year by --cache 1y"],
  ["--import", FIRST],
  ["--index", "the page for all pages of a single-page app is --spa FILE"],
  ["--inspect", INSPECT],
  ["--inspect-brk", INSPECT],
  ["--interfaces", "the address is --host"],
  ["--live", NO_RELOAD],
  ["--live-reload", NO_RELOAD],
  ["--livereload", NO_RELOAD],
  ["--mime", TYPES],
  ["--mimetypes", TYPES],
  ["--mode", "permissions of a socket file are mode in a configuration file, there is no mode for development"],
  ["--no-clipboard", "nothing is copied to a clipboard, there is nothing to switch off"],
  ["--no-request-logging", "no line per request is --log off"],
  ["--password", AUTH],
  ["--proxy", NO_FORWARDING],
  ["--reload", NO_RELOAD],
  ["--require", FIRST],
  ["--socket", SOCKET],
  ["--unix", SOCKET],
  ["--unix-socket", SOCKET],
  ["--upload", NO_UPLOAD],
  ["--upload-files", NO_UPLOAD],
  ["--user", AUTH],
  ["--username", AUTH],
  ["--watch", WATCH],
]);

const HELP = "fairlead --help shows all flags";

/** What is said instead of starting. */
export function explainFlags(error: UnknownFlag): CommandError {
  const mistakes = [...[error, ...error.others].map(explainFlag), ...error.mistakes];
  const [first] = mistakes;
  if (first !== undefined && mistakes.length === 1) return new CommandError(2, first.message, [...first.advice, HELP]);
  const joined = joinMistakes(mistakes, "flags");
  return new CommandError(2, joined.message, [...joined.advice, HELP]);
}

function explainFlag({ word, flag }: UnknownFlag): CommandError {
  // Of letters that hang together the one that is meant is hard to say, and `-o=/x` hangs together for the reader of flags
  const shown = /^-\w=/.test(word) ? word : flag;
  return new CommandError(2, `there is no flag ${shown}${hintFor(word, flag)}`);
}

function hintFor(word: string, flag: string): string {
  const seconds = /^-m=?(-?\d+)$/.exec(word)?.[1];
  if (seconds !== undefined) {
    return Number(seconds) < 0
      ? "; caching off is --cache off"
      : `; caching for ${seconds} seconds is --cache ${seconds}s`;
  }
  const attached = /^-(\w)=/.exec(word)?.[1];
  const long = FLAG_TABLE.find(({ short }) => short !== "" && short === attached);
  if (long !== undefined) return `; a value goes behind the long name: --${long.name}${word.slice(2)}`;
  const meant = MEANT.get(flag);
  if (meant !== undefined) return `; ${meant}`;
  if (flag.startsWith("--") && process.allowedNodeEnvironmentFlags.has(flag)) return `; ${OF_NODE} FLAG ${THE_COMMAND}`;
  const nearest = nearestTo(flag);
  return nearest === "" ? "" : `; did you mean ${nearest}?`;
}

/** A long name that is a slip of the pen away. */
function nearestTo(flag: string): string {
  if (!flag.startsWith("--")) return "";
  const name = flag.slice(2).toLowerCase();
  let nearest = "";
  // Half a step more is no further step
  let fewest = (name.length < 4 ? 1 : 2) + 0.5;
  for (const { name: ours, shown, group } of FLAG_TABLE) {
    const written = group === "" ? [] : [...shown.matchAll(/--([\w-]+)/g)].map(([, long = ""]) => long);
    for (const candidate of new Set([...written, ...(group === "" ? [] : [ours])])) {
      const distance = editDistance(name, candidate);
      if (distance >= fewest || !shown.includes(`--${candidate}`)) continue;
      fewest = distance;
      nearest = `--${candidate}`;
    }
  }
  for (const [alias, ours] of ALIASES) {
    const distance = editDistance(name, alias);
    if (distance >= fewest) continue;
    fewest = distance;
    nearest = `--${ours}`;
  }
  return nearest;
}
