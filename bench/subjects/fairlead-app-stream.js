/** Subject: the same with uploads read as the platform's stream, whose pieces are the reader's to keep. */
import { serveApp } from "./support/fairlead-app.js";

await serveApp(async (request) => {
  let octets = 0;
  for await (const piece of request.body) octets += piece.length;
  return octets;
});
