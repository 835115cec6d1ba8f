/**
 * All targets. Those of whole connections are a room of their own, with the same interface.
 */

import { existsSync } from "node:fs";
import type { FuzzTarget } from "./target.ts";
import { headTarget } from "./targets/head.ts";

/** Pieces: functions of octets or text. */
export const PIECE_TARGETS: readonly FuzzTarget[] = [headTarget];

/** What fuzz/connection/targets.ts exports. */
interface ConnectionTargets {
  readonly CONNECTION_TARGETS: readonly FuzzTarget[];
}

/** All of them. */
export async function allTargets(): Promise<readonly FuzzTarget[]> {
  const connection = new URL("connection/targets.ts", import.meta.url);
  if (!existsSync(connection)) return PIECE_TARGETS;
  const { CONNECTION_TARGETS } = (await import(connection.href)) as ConnectionTargets;
  return [...PIECE_TARGETS, ...CONNECTION_TARGETS];
}
