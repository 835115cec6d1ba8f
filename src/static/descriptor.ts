/**
 * The file system as promises: what of `node:fs/promises` the files that are served need.
 *
 * Over `node:fs`, because loading `node:fs/promises` costs every start 1 to 3 ms (it brings readline with it). A descriptor is
 * a number that the system gives to the next one as soon as it is closed: it must never be closed twice, nor while something
 * that was begun on it may still be under way.
 */

import {
  close,
  fstat,
  opendir as opendirByCallback,
  open as openByCallback,
  read,
  readlink as readlinkByCallback,
  realpath as realpathByCallback,
  stat as statByCallback,
} from "node:fs";
import type { Dir, Stats } from "node:fs";

/** An open file or folder. Made with {@link open}; whoever gets it closes it. */
export class Descriptor {
  readonly fd: number;
  #isOpen: boolean;

  /** @param fd just opened, and nobody else's */
  constructor(fd: number) {
    this.fd = fd;
    this.#isOpen = true;
  }

  /** What the system says of the open file, whatever stands at its path by now. @throws the error of the file system */
  stat(): Promise<Stats> {
    return asked((done) => fstat(this.#taken(), done));
  }

  /** Reads by position. @returns octets read, 0 at the end @throws the error of the file system */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return asked((done) => read(this.#taken(), target, offset, length, position, done));
  }

  /**
   * Closes it; a second time does nothing. Nothing may be under way on it.
   *
   * @throws the error of the file system; the descriptor is gone all the same
   */
  close(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    this.#isOpen = false;
    return asked((done) => close(this.fd, done));
  }

  /** The number is somebody else's as soon as it is closed. */
  #taken(): number {
    if (!this.#isOpen) throw new Error("the file is closed");
    return this.fd;
  }
}

/** Opens a file or folder. @throws the error of the file system */
export async function open(path: string, flags: number): Promise<Descriptor> {
  return new Descriptor(await asked<number>((done) => openByCallback(path, flags, done)));
}

/** What stands at a path, behind all links. @throws the error of the file system */
export function stat(path: string): Promise<Stats> {
  return asked((done) => statByCallback(path, done));
}

/** The path without links, as the system knows it. @throws the error of the file system */
export function realpath(path: string): Promise<string> {
  return asked((done) => realpathByCallback.native(path, done));
}

/** What a link says. @throws the error of the file system if it is none */
export function readlink(path: string): Promise<string> {
  return asked((done) => readlinkByCallback(path, done));
}

/**
 * A folder to go through, which its iterator closes however the loop ends.
 *
 * @param bufferSize entries that the system is asked for at a time
 * @throws the error of the file system
 */
export function opendir(path: string, bufferSize: number): Promise<Dir> {
  return asked((done) => opendirByCallback(path, { bufferSize }, done));
}

/** @param ask hands the question to the system, or throws where there is something wrong with it */
function asked<T>(ask: (done: (error: NodeJS.ErrnoException | null, answer?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => {
      if (error === null || error === undefined) resolve(answer as T);
      else reject(error);
    });
  });
}
