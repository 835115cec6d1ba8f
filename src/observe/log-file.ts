/**
 * How a file of lines is opened: to be appended to, and without waiting for anybody.
 *
 * Without O_NONBLOCK the name of a pipe that nobody reads would hold the event loop until somebody does, and a pipe that is full
 * the thread that writes, for good: not even the end of the process would come. For files of a disk it means nothing.
 */

import { constants } from "node:fs";

/** Windows knows no O_NONBLOCK. */
const NOT_WAITING = (constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

/** Flags of open(2). A pipe that nobody reads is refused with ENXIO. */
export const APPEND: number = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | NOT_WAITING;
