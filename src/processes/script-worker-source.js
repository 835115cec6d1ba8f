/**
 * script-worker.ts for a Node that cannot read TypeScript, when the primary is run from its source: in its own tests, that is.
 *
 * A process knows nothing of what transforms modules for the one that started it. The package never comes here: it holds
 * script-worker.js. It must do nothing but run script-worker.ts.
 */

import { createJiti } from "jiti";

await createJiti(import.meta.url).import("./script-worker.ts");
