/**
 * Server-sent events: a clock in a page.
 *
 *   npx fairlead examples/clock.ts          then http://127.0.0.1:8080/
 *
 * The browser comes back by itself when the connection breaks, and says which event it saw last, so that none is counted twice.
 * When it leaves for good, the generator is stopped where it waits.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { App, Response } from "fairlead";
import { eventStream, html } from "fairlead/replies";

const SCRIPT = `
  const events = new EventSource("/clock");
  events.addEventListener("tick", ({ data, lastEventId }) => {
    document.querySelector("time").textContent = JSON.parse(data).time;
    document.querySelector("output").textContent = lastEventId;
  });
`;

const app: App = new App()
  .get("/", () =>
    html`<!doctype html>
      <meta charset="utf-8" />
      <title>Clock</title>
      <p>It is <time>…</time>, tick <output>…</output>.</p>
      <script src="/clock.js"></script> `.toResponse(),
  )
  .get("/clock.js", () => new Response(SCRIPT, { headers: { "content-type": "text/javascript" } }))
  .get("/clock", (request) =>
    eventStream(request, async function* ({ lastEventId, signal }) {
      for (let tick = (Number(lastEventId) || 0) + 1; ; tick++) {
        yield { id: String(tick), event: "tick", data: { time: new Date().toISOString() } };
        await sleep(1000, undefined, { signal });
      }
    }),
  );

export default app;
