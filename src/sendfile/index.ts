/**
 * `fairlead/sendfile`: large files sent by the kernel itself, `serve({ sendfile: linuxSendfile() })`.
 *
 * Linux only, and only with the package koffi, or a Node that can call C itself; see {@link linuxSendfile}. A path of its own,
 * because whoever does not ask for it must not load code that can break the process.
 */
export { linuxSendfile } from "./linux-sendfile.ts";
export type { ForeignCalls } from "./linux-sendfile.ts";
export { SENDFILE_ABSENT, SENDFILE_FULL, SENDFILE_NEVER } from "../server/sendfile-pump.ts";
export type { Sendfile } from "../server/sendfile-pump.ts";
