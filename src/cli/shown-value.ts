/**
 * Values as `fairlead check` may show them: without passwords, keys and tokens.
 *
 * What it prints ends up in logs of deployments, which more people read than the configuration (CWE-532). What is a secret is
 * known by its name, also deep in a list, and by its place in a URL. It must never change a value that is no secret.
 */

import { Redactor, SECRET_PARAMETERS } from "../observe/redact.ts";
import type { FlagName } from "./flags.ts";

/** What stands in place of a value that is there. */
const GIVEN = "given";
/** What stands in place of a part of a text. */
const HIDDEN = "…";

/** Names, in lower case, of what is a secret, or too long to be read: certificates stand with their keys. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  "ca",
  "cert",
  "key",
  "passphrase",
  "password",
  "pfx",
  "secret",
  "ticketkeys",
  "token",
]);

/** RFC 3986 §3.2: before the authority of a URL. */
const AUTHORITY = "://";

const REDACTOR = new Redactor(SECRET_PARAMETERS, []);
/** The value of a setting. @param path as a user writes it, e.g. `tls.key` */
export function withoutSecrets(path: string, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  const name = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (SECRET_NAMES.has(name)) return GIVEN;
  if (typeof value === "string") return textWithoutSecrets(value);
  if (ArrayBuffer.isView(value)) return GIVEN;
  if (typeof value === "function") return GIVEN;
  if (Array.isArray(value)) return value.map((one: unknown) => withoutSecrets(path, one));
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, withoutSecrets(inner, one)]));
}

/** The value of a flag. */
export function flagWithoutSecrets(name: FlagName, value: string | boolean): string | boolean {
  if (typeof value !== "string") return value;
  // A file of passwords is none
  if (name === "auth") return value.startsWith("@") ? value : value.replace(/:[^]*/, `:${HIDDEN}`);
  if (name === "header") return fieldWithoutSecrets(value);
  return textWithoutSecrets(value);
}

function fieldWithoutSecrets(line: string): string {
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).trim().toLowerCase();
  const value = line.slice(colon + 1);
  if (REDACTOR.field(name, value) !== value) return `${line.slice(0, colon)}: ${HIDDEN}`;
  return textWithoutSecrets(line);
}

/** A text that may be a URL, or hold one. */
export function textWithoutSecrets(text: string): string {
  const [before = "", ...behind] = text.split(AUTHORITY);
  return REDACTOR.url([before, ...behind.map(withoutPassword)].join(AUTHORITY));
}

/** RFC 3986 §3.2.1: what stands behind the colon of the user's part is a password. */
function withoutPassword(rest: string): string {
  const end = rest.search(/[\s/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const [colon, at] = [authority.indexOf(":"), authority.lastIndexOf("@")];
  return colon === -1 || at < colon ? rest : `${rest.slice(0, colon)}:${HIDDEN}${rest.slice(at)}`;
}
