/** A port for subjects that cannot choose one themselves, and the line that says that they listen on it. */
import { writeSync } from "node:fs";
import { connect, createServer } from "node:net";

/** Below the range from which the system gives ports to clients: one of them could take it in the meantime. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const RETRY_MS = 20;
const DEADLINE_MS = 15_000;

/** @returns {Promise<number>} */
export async function freePort() {
  const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
  const isFree = await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
  return isFree ? port : freePort();
}

/**
 * Resolves when somebody accepts connections there, rejects when nobody does for 15 s.
 * @param {number} port
 * @param {() => void} [mustLive] throws when nobody will any more
 * @returns {Promise<void>}
 */
export function listening(port, mustLive) {
  const deadlineMs = Date.now() + DEADLINE_MS;
  return new Promise((resolve, reject) => {
    const ask = () => {
      const probe = connect(port, "127.0.0.1", () => {
        probe.destroy();
        resolve();
      });
      probe.on("error", (error) => {
        if (Date.now() > deadlineMs) reject(error);
        else setTimeout(again, RETRY_MS);
      });
    };
    const again = () => {
      try {
        mustLive?.();
        ask();
      } catch (cause) {
        reject(new Error("it ended before it listened", { cause }));
      }
    };
    ask();
  });
}

/**
 * Past every stream, because commands write to theirs too.
 * @param {number} port
 */
export function say(port) {
  writeSync(1, `${JSON.stringify({ port })}\n`);
}
