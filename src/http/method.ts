/**
 * Methods: which are registered, which are safe, which are idempotent (RFC 9110 §9.1, §9.2, §16.1).
 *
 * The table is the registry's: RFC 9110, 5789 (PATCH), 4918, 3253, 3648, 3744, 4437, 4791, 5323, 5842 (WebDAV), 2068
 * (LINK, UNLINK), and QUERY. Methods are case-sensitive (§9.1): `get` is none of them. This file must never decide
 * which methods a resource allows.
 */

/** Safe, and so idempotent (RFC 9110 §9.2.1, §9.2.2). */
const SAFE = ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "REPORT", "SEARCH"] as const;

/** Idempotent but not safe (RFC 9110 §9.2.2). */
const IDEMPOTENT = [
  "PUT",
  "DELETE",
  "ACL",
  "BASELINE-CONTROL",
  "BIND",
  "CHECKIN",
  "CHECKOUT",
  "COPY",
  "LABEL",
  "LINK",
  "MERGE",
  "MKACTIVITY",
  "MKCALENDAR",
  "MKCOL",
  "MKREDIRECTREF",
  "MKWORKSPACE",
  "MOVE",
  "ORDERPATCH",
  "PROPPATCH",
  "REBIND",
  "UNBIND",
  "UNCHECKOUT",
  "UNLINK",
  "UNLOCK",
  "UPDATE",
  "UPDATEREDIRECTREF",
  "VERSION-CONTROL",
] as const;

/** Neither. */
const OTHER = ["POST", "PATCH", "CONNECT", "LOCK"] as const;

// PRI is registered too, but only so that nobody uses it: it begins the HTTP/2 preface (RFC 9113 §3.4, §11.6).
// "*" is registered for the same reason (RFC 9110 §18.2).
const REGISTERED: ReadonlySet<string> = new Set<string>([...SAFE, ...IDEMPOTENT, ...OTHER]);
const SAFE_SET: ReadonlySet<string> = new Set<string>(SAFE);
const IDEMPOTENT_SET: ReadonlySet<string> = new Set<string>([...SAFE, ...IDEMPOTENT]);

/** Whether `method` is one of the registered methods that a request may have (RFC 9110 §16.1.1). */
export function isRegisteredMethod(method: string): boolean {
  return method === "GET" || method === "POST" || REGISTERED.has(method);
}

/** Whether `method` is registered as safe: its semantics are read-only (RFC 9110 §9.2.1). */
export function isSafeMethod(method: string): boolean {
  return method === "GET" || SAFE_SET.has(method);
}

/** Whether `method` is registered as idempotent: several identical requests have the effect of one (RFC 9110 §9.2.2). */
export function isIdempotentMethod(method: string): boolean {
  return method === "GET" || IDEMPOTENT_SET.has(method);
}

/** The registered methods, those of RFC 9110 first within their kind. */
export function registeredMethods(): string[] {
  return [...REGISTERED];
}
