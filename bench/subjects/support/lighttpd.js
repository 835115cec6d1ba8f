/** lighttpd: one process, sendfile, its cache of stats, no log. It says a text only from a file. */
import { fileURLToPath } from "node:url";

/** @param {{ home: string, port: number, folder: string | null }} setting */
export function lighttpd({ home, port, folder }) {
  const hello = `
server.document-root = "${fileURLToPath(new URL("hello", import.meta.url))}"
index-file.names = ("index.txt")
etag.use-mtime = "disable"
etag.use-size = "disable"
etag.use-inode = "disable"`;
  const files = `
server.document-root = "${folder}"
setenv.add-response-header = ("Cache-Control" => "no-cache", "X-Content-Type-Options" => "nosniff")`;
  const conf = `server.bind = "127.0.0.1"
server.port = ${port}
server.modules = ("mod_setenv")
server.tag = ""
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 75
server.max-fds = 20000
server.max-connections = 10000
server.errorlog = "/dev/null"
mimetype.assign = (
  ".html" => "text/html; charset=utf-8", ".css" => "text/css; charset=utf-8", ".js" => "text/javascript; charset=utf-8",
  ".png" => "image/png", ".svg" => "image/svg+xml", ".txt" => "text/plain", "" => "application/octet-stream"
)${folder === null ? hello : files}
`;
  return { files: { "lighttpd.conf": conf }, words: ["lighttpd", "-D", "-f", `${home}/lighttpd.conf`] };
}
