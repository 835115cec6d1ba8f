/**
 * What is wrong with the options of serve() that a configuration file and flags come to, each mistake with its place.
 *
 * By the server's own check, certificates and all, so that no rule stands in two places. It must never listen, and never make a
 * certificate: what a start would make counts as there.
 */

import { ServerError } from "../http/errors.ts";
import type { OptionMistake } from "../server/option-check.ts";
import { resolveOptions } from "../server/options.ts";
import { isNeedOfTls } from "../server/tls-options.ts";
import { CommandError } from "./command-error.ts";
import type { Given } from "./config-layers.ts";
import type { Settings } from "./settings.ts";
import { resolvedFiles, withTls } from "./tls-settings.ts";

/** Which socket it is the mode of is looked at here, because flags say where to listen. */
const ANY_SOCKET = "socket";

/** Everything that is wrong with them. */
export function findServerMistakes(settings: Settings, given: Given, workingFolder: string): CommandError[] {
  const found = modeMistakes(settings, given);
  const { tls, server } = settings;
  if (tls === null && Object.keys(server).length === 0) return found;
  const files = tls?.kind === "files" ? resolvedFiles(tls, workingFolder) : null;
  const options = tls === null ? server : withTls(server, files);
  try {
    resolveOptions({ ...options, unix: ANY_SOCKET, fetch: () => undefined });
  } catch (error) {
    if (!(error instanceof ServerError) || !Array.isArray(error.cause)) throw error;
    const isMade = tls !== null && files === null;
    const mistakes = (error.cause as OptionMistake[]).filter((one) => !isMade || !isOfMadeCertificate(one));
    found.push(...mistakes.map((one) => tell(one, settings, given)));
  }
  return found;
}

/** A start makes it, or obtains it. */
function isOfMadeCertificate(mistake: OptionMistake): boolean {
  return isNeedOfTls(mistake) || isMissing(mistake);
}

/** Whether a mistake is that the first certificate, or its key, is not there. */
export function isMissing({ path, what }: OptionMistake): boolean {
  return /^tls\.(?:cert|key)$/.test(path) && what === "is missing";
}

/** Flags go before a file: where they say where to listen instead of it, the mode for its socket waits for the next time. */
function modeMistakes({ targets, server }: Settings, { file, origins }: Given): CommandError[] {
  const isAsked = server.mode !== undefined && server.mode >= 0;
  const isForFile = file?.flags.get("listen")?.some((uri) => /^unix:/i.test(String(uri))) === true;
  const isDecidedAbove = ["listen", "port", "host"].some((name) => {
    const source = origins.get(name as "listen" | "port" | "host")?.source;
    return source !== undefined && source !== "file";
  });
  if (!isAsked || targets.some(({ kind }) => kind === "unix") || (isForFile && isDecidedAbove)) return [];
  const advice = ['Give one with listen: "unix:/run/site.sock", or leave mode out'];
  return [
    new CommandError(1, `${placed("mode", file)}: it is for the file of a unix socket, and there is none`, advice),
  ];
}

function tell(mistake: OptionMistake, { tls }: Settings, { file, flags, origins }: Given): CommandError {
  const said = describeMistake(mistake);
  const { path } = mistake;
  if (tls?.kind === "files" && /^tls\.(?:cert|key)File$/.test(path)) {
    const hasKey = flags.has("tls-key");
    const flag = path === "tls.keyFile" && hasKey ? "tls-key" : "tls-cert";
    const shown = origins.get(flag)?.shown ?? `--${flag}`;
    const { what, advice } = tellOfKey(said, path, hasKey, tls.keyFile);
    return new CommandError(1, `${shown}: ${what}`, advice);
  }
  return new CommandError(1, `${placed(path, file)}: ${said}`);
}

/** What people do most often with the two files, and what they have to do instead; a passphrase is no word for a command line. */
function tellOfKey(said: string, path: string, hasKey: boolean, keyFile: string): { what: string; advice: string[] } {
  if (path === "tls.keyFile" && said.startsWith("is locked with a passphrase")) {
    const file = /^[\w./-]+$/.test(keyFile) ? keyFile : JSON.stringify(keyFile);
    return {
      what: `the key in ${keyFile} is locked with a passphrase`,
      advice: [
        `Unlock a copy, openssl pkey -in ${file} -out unlocked.pem, and give --tls-key unlocked.pem`,
        "or say tls: { certFile, keyFile, passphrase } in a configuration file, in place of the flags",
      ],
    };
  }
  if (path === "tls.keyFile" && !hasKey && said.includes("a certificate and no private key")) {
    const advice = ["--tls-key is missing: name the file of its key with --tls-key FILE"];
    return { what: said.replace("; were cert and key swapped?", ""), advice };
  }
  return { what: said, advice: nextStep(said, path) };
}

/** By the words of the server's check, which has read the file. */
function nextStep(said: string, path: string): string[] {
  if (said.endsWith("must not be read by this user"))
    return ["Let the user that runs this read it, as with chmod; ls -l shows who may"];
  if (said.endsWith("is a folder")) return ["Give the name of a file"];
  if (!said.endsWith("does not exist")) return [];
  return path === "tls.keyFile"
    ? ["Give the file of its private key that is there"]
    : ["Give the file of a certificate that is there; --tls alone makes one for this machine"];
}

/** `fairlead.config.ts:3: tls.cert`. Without a file they are a flag's, which has spoken for itself. */
function placed(path: string, file: Given["file"]): string {
  return file === null ? path : `${file.placeOf(path)}: ${path}`;
}

/** What is wrong, as a clause that follows the name. */
export function describeMistake({ given, allowed, nearest, what }: OptionMistake): string {
  if (what !== undefined) return what;
  if (allowed !== "") return `${given} was given, ${allowed} is allowed`;
  return `there is no such setting${nearest === "" ? "" : `, did you mean ${nearest}?`}`;
}
