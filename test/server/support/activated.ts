/** Run as a child with sockets from descriptor 3 on, as systemd would pass them: tells where it listens, serves until its input ends. */

process.env["LISTEN_PID"] = String(process.pid);
process.env["LISTEN_FDS"] = "2";
process.env["LISTEN_FDNAMES"] = "web:local";

const { serve } = await import("../../../src/server/server.ts");
const { Response } = await import("../../../src/web/response.ts");

const server = await serve({
  fetch: () => new Response("activated"),
  listen: [{ systemd: "web" }, { systemd: "local" }],
});
process.stdout.write(`${JSON.stringify(server.addresses)}\n`);
process.stdin.resume().on("end", () => void server.close());
