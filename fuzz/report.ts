/**
 * What the runner says: progress, failures, the tally. Text in, text out.
 */

import type { Campaign, Failure } from "./campaign.ts";
import { showInput } from "./corpus.ts";
import { roomsOf } from "./coverage.ts";

/** Above this many octets an input is not shown in full but for the command that repeats it. */
const MAX_SHOWN_CHARACTERS = 2_000;

const count = (number: number): string => Math.round(number).toLocaleString("en-US");
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const cut = (text: string): string =>
  text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}... (${text.length} characters)` : text;

/** A failure with the command that repeats it. */
export function renderFailure({ target, message, stack, input }: Failure): string {
  return [
    `BROKEN ${target}: ${cut(message)}`,
    ...(stack === "" ? [] : [stack]),
    `  input    ${input.length} octets: ${cut(showInput(input))}`,
    `  repeat   npm run fuzz -- --only ${target} --hex ${input.toString("hex")}`,
  ].join("\n");
}

/** One line while it runs. */
export function renderProgress(campaigns: readonly Campaign[], now: string, seconds: number, of: number): string {
  const executions = campaigns.reduce((sum, campaign) => sum + campaign.executions, 0);
  const blocks = campaigns.reduce((sum, campaign) => sum + campaign.blocks, 0);
  const failures = campaigns.reduce((sum, campaign) => sum + campaign.failures.length, 0);
  return `${seconds.toFixed(0)} of ${of} s  ${count(executions)} executions  ${count(blocks)} blocks  ${failures} broken  ${now}`;
}

/** The end: per target, per room, all together. */
export function renderTally(campaigns: readonly Campaign[], seconds: number, seed: number): string {
  const lines = [
    "",
    `${"target".padEnd(20)}${"executions".padStart(12)}${"per CPU s".padStart(11)}${"new blocks".padStart(12)}${"kept".padStart(7)}${"broken".padStart(8)}`,
  ];
  for (const { target, executions, spentMs, blocks, poolSize, failures } of campaigns) {
    const rate = spentMs === 0 ? 0 : executions / (spentMs / 1000);
    lines.push(
      `${target.name.padEnd(20)}${count(executions).padStart(12)}${count(rate).padStart(11)}${count(blocks).padStart(12)}${count(poolSize).padStart(7)}${count(failures.length).padStart(8)}`,
    );
  }
  const rooms = roomsOf(campaigns.flatMap(({ reach }) => (reach === null ? [] : [reach])));
  if (rooms.length > 0) {
    lines.push(
      "",
      `code reached: ${rooms.map(({ room, reached, known }) => `${room} ${((100 * reached) / known).toFixed(1)} %`).join(", ")}`,
    );
  }
  const failures = campaigns.flatMap((campaign) => campaign.failures);
  const executions = campaigns.reduce((sum, campaign) => sum + campaign.executions, 0);
  lines.push(
    "",
    `${count(executions)} executions in ${seconds.toFixed(0)} s, seed ${seed}, memory ${mebibytes(process.memoryUsage.rss())}: ${failures.length === 0 ? "nothing broken" : `${failures.length} BROKEN (${failures.map(({ target, key }) => `${target}: ${key}`).join("; ")})`}`,
  );
  return lines.join("\n");
}
