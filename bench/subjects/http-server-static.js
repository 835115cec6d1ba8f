/** Subject: the command `http-server`, without its log, with files compressed beforehand and a Cache-Control that asks each time. */
import { runCommand } from "./support/command.js";

await runCommand("http-server", "bin/http-server", (port) => [
  process.env.FAIRLEAD_BENCH_FOLDER,
  "--silent",
  "--gzip",
  "--brotli",
  "-c0",
  "-a",
  "127.0.0.1",
  "--port",
  String(port),
]);
