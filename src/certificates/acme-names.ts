/**
 * What a person gives to ACME, checked before anything is asked of an authority: names, address, directory.
 *
 * Authorities count failed orders and stop listening for a week, so that what cannot succeed is not tried.
 */

import { domainToASCII } from "node:url";
import { isAddress } from "./names.ts";

/** Directories by the name that they have here. */
export const ACME_DIRECTORIES: Readonly<Record<string, string>> = {
  production: "https://acme-v02.api.letsencrypt.org/directory",
  staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
};

/** RFC 1034 §3.5, with an underscore nowhere: authorities refuse it. */
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const MAX_NAME_LENGTH = 253;

/**
 * A name as it stands in a certificate.
 *
 * @param text as a person writes it, with letters of any script
 * @returns the name in lower case, or what is wrong with it, as a clause
 */
export function readDomain(text: string): { readonly name: string } | { readonly mistake: string } {
  const trimmed = text.trim().replace(/\.$/, "");
  if (isAddress(trimmed.replace(/^\[(.*)\]$/, "$1")))
    return { mistake: "is an address, and certificates are for names" };
  if (trimmed.startsWith("*.")) return { mistake: "stands for many names, which HTTP-01 cannot prove; name each" };
  if (/^[a-z]+:\/\//i.test(trimmed)) return { mistake: "is a URL; give the name alone" };
  const name = domainToASCII(trimmed).toLowerCase();
  const labels = name.split(".");
  if (name === "" || name.length > MAX_NAME_LENGTH || !labels.every((label) => LABEL.test(label))) {
    return { mistake: "is no name of a host" };
  }
  return labels.length < 2 ? { mistake: "has no dot, so no public authority can reach it" } : { name };
}

/** The URL of a directory by its name, or as it is; null if it is neither. */
export function readDirectory(text: string): string | null {
  const known = ACME_DIRECTORIES[text];
  if (known !== undefined) return known;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : null;
}

/** An address that an authority may write to. It does not ask whether anybody reads it. */
export function isMailAddress(text: string): boolean {
  return /^[^\s@,:;<>]+@[^\s@,:;<>]+$/.test(text);
}
