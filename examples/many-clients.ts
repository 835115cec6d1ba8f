/**
 * Many clients at once: a meeting that begins when all are there.
 *
 *   npx fairlead examples/many-clients.ts
 *   seq 500 | xargs -P 500 -I N curl -s 'http://127.0.0.1:8080/?seats=500&name=N'
 *
 * Every request waits for the last one, so that a server that takes one client after the other never answers. Here a client who
 * waits costs a promise and some KiB, no thread.
 */

import { App, HttpError, Response } from "fairlead";

/** What wakes those who wait, by the number of seats. */
const meetings = new Map<number, Set<() => void>>();

const app: App = new App().get("/", async (request, { query }) => {
  const seats = Number(query.get("seats") ?? 3);
  if (!(Number.isInteger(seats) && seats >= 1 && seats <= 5000)) throw new HttpError(400, "seats are 1 to 5000");
  const waiting = meetings.get(seats) ?? new Set();
  meetings.set(seats, waiting);
  await new Promise<void>((resolve) => {
    waiting.add(resolve);
    // Who leaves gives the seat free. Without this line the seats of those who left would stay taken
    request.signal.addEventListener("abort", () => waiting.delete(resolve));
    if (waiting.size < seats) return;
    meetings.delete(seats);
    for (const wake of waiting) wake();
  });
  return new Response(`All ${seats} are here.\n`);
});

export default app;
