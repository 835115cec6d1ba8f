/**
 * `node announce.js PORT HOME PID`: waits until PORT is listened on, says so for the program PID, and clears away what it has read.
 * What a program tells on its way is of interest only if it does not get there.
 */
import { readFileSync, rmSync } from "node:fs";
import { listening, say } from "./ports.js";

const [port, home, pid] = process.argv.slice(2);
try {
  await listening(Number(port), () => process.kill(Number(pid), 0));
  say(Number(port));
} catch (error) {
  console.error(readFileSync(`${home}/errors`, "utf8"), error);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
