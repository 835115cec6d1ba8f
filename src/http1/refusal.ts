/**
 * Responses of the wire itself: a refusal in the words of the table, with the rule that was broken (RFC 9110 §15.5).
 *
 * Nothing of the request is echoed but a field name, and that only as a token. A refusal always closes the connection:
 * what comes behind a message that was not understood cannot be trusted (RFC 9112 §11.2).
 */

import type { ProtocolError } from "../http/errors.ts";
import type { ConnectionInfo, Exchange, FieldEdit, FieldLines, Refusal } from "../http/exchange.ts";
import { renderProblem } from "../http/problem.ts";
import { reasonPhrase } from "../http/status.ts";
import type { RefusedHead } from "./head-reader.ts";

/** A refusal ready to be encoded. */
export interface RefusalResponse {
  readonly fields: FieldLines;
  readonly text: string;
}

/**
 * @param accept the request's Accept field as far as it was understood
 * @param isExplaining false: status and code only
 * @param edit what those who saw the request want of the fields; default nothing
 * @param id what the log calls it; default `""`, nothing
 */
export function renderRefusal(
  error: ProtocolError,
  accept: string | null,
  isExplaining: boolean,
  edit: FieldEdit | null = null,
  id: string = "",
): RefusalResponse {
  const problem = isExplaining
    ? {
        status: error.status,
        title: reasonPhrase(error.status),
        code: error.code,
        detail: error.message,
        rule: error.rule,
        field: error.field,
        offset: error.offset,
        option: error.option,
        id,
      }
    : { status: error.status, title: reasonPhrase(error.status), code: error.code, id };
  const { contentType, text } = renderProblem(problem, accept);
  const fields = ["Content-Type", contentType, "X-Content-Type-Options", "nosniff", "Cache-Control", "no-store"];
  if (error.status === 503) fields.push("Retry-After", "10");
  return { fields: edit === null ? fields : edit.apply(fields), text };
}

/**
 * What observers are told.
 *
 * @param exchange the one that is under way
 * @param contentBytes octets of content that the refusal is answered with
 */
export function tellRefusal(
  { error, method, target, requestLine, fields }: RefusedHead,
  connection: ConnectionInfo,
  exchange: Exchange | null,
  contentBytes: number,
): Refusal {
  return { error, connection, method, target, exchange, requestLine, fields, contentBytes };
}
