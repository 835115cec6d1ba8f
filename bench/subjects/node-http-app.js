/** Subject: the same from node:http, with zlib on its thread pool, as the documentation of Node advises for servers. */
import { gzip } from "node:zlib";
import { serveApp } from "./support/node-app.js";

serveApp((text, callback) => {
  gzip(text, { level: 6 }, (error, bytes) => {
    if (error !== null) throw error;
    callback(bytes);
  });
});
