/** h2o: one thread, its cache of open files, no log. It says a text from a file, which is cheaper to it than mruby. */
import { fileURLToPath } from "node:url";

/** @param {{ home: string, port: number, user: string, folder: string | null }} setting */
export function h2o({ home, port, user, folder }) {
  const hello = `
        file.dir: ${fileURLToPath(new URL("hello", import.meta.url))}
        file.index: ["index.txt"]
        file.etag: OFF`;
  const files = `
        file.dir: ${folder}
        file.send-compressed: ON
        header.set: "Cache-Control: no-cache"
        header.set: "X-Content-Type-Options: nosniff"`;
  const conf = `user: ${user}
num-threads: 1
num-name-resolution-threads: 1
max-connections: 10000
http1-request-timeout: 75
send-server-name: OFF
error-log: /dev/null
file.mime.settypes:
  "text/html; charset=utf-8": [".html"]
  "text/css; charset=utf-8": [".css"]
  "text/javascript; charset=utf-8": [".js"]
  "image/svg+xml": [".svg"]
  "image/png": [".png"]
  "text/plain": [".txt"]
listen:
  host: 127.0.0.1
  port: ${port}
hosts:
  default:
    paths:
      /:${folder === null ? hello : files}
`;
  return { files: { "h2o.conf": conf }, words: ["h2o", "-m", "worker", "-c", `${home}/h2o.conf`] };
}
