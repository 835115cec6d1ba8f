/**
 * sendfile(2) of Linux as the server wants it: octets that are in memory, to a socket that has room, and never a wait.
 *
 * Whether octets are in memory is asked with preadv2(2) and RWF_NOWAIT, which reads what is there and says EAGAIN for the rest.
 * It is asked at both ends and in between, at the distance in which the kernel reads ahead. A file system that cannot say
 * (EOPNOTSUPP, as some in user space) has all its content read in a thread, as without sendfile.
 */

import { constants, endianness } from "node:os";
import { type Sendfile, SENDFILE_ABSENT, SENDFILE_FULL, SENDFILE_NEVER } from "../server/sendfile-pump.ts";
import { type Caller, type CLibrary, loadLibrary } from "./c-library.ts";

/** From the kernel's own header, the same on all machines. */
const RWF_NOWAIT = 0x8;
/** Distance of the octets that are asked for: a hole between two of them costs the disk two reads at most. */
const ASK_EVERY_BYTES = 256 * 1024;
/** What is tried in turn: a package that somebody installed for it, then what Node calls an experiment. */
const CALLERS: readonly Caller[] = ["koffi", "node:ffi"];

const { EAGAIN, EINTR } = constants.errno;

/** What is known of the machine, for tests. */
export interface ForeignCalls {
  readonly platform?: string;
  readonly arch?: string;
  /** Loads what calls C; throws where it cannot be had. */
  readonly load?: (caller: Caller) => CLibrary;
}

/**
 * A way to send files within the kernel, for the option `sendfile` of serve(). What a file's descriptor shows is sent without
 * being copied through this process: 100 MB cost two fifths of the CPU time. Files that serveStatic() keeps in memory (up to 1 MiB),
 * content that a handler makes, and everything under TLS are sent as before.
 *
 * The price: what lies in the socket's buffers is the file's own memory. If somebody writes to the file in place, rather than
 * replacing it, in the moments in which it lies there, the peer may get octets of both versions in an answer that looks whole, and
 * if somebody cuts it short, zeros. nginx with `sendfile on` does the same. Without it Fairlead notices and breaks the answer off.
 *
 * Needs Linux on a 64-bit machine and the package koffi (`npm install koffi`), which calls C functions; without it, Node's own
 * node:ffi, where Node has it (26; it is experimental, and Node prints a warning that says so). A koffi that is there and does not
 * load is told of with a warning, FAIRLEAD_SENDFILE, where node:ffi takes its part.
 *
 * @throws Error that says what is missing and what to do
 */
export function linuxSendfile({
  platform = process.platform,
  arch = process.arch,
  load = loadLibrary,
}: ForeignCalls = {}): Sendfile {
  if (platform !== "linux" || !["x64", "arm64"].includes(arch) || endianness() !== "LE")
    throw new Error(`sendfile needs Linux on x64 or arm64, and this is ${platform} on ${arch}: leave the option out`);
  const causes: unknown[] = [];
  for (const caller of CALLERS) {
    try {
      const sendfile = sendfileBy(load(caller));
      if (causes.length > 0 && !isMissing(causes[0])) warnOfOther(caller, causes[0]);
      return sendfile;
    } catch (error) {
      causes.push(error);
    }
  }
  const cause = new AggregateError(causes);
  if (isMissing(causes[0])) throw new Error("sendfile needs the package koffi: npm install koffi", { cause });
  throw new Error(`sendfile needs the package koffi, which does not load: ${firstLineOf(causes[0])}`, { cause });
}

/** It is not there, as opposed to: not whole, not allowed, or not for this machine. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && error.message.includes("'koffi'");
}

let hasWarned = false;

/** Who has installed a package did not choose an experiment. Once: each server of a process may ask. */
function warnOfOther(caller: Caller, cause: unknown): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    `the package koffi does not load (${firstLineOf(cause)}), so ${caller} sends files, an experiment of Node. ` +
      "Install koffi anew, or take it out",
    { code: "FAIRLEAD_SENDFILE" },
  );
}

function firstLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] as string;
}

/** Where what the calls point to lies, in one piece of memory: what is freed while C has its address is written to all the same. */
const VECTOR_AT = 0;
const OFFSET_AT = 16;
const OCTET_AT = 24;
const MEMORY_BYTES = 32;

function sendfileBy(library: CLibrary): Sendfile {
  // Of an ArrayBuffer, which never moves, as the small arrays of some V8 do
  const memory = Buffer.from(new ArrayBuffer(MEMORY_BYTES));
  const vector = memory.subarray(VECTOR_AT, OFFSET_AT);
  const offset = memory.subarray(OFFSET_AT, OCTET_AT);
  memory.writeBigUInt64LE(library.addressOf(memory) + BigInt(OCTET_AT), VECTOR_AT);
  memory.writeBigUInt64LE(1n, VECTOR_AT + 8);
  const isInMemory = (file: number, position: number): boolean =>
    library.preadv2(file, vector, 1, position, RWF_NOWAIT) === 1;

  return (socket, file, position, length) => {
    const end = position + length;
    for (let at = position; at < end; at += ASK_EVERY_BYTES) if (!isInMemory(file, at)) return SENDFILE_ABSENT;
    if (!isInMemory(file, end - 1)) return SENDFILE_ABSENT;
    offset.writeBigInt64LE(BigInt(position));
    const sent = library.sendfile(socket, file, offset, length);
    if (sent >= 0) return sent;
    const errno = library.errno();
    return errno === EAGAIN || errno === EINTR ? SENDFILE_FULL : SENDFILE_NEVER;
  };
}
