/** Run as a child that may open few descriptors: says its port, and ends with its input. */
import { serve } from "../../../src/server/server.ts";
import { Response } from "../../../src/web/response.ts";

const server = await serve({ fetch: () => new Response("ok"), port: 0 });
process.stdout.write(`${server.port}\n`);
process.stdin.resume().on("end", () => server.closeNow());
