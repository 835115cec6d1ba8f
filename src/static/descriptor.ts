/**
 * The file system as promises: what of `node:fs/promises` the files that are served need.
 *
 * Over `node:fs`, because loading `node:fs/promises` costs every start 1 to 3 ms (it brings readline with it). A descriptor is
 * a number that the system gives to the next one as soon as it is closed: it must never be closed twice, nor while something
 * that was begun on it is under way. One that is forgotten, with a response that a handler has made and not sent, is closed
 * when the garbage collector has come for its object; so whoever uses the number holds that.
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

/** Those that nobody has closed. */
const forgotten: FinalizationRegistry<number> = new FinalizationRegistry((fd) => close(fd, ignore));

function ignore(): void {
  // Nothing can be done about a failed close
}

/** An open file or folder. Made with {@link open}; whoever gets it closes it. */
export class Descriptor {
  readonly fd: number;
  #isOpen: boolean;
  /** Calls of the system that are under way on it: until they are done it is neither closed nor forgotten. */
  #calls: number;
  /** Closes it, when there are none. */
  #onIdle: (() => void) | null;

  /** @param fd just opened, and nobody else's */
  constructor(fd: number) {
    this.fd = fd;
    this.#isOpen = true;
    this.#calls = 0;
    this.#onIdle = null;
    forgotten.register(this, fd, this);
  }

  /** What the system says of the open file, whatever stands at its path by now. @throws the error of the file system */
  stat(): Promise<Stats> {
    return this.#during((fd, done) => fstat(fd, done));
  }

  /** Reads by position. @returns octets read, 0 at the end @throws the error of the file system */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.#during((fd, done) => read(fd, target, offset, length, position, done));
  }

  /**
   * Closes it once what is under way is done; a second time does nothing.
   *
   * @throws the error of the file system; the descriptor is gone all the same
   */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    forgotten.unregister(this);
    if (this.#calls > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await asked((done) => close(this.fd, done));
  }

  /** The number is somebody else's as soon as it is closed. */
  #during<T>(ask: (fd: number, done: Done<T>) => void): Promise<T> {
    return asked((done) => {
      if (!this.#isOpen) throw new Error("the file is closed");
      ask(this.fd, (error, answer) => {
        this.#calls--;
        if (this.#calls === 0) this.#onIdle?.();
        done(error, answer);
      });
      this.#calls++;
    });
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

type Done<T> = (error: NodeJS.ErrnoException | null, answer?: T) => void;

/** @param ask hands the question to the system, or throws where there is something wrong with it */
function asked<T>(ask: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => {
      if (error === null || error === undefined) resolve(answer as T);
      else reject(error);
    });
  });
}
