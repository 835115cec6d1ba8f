/**
 * What calls C for us: the package koffi, or node:ffi where Node has it. The three calls that we need, as functions of numbers.
 *
 * Whatever is loaded here runs without a net: a wrong type ends the process, not the request. So the types stand beside each
 * other, for both ways, as sendfile(2) and preadv2(2) have them on 64-bit Linux.
 */

import { createRequire } from "node:module";
import type * as koffiTypes from "koffi";

/** The calls, with the arguments and results of the C library. Memory is given as the buffer that it is. */
export interface CLibrary {
  /** @param offset eight octets, changed by the call */
  sendfile(socket: number, file: number, offset: Uint8Array, length: number): number;
  preadv2(file: number, vectors: Uint8Array, count: number, position: number, flags: number): number;
  /** Where a buffer is, for what is put into one. The buffer must be kept as long. */
  addressOf(buffer: Uint8Array): bigint;
  /** Of the last call. */
  errno(): number;
}

/** What it is called: a package, or a module of Node. */
export type Caller = "koffi" | "node:ffi";

/** As far as we use it (Node 26). */
interface NodeFfi {
  dlopen(
    path: null,
    functions: Readonly<Record<string, { readonly arguments: readonly string[]; readonly return: string }>>,
  ): { readonly functions: Readonly<Record<string, (...args: unknown[]) => number | bigint>> };
  getRawPointer(buffer: Uint8Array): bigint;
  getInt32(address: bigint): number;
}

const load = createRequire(import.meta.url);

/**
 * Loads what can call C.
 *
 * @throws whatever loading throws: it is not installed, has nothing for this machine, or the C library lacks one of the calls
 */
export function loadLibrary(caller: Caller): CLibrary {
  return caller === "koffi" ? byKoffi(load("koffi") as typeof koffiTypes) : byNode(load("node:ffi") as NodeFfi);
}

function byKoffi(koffi: typeof koffiTypes): CLibrary {
  const library = koffi.load(null);
  const sendfile = library.func("sendfile", "intptr_t", ["int", "int", "void *", "size_t"]);
  const preadv2 = library.func("preadv2", "intptr_t", ["int", "void *", "int", "int64_t", "int"]);
  return {
    sendfile: (socket, file, offset, length) => sendfile(socket, file, offset, length) as number,
    preadv2: (file, vectors, count, position, flags) => preadv2(file, vectors, count, position, flags) as number,
    addressOf: (buffer) => koffi.address(buffer),
    errno: () => koffi.errno(),
  };
}

function byNode(ffi: NodeFfi): CLibrary {
  const { functions } = ffi.dlopen(null, {
    sendfile: { arguments: ["int32", "int32", "pointer", "uint64"], return: "int64" },
    preadv2: { arguments: ["int32", "pointer", "int32", "int64", "int32"], return: "int64" },
    __errno_location: { arguments: [], return: "pointer" },
  });
  const {
    sendfile,
    preadv2,
    __errno_location: errnoLocation,
  } = functions as Record<"sendfile" | "preadv2" | "__errno_location", (...args: unknown[]) => number | bigint>;
  return {
    sendfile: (socket, file, offset, length) => Number(sendfile(socket, file, offset, BigInt(length))),
    preadv2: (file, vectors, count, position, flags) => Number(preadv2(file, vectors, count, BigInt(position), flags)),
    addressOf: (buffer) => ffi.getRawPointer(buffer),
    errno: () => ffi.getInt32(errnoLocation() as bigint),
  };
}
