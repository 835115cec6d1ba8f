/** Runs the command of a peer in this process, as its own launcher would, and says when it listens. */
import { pathToFileURL } from "node:url";
import { freePort, listening, say } from "./ports.js";
import { peerFile } from "./peers.js";

/**
 * @param {string} name of the package
 * @param {string} bin its file for the command
 * @param {(port: number) => readonly string[]} wordsFor
 */
export async function runCommand(name, bin, wordsFor) {
  const port = await freePort();
  const path = peerFile(name, bin);
  process.argv = [process.execPath, path, ...wordsFor(port)];
  process.stdout.write = () => true;
  await import(pathToFileURL(path).href);
  await listening(port);
  say(port);
}
