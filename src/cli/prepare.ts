/**
 * All that stands between settings and a server that could listen, with every mistake in it and not the first alone.
 *
 *  1 handler   made of what is served, with the gate before it
 *  2 server    its options, certificates read (server-mistakes.ts)
 *  3 ACME      whether the package is there that it needs, without loading it
 *  4 sendfile  whether something can call it
 *  5 log       whether its file can be written, without making it
 *
 * A start does it and so does a check. It must leave nothing behind.
 */

import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CommandError, type Mistakes, whyNotOpened } from "./command-error.ts";
import type { OwnPaths } from "./config-hide.ts";
import type { Outlook } from "./config-intent.ts";
import type { Given } from "./config-layers.ts";
import { isOn } from "./flags.ts";
import { checkFiles, checkGate, makeHandler } from "./make-handler.ts";
import type { HandlerWorld, MadeHandler } from "./make-handler.ts";
import { findServerMistakes } from "./server-mistakes.ts";
import type { Settings } from "./settings.ts";

/**
 * Does it.
 *
 * @param loadsModule an app is loaded though there are mistakes already; otherwise only if there are none
 * @param own what is kept back besides, as {@link makeHandler} takes it
 * @returns null if there is a mistake in the handler, or nothing to make it of
 */
export async function prepare(
  { given, settings, subject }: Outlook,
  world: HandlerWorld,
  mistakes: Mistakes,
  loadsModule: boolean,
  own: OwnPaths | null = null,
): Promise<MadeHandler | null> {
  const { origins } = given;
  const { workingFolder } = world;
  const isWanted = loadsModule || subject?.kind !== "module" || mistakes.all.length === 0;
  const made =
    subject === null || !isWanted
      ? null
      : await mistakes.attempt(() => makeHandler(subject, settings, given, world, own), null);
  if (subject === null) await mistakes.attempt(() => checkFiles(settings.files, given, workingFolder), undefined);
  if (made === null) await mistakes.attempt(() => checkGate(settings.gate, origins, workingFolder), undefined);
  for (const mistake of findServerMistakes(settings, given, workingFolder)) mistakes.add(mistake);
  await mistakes.attempt(() => checkAcme(settings, given), undefined);
  await mistakes.attempt(() => checkSendfile(settings, given), undefined);
  await mistakes.attempt(() => checkLogFile(settings.logFile, given, workingFolder), undefined);
  return made;
}

/** Later it would be found missing at each try to obtain a certificate, for ever. */
async function checkAcme({ tls }: Settings, { flags, origins }: Given): Promise<void> {
  const isAsked = flags.has("acme") && isOn(flags, "tls", true);
  if (tls?.kind !== "acme" && !isAsked) return;
  const { isAcmeInstalled } = await import("../certificates/acme-order.ts");
  if (isAcmeInstalled()) return;
  const shown = origins.get("acme")?.shown ?? "--acme";
  throw new CommandError(1, `${shown} needs the package acme-client, which is missing`, [
    "Install it where fairlead is: npm install acme-client",
  ]);
}

/** Later every start of a worker would fail. */
async function checkSendfile({ usesSendfile }: Settings, { origins }: Given): Promise<void> {
  if (!usesSendfile) return;
  const { linuxSendfile } = await import("../sendfile/linux-sendfile.ts");
  try {
    linuxSendfile();
  } catch (error) {
    const shown = origins.get("sendfile")?.shown ?? "--sendfile";
    const { message } = error as Error;
    const install = message.includes("npm install")
      ? "Install it where fairlead is, or leave this out"
      : "Leave this out";
    const advice = [`${install}: files are then read and written`];
    throw new CommandError(1, `${shown}: ${message}`, advice, { cause: error });
  }
}

/** Whether it could be opened. */
function checkLogFile(name: string, { origins }: Given, workingFolder: string): void {
  if (name === "") return;
  const path = resolve(workingFolder, name);
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) throw new CommandError(1, "it is a folder", ["Give the name of a file in it"]);
    if (stats === undefined && statSync(dirname(path), { throwIfNoEntry: false }) === undefined)
      throw new CommandError(1, `there is no folder ${dirname(path)}`, ["Make that folder, or give another file"]);
    accessSync(stats === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    const shown = origins.get("log-file")?.shown ?? "--log-file";
    throw new CommandError(1, `${shown}: ${path} cannot be written: ${whyNotOpened(error)}`, howToWrite(error), {
      cause: error,
    });
  }
}

function howToWrite(error: unknown): readonly string[] {
  if (error instanceof CommandError) return error.advice;
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "EACCES" || code === "EPERM"
    ? ["Let the user that runs this write the file and its folder, as with chmod; ls -ld shows who may"]
    : ["Give a file in a folder that can be written"];
}
