/**
 * Holds a conversation over a real socket, and judges what came back: by Node's own parser a sequence of valid responses, of which
 * only the last may be cut, and that only where we left, or it said that it may break off; and an end, within the deadlines.
 *
 * To HEAD there is no content. The server's handlers say of their answers that they are to HEAD; of what the wire refuses itself
 * the method is not known, so that the last response may be read either way.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type MethodOf,
  type NodeReading,
  type NodeResponse,
  readWithNode,
} from "../../../fuzz/connection/node-parser.ts";
import type { Conversation } from "./conversation.ts";

/** What came of one. */
export interface Held {
  /** Status codes of what came back. */
  readonly statuses: readonly number[];
  /** What must not be, `""` for nothing. */
  readonly mistake: string;
}

/** Nothing more has come for so long: all is answered. */
const QUIET_MS = 250;
/** Every deadline of the server is shorter. */
const MOST_END_MS = 15_000;
const MOST_BYTES = 2 ** 20;
const SLOW_MS = 15;
const NEVER_MS = 1500;

interface Received {
  readonly chunks: Buffer[];
  bytes: number;
  lastMs: number;
  /** The server has ended its side in order. */
  hasEnd: boolean;
  isClosed: boolean;
}

/** Holds it; resolves when the connection is gone. */
export async function hold({ steps, reading, ending }: Conversation, port: number): Promise<Held> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const received: Received = { chunks: [], bytes: 0, lastMs: performance.now(), hasEnd: false, isClosed: false };
  const closed = once(socket, "close").catch(() => {});
  socket.on("error", () => {});
  listen(socket, received, reading === "slow");
  if (reading === "never") socket.pause();
  await once(socket, "connect").catch(() => {});
  for (const step of steps) {
    if (received.isClosed || socket.destroyed) break;
    if (typeof step === "number") await sleep(step);
    else if (step.length > 0) await written(socket, step);
  }
  if (reading === "never") await sleep(NEVER_MS);
  const hasLeft = reading === "never" || ending === "reset" || ending === "destroy";
  if (ending === "reset") socket.resetAndDestroy();
  else if (hasLeft) socket.destroy();
  else {
    if (ending === "quiet") await quiet(received);
    socket.end();
  }
  const timer = new AbortController();
  const isLate = await Promise.race([
    closed.then(() => false),
    sleep(MOST_END_MS, true, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  socket.destroy();
  if (isLate) return { statuses: [], mistake: `the connection is still there ${MOST_END_MS} ms after its peer's end` };
  return judge(received, hasLeft || received.bytes > MOST_BYTES);
}

function listen(socket: Socket, received: Received, isSlow: boolean): void {
  socket.on("data", (chunk: Buffer) => {
    received.bytes += chunk.length;
    received.lastMs = performance.now();
    if (received.bytes > MOST_BYTES) return void socket.destroy();
    received.chunks.push(chunk);
    if (!isSlow) return;
    socket.pause();
    setTimeout(() => socket.resume(), SLOW_MS);
  });
  socket.once("end", () => {
    received.hasEnd = true;
    // Whoever is answered whole goes as well
    if (!socket.writableEnded) socket.end();
  });
  socket.once("close", () => (received.isClosed = true));
}

async function written(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.write(bytes)) return;
  // A server that does not read is waited for, yet not for ever
  await Promise.race([once(socket, "drain"), once(socket, "close"), sleep(NEVER_MS)]).catch(() => {});
}

async function quiet(received: Received): Promise<void> {
  received.lastMs = performance.now();
  while (!received.isClosed && performance.now() - received.lastMs < QUIET_MS) await sleep(QUIET_MS / 5);
}

function hasField({ fields }: NodeResponse, name: string): boolean {
  return fields.some((text, at) => at % 2 === 0 && text.toLowerCase() === name);
}

function judge({ chunks, hasEnd }: Received, hasLeft: boolean): Held {
  const bytes = Buffer.concat(chunks);
  const { responses, refusal } = readEitherWay(bytes, hasEnd);
  const statuses = responses.map(({ status }) => status);
  const mistake = (words: string): Held => {
    const shown = JSON.stringify(bytes.subarray(-400).toString("latin1"));
    return { statuses, mistake: `${words}: ${statuses.join()}, at last ${shown}` };
  };
  if (refusal !== "") return mistake(`Node refuses what came back with ${refusal}`);
  const at = responses.findIndex(({ status, isWhole }) => !isWhole && status !== 101);
  const cut = responses[at];
  if (cut === undefined) return { statuses, mistake: "" };
  if (at < responses.length - 1) return mistake("a response is cut, and others follow");
  if (hasEnd && !hasLeft && !hasField(cut, "x-breaks")) return mistake("the last response is cut");
  return { statuses, mistake: "" };
}

/** As the answers say themselves; and where the last one is cut then, as if it had been asked for by HEAD. */
function readEitherWay(bytes: Buffer, hasEnd: boolean): NodeReading {
  const methodOf: MethodOf = (fields) =>
    fields.some((text, at) => at % 2 === 0 && text.toLowerCase() === "x-method") ? "HEAD" : "GET";
  const reading = readWithNode(bytes, methodOf, hasEnd);
  const last = reading.responses.at(-1);
  if (reading.refusal !== "" || last === undefined || last.isWhole || last.content.length > 0) return reading;
  const at = reading.responses.filter(({ status }) => status >= 200).length - 1;
  const other = readWithNode(bytes, (fields, index) => (index === at ? "HEAD" : methodOf(fields, index)), hasEnd);
  return other.refusal === "" && other.responses.at(-1)?.isWhole === true ? other : reading;
}
