/**
 * Reading from all sockets into one buffer, which is lent to whoever receives.
 *
 * By itself Node makes a buffer of 64 KiB for each read and cuts it to what came: as much work as parsing the request, and
 * memory that the collector has to come for. Its sockets can read into one buffer instead (`onread` of `new net.Socket()`),
 * but a net.Server makes its sockets without that option. So what the option would have set is set here: which members these
 * are is seen on sockets that were made with it. Where they cannot be found, sockets are read as streams.
 * Whoever wants to keep much of what comes gets buffers of its own: content of 20 MB is not copied.
 */

import { Socket, type SocketConstructorOpts } from "node:net";

/** As much as libuv reads at once. Larger pieces are fewer, and made no difference. */
const READ_BYTES = 64 * 1024;

/** Takes what was read, and does not throw. The octets are gone when it returns, unless {@link LentReads.give} said otherwise. */
export type LentReceiver = (chunk: Buffer) => void;

/** What `onread` sets. */
interface Members {
  /** Uint8Array that is read into. */
  readonly buffer: symbol;
  /** Takes count and buffer; false would stop the reading. */
  readonly callback: symbol;
  /** Called behind each read: the buffer of the next, or null for the same. */
  readonly nextBuffer: symbol;
}

interface Handle {
  useUserBuffer(buffer: Uint8Array): void;
}

/** Undefined: not looked for yet. Null: not there. */
let members: Members | null | undefined;
/** One for all sockets: a read is over when its receiver returns, and no other begins before. */
let shared: Buffer | null = null;

/** The reads of one socket. */
export class LentReads {
  /** Is read into. */
  #buffer: Buffer;
  /** The next read shall have a buffer of its own. */
  #wantsOwn = false;
  readonly #shared: Buffer;
  readonly #socket: Socket;
  readonly #receive: LentReceiver;

  private constructor(socket: Socket, buffer: Buffer, receive: LentReceiver) {
    this.#buffer = buffer;
    this.#shared = buffer;
    this.#socket = socket;
    this.#receive = receive;
  }

  /**
   * Makes an open socket read into the shared buffer from now on.
   *
   * @returns null: this socket cannot, or not now, because it is paused or has more to give; everything comes as `data`
   */
  static of(socket: Socket, receive: LentReceiver): LentReads | null {
    if (members === undefined) members = findMembers();
    const handle = (socket as unknown as { readonly _handle?: Partial<Handle> | null })["_handle"];
    if (members === null || typeof handle?.useUserBuffer !== "function") return null;
    // A paused stream reads on until it is full, and what it holds comes before what we would read
    if (socket.readableFlowing !== true || socket.readableLength > 0) return null;
    shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const reads = new LentReads(socket, shared, receive);
    const slots = socket as unknown as Record<symbol, unknown>;
    slots[members.buffer] = shared;
    slots[members.callback] = (bytes: number, buffer: Buffer) => reads.#take(buffer.subarray(0, bytes));
    slots[members.nextBuffer] = () => reads.#takeNext();
    handle.useUserBuffer(shared);
    return reads;
  }

  /**
   * From inside of the receiver: makes what was read the receiver's, with all of its buffer.
   *
   * @returns false: it lies in the shared buffer and must be copied; the next read will have one of its own
   */
  give(): boolean {
    this.#wantsOwn = true;
    return this.#buffer !== this.#shared;
  }

  /** From inside of the receiver: the next read may be lent again. Who is quiet then holds no buffer. */
  giveNoMore(): void {
    this.#wantsOwn = false;
  }

  /** False stops the reading: behind a piece of `data` the stream has begun to read again, whether it was paused or not. */
  #take(chunk: Buffer): boolean {
    this.#receive(chunk);
    return !this.#socket.isPaused();
  }

  /** What was given away is never read into again, and what nobody wanted is let go. */
  #takeNext(): Buffer | null {
    const next = this.#wantsOwn ? Buffer.allocUnsafeSlow(READ_BYTES) : this.#shared;
    this.#wantsOwn = false;
    if (next === this.#buffer) return null;
    this.#buffer = next;
    return next;
  }
}

/** They are on every socket, whatever it was made with; then to set them is all that the option does. */
function findMembers(): Members | null {
  const bytes = new Uint8Array(1);
  const callback = (): boolean => true;
  const makeBuffer = (): Uint8Array => bytes;
  const buffer = memberOf({ buffer: bytes, callback }, bytes);
  const callbackMember = memberOf({ buffer: bytes, callback }, callback);
  const nextBuffer = memberOf({ buffer: makeBuffer, callback }, makeBuffer);
  if (buffer === null || callbackMember === null || nextBuffer === null) return null;
  return { buffer, callback: callbackMember, nextBuffer };
}

/** The member that holds `value` on a socket made with `onread`, if a socket made without has it too. */
function memberOf(onread: object, value: unknown): symbol | null {
  // In the documentation of Node 20, but not in its types
  const options: SocketConstructorOpts & { readonly onread: object } = { onread };
  const socket = new Socket(options);
  const plain = new Socket();
  const found = Object.getOwnPropertySymbols(socket).find(
    (key) => (socket as unknown as Record<symbol, unknown>)[key] === value && Object.hasOwn(plain, key),
  );
  socket.destroy();
  plain.destroy();
  return found ?? null;
}
