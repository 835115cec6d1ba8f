/**
 * A load of TLS handshakes, as a process of its own on the load's core: `handshakes.ts '{"port":…,"isResumed":…}'`.
 *
 * Each connection makes one handshake, asks one small question with Connection: close, checks the answer, and is replaced by
 * the next. Resumed ones present the newest ticket that a connection before was given (RFC 8446 §2.2), and the server must
 * take it: one that does not is an error, because the figure would be that of a full handshake. A handshake costs a client
 * more than a server, so the rate is mostly this load's own; the server's CPU per handshake is the figure to steer by.
 */
import { once } from "node:events";
import { connect, createSecureContext, type TLSSocket } from "node:tls";
import { LatencyHistogram } from "../histogram.ts";

/** Its one argument, as JSON. */
export interface HandshakeSettings {
  readonly port: number;
  /** Handshakes at a time. */
  readonly connections: number;
  readonly seconds: number;
  readonly isResumed: boolean;
}

const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
const RIGHT = /^HTTP\/1\.1 200 [^]*\r\n\r\nHello, World!$/;

const settings = JSON.parse(process.argv[2] ?? "{}") as HandshakeSettings;
const secureContext = createSecureContext({ minVersion: "TLSv1.3" });
const latencies = new LatencyHistogram();
let ticket: Buffer | null = null;
let refusals = 0;

/** One connection; its latency is that of TCP and TLS together. */
async function shake(isResumed: boolean): Promise<void> {
  const beganMs = performance.now();
  const session = isResumed && ticket !== null ? { session: ticket } : {};
  // The certificate is made for this run, and the peer is our own child on this machine
  const tls = { secureContext, rejectUnauthorized: false, ...session };
  const socket: TLSSocket = connect({ host: "127.0.0.1", port: settings.port, ...tls });
  socket.on("session", (given: Buffer) => (ticket = given));
  await once(socket, "secureConnect");
  latencies.record((performance.now() - beganMs) * 1000);
  if (isResumed && !socket.isSessionReused()) refusals += 1;
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => (text += part));
  socket.write(REQUEST);
  await once(socket, "close");
  if (!RIGHT.test(text)) throw new Error(`wrong answer: ${text}`);
}

async function keepShaking(untilMs: number): Promise<number> {
  let count = 0;
  for (; performance.now() < untilMs; count++) await shake(settings.isResumed);
  return count;
}

if (settings.isResumed) {
  await shake(false);
  if (ticket === null) throw new Error("the server gives no tickets");
}
const startMs = performance.now();
const lanes = Array.from({ length: settings.connections }, () => keepShaking(startMs + settings.seconds * 1000));
const counts = await Promise.all(lanes);
const requests = counts.reduce((sum, count) => sum + count, 0);
const durationUs = (performance.now() - startMs) * 1000;
const percentiles = latencies.percentiles();
process.stdout.write(`RESULT ${JSON.stringify({ requests, durationUs, errors: 0, wrong: refusals, percentiles })}\n`);
process.exit();
