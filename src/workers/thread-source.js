/**
 * thread.ts for a Node that cannot read TypeScript, when the server is run from its source: in its own tests, that is.
 *
 * A thread knows nothing of what transforms modules for the one that started it. The package never comes here: it holds
 * thread.js. It must do nothing but pass on what thread.ts exports.
 */

import { createJiti } from "jiti";

/** @type {typeof import("./thread.ts")} */
const thread = await createJiti(import.meta.url).import("./thread.ts");

export const { answer, check } = thread;
