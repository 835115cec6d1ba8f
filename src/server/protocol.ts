/**
 * Which wire speaks on a connection: the only file of this floor that knows their names.
 *
 * Above this choice everything deals with a ProtocolConnection. Today it is always HTTP/1; what TLS negotiates (ALPN) or the
 * first octets say would decide here.
 */

import type { ProtocolError } from "../http/errors.ts";
import type { Clock, ProtocolConnection, Transport } from "../http/exchange.ts";
import type { Http1Config } from "../http1/states.ts";
import { Http1Connection } from "../http1/connection.ts";
import { ResponseEncoder } from "../http1/encode.ts";
import { renderRefusal } from "../http1/refusal.ts";
import type { ConnectionRefusal } from "./refused-connection.ts";

/** What wires are made with; the same for all connections of a server. */
export type ProtocolConfig = Http1Config;

/** Makes the connection for a transport. */
export function createProtocol(transport: Transport, clock: Clock, config: ProtocolConfig): ProtocolConnection {
  return new Http1Connection(transport, clock, config);
}

/** The response to a connection that is refused before anything was read from it. */
export function renderConnectionRefusal(
  error: ProtocolError,
  dateText: string,
  isExplaining: boolean,
): ConnectionRefusal {
  const { fields, text } = renderRefusal(error, null, isExplaining);
  const content = Buffer.from(text);
  const encoder = new ResponseEncoder();
  encoder.encode({ status: error.status, reason: "", fields }, content.length, false, 1, false, dateText);
  return { text: encoder.text + content.toString("latin1"), contentBytes: content.length };
}
