/** Subject: the command `sirv`, without its log, with entity tags and a Cache-Control that asks each time. */
import { runCommand } from "./support/command.js";

const folder = process.env.FAIRLEAD_BENCH_FOLDER;
await runCommand("sirv-cli", "bin.js", (port) => [
  folder,
  "--quiet",
  "--etag",
  "--maxage",
  "0",
  "--host",
  "127.0.0.1",
  "--port",
  String(port),
]);
