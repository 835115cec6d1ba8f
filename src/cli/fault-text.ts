/**
 * A failure of a handler as text for people, with the time: it goes to standard error where the log's form has no place for it.
 *
 * The id is the one that the client was told, so that who complains and what is written are found together.
 */

import { faultText as textOf } from "../server/fault-text.ts";
import type { Fault } from "../server/hooks.ts";

/** @returns lines, the last with its end */
export function faultText({ id, error, exchange }: Fault, wallMs: number): string {
  return textOf(id, error, exchange, new Date(wallMs).toISOString());
}
