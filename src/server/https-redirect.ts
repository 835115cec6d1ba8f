/**
 * From plain HTTP to HTTPS: the answers of a port that is only there to send people on, and of a TLS port that hears plain HTTP.
 *
 * 308 keeps method and content (RFC 9110 §15.4.9). What goes elsewhere is authority and target as they were sent, validated by
 * the wire. Challenges of certificate authorities (RFC 8555 §8.3) pass to a handler, since they must be answered in plain HTTP.
 */

import { ProtocolError } from "../http/errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { isSafeMethod } from "../http/method.ts";

/** How plain requests are sent on. */
export interface RedirectPlan {
  /** Gives the port of the https URI; 0: that of the request, 443: none. */
  readonly port: () => number;
  /** Whether only methods without effect are redirected; others are refused, so that their client learns of its mistake. */
  readonly isSafeOnly: boolean;
  /** Answers what begins with {@link CHALLENGE_PREFIX}; null: redirected as all else. */
  readonly challenge: ((exchange: Exchange) => void) | null;
}

/** Path of challenges (RFC 8555 §8.3). */
const CHALLENGE_PREFIX = "/.well-known/acme-challenge/";

/** Makes what answers plain requests. */
export function createRedirect(plan: RedirectPlan): (exchange: Exchange) => void {
  return (exchange) => {
    const { method, target, authority } = exchange.request;
    if (plan.challenge !== null && target.startsWith(CHALLENGE_PREFIX)) return plan.challenge(exchange);
    if (authority === "" || (plan.isSafeOnly && !isSafeMethod(method))) {
      return exchange.refuse(new ProtocolError("ERR_PLAIN_ON_TLS_PORT"));
    }
    const fields = ["location", httpsUrl(authority, target, plan.port())];
    void exchange.respond({ status: 308, reason: "", fields }, null);
  };
}

/** @param target in one of the forms of RFC 9112 §3.2 that a server is sent */
function httpsUrl(authority: string, target: string, port: number): string {
  const host = port === 0 ? authority : authority.replace(/:[0-9]*$/, "");
  const suffix = port === 0 || port === 443 ? "" : `:${port}`;
  let path = target;
  if (target === "*") path = "/";
  // RFC 9112 §3.2.2: the authority has been taken out of an absolute-form already
  else if (!target.startsWith("/")) path = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*(.*)$/i.exec(target)?.[1] ?? "/";
  if (!path.startsWith("/")) path = `/${path}`;
  return `https://${host}${suffix}${path}`;
}
