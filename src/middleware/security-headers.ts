/**
 * Fields that tell browsers to be strict with our pages: a sane default for sites that load what they need from themselves.
 *
 * What a handler says of one of them itself is left as it is, because it knows its page. Each can be given another value, or
 * left out with null. There is no X-Frame-Options: browsers that know `frame-ancestors` pass over it, and all do (CSP Level 2
 * §7.7.1). It must never ask for HTTPS for ever on a connection that is not encrypted (RFC 6797 §7.2).
 */

import { checkOptions, type OptionRules } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import { editAnswer, LineEdit } from "./edit-response.ts";
import { VALUE_OR_NULL } from "./field-values.ts";

/** Values of the fields; null leaves one out. */
export interface SecurityHeadersOptions {
  /**
   * Content-Security-Policy: what a page may load and run. Default all from its own origin, no inline scripts, no plug-ins,
   * forms to its own origin, no `<base>` of another.
   */
  readonly contentSecurityPolicy?: string | null | undefined;
  /** Who may show a page in a frame: sources of the directive `frame-ancestors`, which is added to the policy. Default `'none'`. */
  readonly frameAncestors?: string | null | undefined;
  /** Strict-Transport-Security: ask for HTTPS from now on; sent over TLS alone. Default a year, without subdomains. */
  readonly strictTransportSecurity?: string | null | undefined;
  /** X-Content-Type-Options: content is what its type says. Default `nosniff`. */
  readonly contentTypeOptions?: string | null | undefined;
  /** Referrer-Policy: what other sites hear of where a visitor came from. Default `same-origin`: nothing. */
  readonly referrerPolicy?: string | null | undefined;
  /** Cross-Origin-Opener-Policy: no hold on our windows for those of other origins. Default `same-origin`. */
  readonly crossOriginOpenerPolicy?: string | null | undefined;
  /** Cross-Origin-Resource-Policy: who may load our files without CORS. Default `same-origin`. */
  readonly crossOriginResourcePolicy?: string | null | undefined;
  /** Permissions-Policy: devices and the like that pages may ask for. Default none of those that watch people or cost money. */
  readonly permissionsPolicy?: string | null | undefined;
}

/** @internal */
export const SECURITY_HEADERS_RULES: OptionRules<SecurityHeadersOptions> = {
  contentSecurityPolicy: VALUE_OR_NULL,
  frameAncestors: VALUE_OR_NULL,
  strictTransportSecurity: VALUE_OR_NULL,
  contentTypeOptions: VALUE_OR_NULL,
  referrerPolicy: VALUE_OR_NULL,
  crossOriginOpenerPolicy: VALUE_OR_NULL,
  crossOriginResourcePolicy: VALUE_OR_NULL,
  permissionsPolicy: VALUE_OR_NULL,
};

const POLICY = "default-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; script-src-attr 'none'";
const ANCESTORS = "'none'";
const YEAR = "max-age=31536000";
const PERMISSIONS = [
  "accelerometer",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "hid",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "serial",
  "usb",
]
  .map((feature) => `${feature}=()`)
  .join(", ");

/**
 * Adds the fields to every answer that does not have them itself, also to that of an error.
 *
 * @throws TypeError that names every mistake in the options
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Middleware {
  checkOptions("securityHeaders", options, SECURITY_HEADERS_RULES);
  const lines = linesOf(options);
  const transport = valueOf(options.strictTransportSecurity, YEAR);
  const plain = new LineEdit((own) => addMissing(own, lines));
  const secured = [...lines, ...(transport === null ? [] : ["strict-transport-security", transport])];
  const encrypted = new LineEdit((own) => addMissing(own, secured));
  return (request, context, next) => editAnswer(next, request, context, context.encrypted ? encrypted : plain);
}

/** `undefined` counts as not given. */
function valueOf(given: string | null | undefined, byDefault: string): string | null {
  return given === undefined ? byDefault : given;
}

function linesOf(options: SecurityHeadersOptions): string[] {
  const lines: string[] = [];
  const add = (name: string, value: string | null): void => {
    if (value !== null) lines.push(name, value);
  };
  const policy = valueOf(options.contentSecurityPolicy, POLICY);
  const ancestors = valueOf(options.frameAncestors, ANCESTORS);
  const directives = [policy, ancestors === null ? null : `frame-ancestors ${ancestors}`].filter((one) => one !== null);
  if (policy !== null && ancestors !== null && /(?:^|;)\s*frame-ancestors\s/i.test(policy)) directives.pop();
  add("content-security-policy", directives.length === 0 ? null : directives.join("; "));
  add("x-content-type-options", valueOf(options.contentTypeOptions, "nosniff"));
  add("referrer-policy", valueOf(options.referrerPolicy, "same-origin"));
  add("cross-origin-opener-policy", valueOf(options.crossOriginOpenerPolicy, "same-origin"));
  add("cross-origin-resource-policy", valueOf(options.crossOriginResourcePolicy, "same-origin"));
  add("permissions-policy", valueOf(options.permissionsPolicy, PERMISSIONS));
  return lines;
}

function addMissing(own: string[], lines: readonly string[]): void {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (indexOfLine(own, name) === -1) own.push(name, lines[i + 1] as string);
  }
}
