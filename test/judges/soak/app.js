/** What the soak asks: files of a changing folder, and of each kind of answer an app gives one. */
import { createHash } from "node:crypto";
import { App, Response, serveStatic } from "fairlead";
import { compress } from "fairlead/middleware";
import { eventStream } from "fairlead/replies";

const EVENTS = 20;
const BLOCK = new Uint8Array(64 * 1024).fill(0x2e);
const BLOCKS = 64;

const app = new App();
app.use(compress());
app.get("/hello", () => new Response("Hello, World!"));
app.get("/items/:count", (_request, { params }) =>
  Response.json(Array.from({ length: Number(params.count) }, (_, id) => ({ id, title: `Item ${id}` }))),
);
app.post("/digest", async (request) => {
  const hash = createHash("sha256");
  for await (const piece of request.body ?? []) hash.update(piece);
  return new Response(hash.digest("hex"));
});
app.post("/json", async (request) => Response.json(await request.json()));
app.get("/events", (request) =>
  eventStream(request, async (events) => {
    for (let id = 1; id <= EVENTS; id++) await events.send({ id: String(id), data: `event ${id}` });
  }),
);
app.get(
  "/blocks",
  () =>
    new Response(
      (async function* blocks() {
        for (let i = 0; i < BLOCKS; i++) yield BLOCK;
      })(),
    ),
);
app.get("/failing", () => {
  throw new Error("as it should");
});
app.get("/*", serveStatic(process.env.FAIRLEAD_SOAK_FOLDER ?? "."));

export const fetch = app.fetch;
