/** All profiles, in the order in which they are listed and run. */
import { APP_PROFILES } from "./app-profiles.ts";
import { IDLE_PROFILE } from "./idle-profile.ts";
import { LOG_PROFILES } from "./log-profile.ts";
import { PLAIN_PROFILES } from "./plain-profiles.ts";
import type { Profile } from "./profile.ts";
import { STARTUP_PROFILE } from "./startup-profile.ts";
import { STATIC_PROFILES } from "./static-profiles.ts";
import { TLS_PROFILES } from "./tls-profiles.ts";

export const PROFILES: readonly Profile[] = [
  ...PLAIN_PROFILES,
  ...APP_PROFILES,
  ...STATIC_PROFILES,
  ...TLS_PROFILES,
  ...LOG_PROFILES,
  IDLE_PROFILE,
  STARTUP_PROFILE,
];

/**
 * A profile asked on another number of connections: it says so, and nothing is demanded of it, for what is demanded is of the
 * profile as it stands.
 *
 * @param connections null: as the profile says
 */
export function onConnections(profile: Profile, connections: number | null): Profile {
  if (connections === null) return profile;
  const told = profile.about.replace(
    /\b[\d,]+(?= (?:keep-alive )?connections\b)|(?<=, of )[\d,]+$/,
    String(connections),
  );
  const about = told === profile.about ? `${told} (--connections ${connections})` : told;
  return { ...profile, about, target: null };
}

/**
 * A profile asked by another program than wrk: it says so, and needs that one. Where a script of ours makes the load, that stays.
 *
 * @returns null where that program cannot ask it
 */
export function askedBy(profile: Profile, load: "wrk" | "h2load"): Profile | null {
  if (load === "wrk" || !profile.tools.includes("wrk")) return profile;
  if (profile.isForH2load !== true) return null;
  const tools = profile.tools.map((name) => (name === "wrk" ? load : name));
  return { ...profile, about: `${profile.about} (asked by ${load})`, tools };
}

/** @throws naming what is not known */
export function findProfiles(names: readonly string[]): readonly Profile[] {
  const unknown = names.filter((name) => name !== "all" && !PROFILES.some((profile) => profile.name === name));
  if (unknown.length > 0) {
    const known = PROFILES.map(({ name }) => name).join(", ");
    throw new Error(`no profile ${unknown.join(", ")}; there are ${known}`);
  }
  return names.includes("all") ? PROFILES : PROFILES.filter(({ name }) => names.includes(name));
}
