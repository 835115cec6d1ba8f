/**
 * One certificate from an authority that speaks ACME (RFC 8555): account, order, HTTP-01, certificate.
 *
 * The protocol is acme-client's, which is an optional package and loaded when there is something to obtain; whether it is
 * there can be asked before. It tries once: when to try again is the keeper's decision, not made twice.
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import type * as acmeTypes from "acme-client";
import type { AcmeChallenges } from "./acme-challenge.ts";
import type { Issued } from "./issue.ts";
import { createPrivate, readPrivate } from "./private-file.ts";

/** What is ordered. */
export interface AcmeOrder {
  /** URL of the authority's directory (RFC 8555 §7.1.1). */
  readonly directoryUrl: string;
  /** Where the authority writes to when a certificate is about to end. */
  readonly mail: string;
  /** Names of hosts. */
  readonly domains: readonly string[];
  /** Where the key of the account is kept, absolute. */
  readonly folder: string;
  readonly challenges: AcmeChallenges;
}

/** Obtains what is ordered; rejects with a reason for people. */
export type OrderCertificate = (order: AcmeOrder) => Promise<Issued>;

/** An authority that says nothing for so long has failed. */
const TIMEOUT_MS = 30_000;

/** Orders are looked at after so long, then twice as long each time, for so many times: 50 s in all. */
const POLL = { backoffMin: 500, backoffMax: 8000, backoffAttempts: 10 };

type AcmeClient = typeof acmeTypes;

/** Whether the package is there, without loading it: what is missing does not mend itself by another try. */
export function isAcmeInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("acme-client");
    return true;
  } catch (error) {
    // Found, but not by require or broken: what there is to say of that, loading it says
    return (error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND";
  }
}

/**
 * Obtains a certificate.
 *
 * @throws Error with a reason for people: the package is missing, the authority refuses, a name is not ours
 */
export const orderCertificate: OrderCertificate = async (order) => {
  const acme = await loadAcme();
  const accountKey = await provideAccountKey(acme, order.folder);
  const client = new acme.Client({ directoryUrl: order.directoryUrl, accountKey, ...POLL });
  const key = await acme.crypto.createPrivateEcdsaKey("P-256");
  const [, csr] = await acme.crypto.createCsr({ altNames: [...order.domains] }, key);
  const ordered = client.auto({
    csr,
    email: order.mail,
    termsOfServiceAgreed: true,
    challengePriority: ["http-01"],
    // From here, which may be behind a router that sends nobody back, it says nothing of what the authority sees
    skipChallengeVerification: true,
    challengeCreateFn: (_, challenge, keyAuthorization) => {
      if (challenge.type !== "http-01") throw new Error(`the authority offers ${challenge.type} and not http-01`);
      return order.challenges.put(challenge.token, keyAuthorization);
    },
    challengeRemoveFn: (_, challenge) => order.challenges.remove(challenge.token),
  });
  const certPem = await ordered.catch((error: unknown) => {
    throw explain(error, order.directoryUrl);
  });
  return { certPem, keyPem: key.toString("latin1") };
};

/** Where no answer came at all, acme-client 5 stumbles over there being none, and the reason is lost. */
function explain(error: unknown, directoryUrl: string): unknown {
  const isUnanswered = error instanceof TypeError && error.message.includes("'config'");
  return isUnanswered ? new Error(`${new URL(directoryUrl).host} cannot be reached`, { cause: error }) : error;
}

/** Made once: an authority knows its customers by it, and counts what they do. */
async function provideAccountKey(acme: AcmeClient, folder: string): Promise<string> {
  const path = join(folder, "account.pem");
  const found = await readPrivate(path);
  if (found !== null) return found;
  const made = (await acme.crypto.createPrivateEcdsaKey("P-256")).toString("latin1");
  return (await createPrivate(path, made)) ? made : ((await readPrivate(path)) ?? made);
}

async function loadAcme(): Promise<AcmeClient> {
  let acme: AcmeClient;
  try {
    const loaded = (await import("acme-client")) as AcmeClient & { readonly default?: AcmeClient };
    acme = loaded.default ?? loaded;
  } catch (error) {
    throw new Error("the package acme-client is missing: npm install acme-client", { cause: error });
  }
  acme.axios.defaults.timeout = TIMEOUT_MS;
  const settings: unknown = Reflect.get(acme.axios.defaults, "acmeSettings");
  if (typeof settings === "object" && settings !== null) Reflect.set(settings, "retryMaxAttempts", 0);
  return acme;
}
