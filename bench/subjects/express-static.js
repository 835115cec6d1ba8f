/** Subject: a folder behind express.static, with the fields that ours sends. */
import express from "express";

const app = express().disable("x-powered-by");
app.use(
  express.static(process.env.FAIRLEAD_BENCH_FOLDER, {
    cacheControl: false,
    setHeaders: (response) => {
      response.setHeader("Cache-Control", "no-cache");
      response.setHeader("X-Content-Type-Options", "nosniff");
    },
  }),
);
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
server.keepAliveTimeout = 75_000;
