/**
 * Slow work in a pool: 3 threads, and 5 places for those who wait.
 *
 *   npx fairlead examples/thread-pool.ts
 *   curl http://127.0.0.1:8080/slow         5 s of work for the processor
 *   curl http://127.0.0.1:8080/quick        milliseconds, all the same
 *
 * Three are worked for, five wait, the ninth is told 503 at once, with a Retry-After that is made of how long the work takes.
 */

import { App, Response } from "fairlead";
import { workerHandler } from "fairlead/workers";

const slow = workerHandler(new URL("./slow-work.ts", import.meta.url), { threads: 3, maxQueue: 5 });
// A mistake in the module is told now and not to the first visitor
await slow.ready();

const app: App = new App()
  .get("/slow", slow)
  .get("/quick", () => new Response("At once.\n"))
  .get("/pool", () => Response.json(slow.stats()));

export default app;
