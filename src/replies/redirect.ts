/**
 * Redirects (RFC 9110 §15.4) that lead where the handler means to, and nowhere else.
 *
 * A target from a query or form (`?next=…`) is how visitors are sent to somebody else's copy of a page (open redirect).
 * Unless it is said otherwise a redirect therefore stays on this site; what counts is how browsers read the target (URL
 * standard: backslashes are slashes, tabs and line ends are nothing), not how it looks.
 */

import { checkOptions, HEADERS, type OptionRules, YES_OR_NO } from "../server/option-rules.ts";
import { Response } from "../web/response.ts";
import type { HeadersInput } from "../web/header-lines.ts";
import { encodeReference } from "./reference.ts";

/** 301 and 308 for good, 302 and 307 for now, 303 to what comes of the request; 307 and 308 keep the method. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

/** Where a redirect may lead, and what goes with it. */
export interface RedirectOptions {
  /** Other hosts that it may lead to, as in URLs: `["login.example.org", "localhost:3000"]`. Default none. */
  readonly hosts?: readonly string[] | undefined;
  /** Anywhere. Only for targets that are the handler's own. Default false. */
  readonly external?: boolean | undefined;
  readonly headers?: HeadersInput | undefined;
}

const STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const RULES: OptionRules<RedirectOptions> = {
  hosts: {
    allowed: 'hosts as in URLs, like "example.org" or "localhost:3000"',
    isAllowed: (value) => Array.isArray(value) && value.every((host) => typeof host === "string" && isHost(host)),
  },
  external: YES_OR_NO,
  headers: HEADERS,
};

/** Two sites that nobody has, of both schemes: a target that leaves either is not relative. */
const BASES: readonly URL[] = [new URL("http://a.invalid/"), new URL("https://b.invalid/")];
/** Controls and white space: browsers take tabs and line ends out, and what is left is another target. */
const NOT_IN_TARGETS = /[\0-\x20\x7f\\]/;
/** Would run, or be read as a page of this site. */
const NEVER = /^(?:javascript|data|vbscript|blob|file|about|filesystem):$/;

/**
 * Whether `text` is a path of this very site: begins with one `/`, and is neither the name of another host (`//evil.example`,
 * `/\evil.example`) nor anything that a browser would make one of.
 */
export function isLocalPath(text: unknown): text is string {
  return typeof text === "string" && text.startsWith("/") && isRelative(text);
}

/**
 * Sends the client elsewhere.
 *
 * @param location a path (`/login`), another relative reference (`?page=2`), or a URL that `options` allow
 * @param status default 303: GET what is there, which is right after a form; 307 and 308 repeat the request there
 * @returns a response without content, whose headers can be written to
 * @throws TypeError for a target that leads elsewhere than allowed (open redirect), and for wrong options; RangeError for
 *   another status
 */
export function redirect(
  location: string | URL,
  status: RedirectStatus = 303,
  options: RedirectOptions = {},
): Response {
  checkOptions("redirect", options, RULES);
  if (!STATUSES.includes(status)) throw new RangeError(`a redirect is ${STATUSES.join(", ")}, not ${String(status)}`);
  const text = typeof location === "string" ? location : location.href;
  const target = isRelative(text) ? encodeReference(text) : absoluteTarget(text, options);
  const response = new Response(null, {
    status,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  response.headers.set("location", target);
  return response;
}

function isRelative(text: string): boolean {
  if (text === "" || NOT_IN_TARGETS.test(text)) return false;
  return BASES.every((base) => {
    const url = parse(text, base);
    return url !== null && url.origin === base.origin && url.username === "" && url.password === "";
  });
}

function absoluteTarget(text: string, options: RedirectOptions): string {
  const url = parse(text);
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  if (url === null) throw new TypeError(`${shown} is no target of a redirect`);
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  // RFC 9110 §4.2.4: userinfo serves to obscure where a link leads
  const isNamed =
    isWeb &&
    url.username === "" &&
    url.password === "" &&
    (options.hosts ?? []).some((host) => hostOf(host) === url.host);
  const isAllowed = isNamed || (options.external === true && !NEVER.test(url.protocol));
  if (!isAllowed) {
    throw new TypeError(
      `a redirect to ${shown} leaves this site: name its host in \`hosts\`, or say \`external: true\``,
    );
  }
  return url.href;
}

/** Not by URL.canParse(): once it is compiled, that of Node 20 and 22 takes latin1 for UTF-8, and misjudges what clients send. */
function parse(text: string, base?: URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

/** As URLs write it: in lower case, without the port that http implies. */
function hostOf(host: string): string {
  return new URL(`http://${host}`).host;
}

function isHost(host: string): boolean {
  return !/[/?#@\\]/.test(host) && parse(`http://${host}`) !== null;
}
