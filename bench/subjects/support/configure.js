/** `node configure.js NAME HOME`: writes the configuration of a program into HOME, with `port` and, for the shell, `run`. */
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { caddy } from "./caddy.js";
import { h2o } from "./h2o.js";
import { lighttpd } from "./lighttpd.js";
import { nginx } from "./nginx.js";
import { freePort } from "./ports.js";

const MAKERS = { caddy, h2o, lighttpd, nginx };

const [name, home] = process.argv.slice(2);
const port = await freePort();
// nginx-static-tls: the program, and whether it serves files and speaks TLS
const [program, ...traits] = name.split("-");
const environment = process.env;
const { files, words } = MAKERS[program]({
  home,
  port,
  user: userInfo().username,
  folder: traits.includes("static") ? environment.FAIRLEAD_BENCH_FOLDER : null,
  tls: traits.includes("tls") ? { cert: environment.FAIRLEAD_BENCH_CERT, key: environment.FAIRLEAD_BENCH_KEY } : null,
});
for (const [file, text] of Object.entries(files)) writeFileSync(join(home, file), text);
writeFileSync(join(home, "port"), String(port));
const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
// Where Debian keeps servers, for users that have no such path
writeFileSync(
  join(home, "run"),
  `PATH="$PATH:/usr/sbin:/usr/local/sbin"\nexec ${quoted} >/dev/null 2>'${home}/errors'\n`,
);
