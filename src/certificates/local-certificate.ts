/**
 * A certificate for development: an authority that is made once on this machine, and what it issues for this machine's names.
 *
 * Only who trusts that authority trusts the certificate, and its key never leaves the folder. Two commands that start at the
 * same time agree on one authority. The certificate is made anew when it is about to end, when names are missing, or when the
 * authority is another one.
 */

import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { TimeSource } from "../web/clock.ts";
import { isFor, parseBundle, readBundle, renderBundle, writeBundle } from "./bundle.ts";
import type { Bundle } from "./bundle.ts";
import { issueAuthority, issueForServer } from "./issue.ts";
import type { Issued } from "./issue.ts";
import { createPrivate, readPrivate, writePrivate } from "./private-file.ts";

/** What there is after it. */
export interface LocalCertificate {
  /** File with key and certificate. */
  readonly bundlePath: string;
  /** File with the authority's certificate, for stores of trust. */
  readonly authorityPath: string;
  /** Nobody can trust it yet: it was made just now. */
  readonly isNewAuthority: boolean;
}

/** What is wanted. */
export interface LocalOptions {
  /** Where it is kept, absolute; made if it is not there. */
  readonly folder: string;
  /** Besides `localhost`, 127.0.0.1 and ::1: names and addresses of this machine. */
  readonly names: readonly string[];
  /** Of the authority, as people find it in stores of trust. */
  readonly owner: string;
  readonly time: TimeSource;
}

const DAY_MS = 86_400_000;

/** Browsers and Apple's systems take no more than 825 days, and 398 of public authorities. */
const LIFETIME_MS: number = 397 * DAY_MS;
const RENEWED_BEFORE_MS: number = 30 * DAY_MS;

const ALWAYS: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/** Of the authority's certificate: stores of trust are often copies of it, mode and all. */
const MODE_FOR_ALL = 0o644;

/** Sees to it that there is one that holds for a while. */
export async function provideLocalCertificate(options: LocalOptions): Promise<LocalCertificate> {
  const { folder, time } = options;
  const bundlePath = join(folder, "localhost.pem");
  const authorityPath = join(folder, "authority.crt");
  const names = [...new Set([...ALWAYS, ...options.names])];
  const { authority, isNew } = await provideAuthority(options);
  if ((await readPrivate(authorityPath, MODE_FOR_ALL)) !== authority.certPem) {
    await writePrivate(authorityPath, authority.certPem, MODE_FOR_ALL);
  }
  const bundle = await readBundle(bundlePath);
  if (bundle === null || !isGood(bundle, authority, names, time.nowMs())) {
    await writeBundle(bundlePath, await issueForServer(authority, names, time.nowMs(), LIFETIME_MS));
  }
  return { bundlePath, authorityPath, isNewAuthority: isNew };
}

async function provideAuthority({ folder, owner, time }: LocalOptions): Promise<{ authority: Bundle; isNew: boolean }> {
  const path = join(folder, "authority.pem");
  const found = await readAuthority(path, time.nowMs());
  if (found !== null) return { authority: found, isNew: false };
  const issued = await issueAuthority(owner, time.nowMs());
  let isNew = true;
  if ((await readPrivate(path)) !== null) await writePrivate(path, renderBundle(issued));
  else isNew = await createPrivate(path, renderBundle(issued));
  const authority = parseBundle((await readPrivate(path)) ?? "");
  if (authority === null) throw new Error(`${path} was written and cannot be read`);
  return { authority, isNew };
}

/** One that holds for longer than what it would issue; else it is time for another. */
async function readAuthority(path: string, nowMs: number): Promise<Bundle | null> {
  const bundle = await readBundle(path);
  return bundle !== null && bundle.leaf.ca && bundle.untilMs > nowMs + LIFETIME_MS ? bundle : null;
}

function isGood(
  { leaf, fromMs, untilMs }: Bundle,
  authority: Issued,
  names: readonly string[],
  nowMs: number,
): boolean {
  const issuer = new X509Certificate(authority.certPem);
  // The clock was ahead when it was made
  if (fromMs > nowMs) return false;
  return untilMs - nowMs > RENEWED_BEFORE_MS && leaf.verify(issuer.publicKey) && isFor(leaf, names);
}
