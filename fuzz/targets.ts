/**
 * All targets. Those of whole connections are a room of their own, with the same interface.
 */

import { existsSync } from "node:fs";
import type { FuzzTarget } from "./target.ts";
import { besideNodeTarget } from "./targets/beside-node.ts";
import { bodyTextTarget } from "./targets/body-text.ts";
import { conditionalTarget } from "./targets/conditional.ts";
import { configTarget } from "./targets/config.ts";
import { cookiesTarget } from "./targets/cookies.ts";
import { credentialsTarget } from "./targets/credentials.ts";
import { decodeTarget } from "./targets/decode.ts";
import { eventStreamTarget } from "./targets/event-stream.ts";
import { fieldsTarget } from "./targets/fields.ts";
import { forwardingTarget } from "./targets/forwarding.ts";
import { framingTarget } from "./targets/framing.ts";
import { headTarget } from "./targets/head.ts";
import { multipartTarget } from "./targets/multipart.ts";
import { negotiateTarget } from "./targets/negotiate.ts";
import { proxyProtocolTarget } from "./targets/proxy-protocol.ts";
import { rangeTarget } from "./targets/range.ts";
import { requestTargetTarget } from "./targets/request-target.ts";
import { routerTarget } from "./targets/router.ts";
import { staticPathTarget } from "./targets/static-path.ts";

/** Pieces: functions of octets or text. */
export const PIECE_TARGETS: readonly FuzzTarget[] = [
  headTarget,
  framingTarget,
  besideNodeTarget,
  decodeTarget,
  requestTargetTarget,
  fieldsTarget,
  rangeTarget,
  conditionalTarget,
  negotiateTarget,
  forwardingTarget,
  proxyProtocolTarget,
  multipartTarget,
  bodyTextTarget,
  cookiesTarget,
  credentialsTarget,
  eventStreamTarget,
  routerTarget,
  staticPathTarget,
  configTarget,
];

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
