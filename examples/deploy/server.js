/**
 * A server as it stands in production: told by the environment where it listens and whom it believes, asked after its health,
 * and ended by SIGTERM without breaking anything off.
 *
 *   HOST=0.0.0.0 PORT=8080 node server.js
 *
 * `LISTEN=systemd` takes the sockets of systemd, `LISTEN=unix:/run/app/http.sock` a unix socket; `TRUST_PROXY=loopback,10.0.0.0/8`
 * believes what proxies with these addresses say of their clients; `LAME_DUCK_MS` is the time to serve on after SIGTERM, and
 * `LAST_CALL_MS` what idle connections then have for one more request.
 */
import { Response, serve } from "fairlead";

const { HOST = "127.0.0.1", PORT = "8080", LISTEN = "", TRUST_PROXY = "" } = process.env;
const { LAME_DUCK_MS = "0", LAST_CALL_MS = "2000" } = process.env;

function place() {
  if (LISTEN === "systemd") return { systemd: true };
  if (LISTEN.startsWith("unix:")) return { unix: LISTEN.slice("unix:".length), mode: 0o660 };
  return { hostname: HOST, port: Number(PORT) };
}

const server = await serve({
  listen: [place()],
  health: {},
  timeouts: { lameDuckMs: Number(LAME_DUCK_MS) },
  ...(TRUST_PROXY === "" ? {} : { trustProxy: { from: TRUST_PROXY.split(",") } }),
  fetch: (request, { remoteAddress, encrypted }) =>
    Response.json({ url: request.url, client: remoteAddress.address, encrypted }),
});

console.log(`listening on ${server.urls.map(String).join(" and ")}`);

async function stop() {
  // A request may be on its way on a connection that balancers and proxies keep: without a last call it would get no answer
  const { destroyedConnections } = await server.close({ lastCallMs: Number(LAST_CALL_MS) });
  process.exitCode = destroyedConnections === 0 ? 0 : 1;
}

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop());
