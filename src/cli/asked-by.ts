/**
 * Who asked, for the log of the command: the name that was given to the gate, if it is a user's.
 *
 * As in Apache's `%u` it is also there where the password was wrong: beside a 401 it is who was tried, not who it was. A name that
 * no user has is not kept, for it may be a password that was typed in the wrong place (CWE-532).
 */

import type { Exchange } from "../http/exchange.ts";

const NAMES: WeakMap<Exchange, string> = new WeakMap();
let hasNames = false;

/** @param name `""` where no user has it: all are noted alike, so that time does not tell which names there are */
export function noteUser(exchange: Exchange, name: string): void {
  hasNames = true;
  NAMES.set(exchange, name);
}

/** `""` for nobody; costs nothing where there is no gate. */
export function userOf(exchange: Exchange): string {
  return hasNames ? (NAMES.get(exchange) ?? "") : "";
}
