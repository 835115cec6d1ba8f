/**
 * Node's cryptography and TLS, loaded when somebody asks for TLS and not before.
 *
 * An import would load both at every start, which takes some 6 ms that a server of plain HTTP never gets anything for. Nothing
 * but TLS may ask here; a server without it must not come by.
 */

import type * as Cryptography from "node:crypto";
import type * as Tls from "node:tls";

/** `node:crypto`. */
export function cryptography(): typeof Cryptography {
  return process.getBuiltinModule("node:crypto");
}

/** `node:tls`. */
export function nodeTls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}
