/**
 * What the load at a fixed rate can be trusted with: `npx jiti bench/load/calibrate.ts [seconds]`, on a quiet machine.
 *
 * Against nginx, which answers faster than anything on Node, it raises the rate until it cannot hold it: the rate that was
 * reached, latency, and how late requests were by the load's own fault. Then wrk and it measure the same unloaded server with
 * one connection, wrk in a closed loop and it at a low rate: their medians must agree to some microseconds, which is what the
 * load itself adds. Prints a table and judges nothing.
 */
import { spawnSync } from "node:child_process";
import { startSubject } from "../process.ts";
import { greetingRequest } from "../plain-profiles.ts";
import { SUBJECTS } from "../subject-list.ts";
import { fixedRate } from "./fixed-rate.ts";
import { percentileOf } from "./result.ts";
import { wrk } from "./wrk.ts";

const RATES = [1_000, 5_000, 10_000, 20_000, 30_000, 40_000, 60_000];
const SUBJECT_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 64;

const seconds = Number(process.argv[2] ?? 3);
const spec = SUBJECTS.find(({ name }) => name === "nginx");
const missing = spec === undefined ? "no subject nginx" : spec.missing();
if (spec === undefined || missing !== null) {
  console.log(`SKIPPED ALOUD: ${missing}`);
  process.exit();
}
spawnSync("taskset", ["-acp", String(LOAD_CORE), String(process.pid)]);
const subject = await startSubject("nginx", spec.command(process.execPath), SUBJECT_CORE);
const us = (value: number | undefined): string => (value ?? NaN).toFixed(1).padStart(9);
try {
  console.log("     rate   reached    p50 us    p99 us  late p50  late p99  waited %");
  for (const rate of RATES) {
    const told = { request: greetingRequest(), rate, connections: CONNECTIONS };
    const result = await fixedRate(subject, told, seconds, LOAD_CORE);
    const { more = {} } = result;
    const reached = result.requests / (result.durationUs / 1e6);
    const figures = [percentileOf(result, 50), percentileOf(result, 99), more["late p50 us"], more["late p99 us"]];
    const cells = [String(rate), reached.toFixed(0)].map((text) => text.padStart(9));
    console.log([...cells, ...figures.map(us), us(more["waited %"])].join(" "));
  }
  const load = { requests: [greetingRequest()], status: 200, connections: 1 };
  const closed = await wrk(subject, load, seconds, LOAD_CORE);
  const told = { request: greetingRequest(), rate: 1_000, connections: 1 };
  const open = await fixedRate(subject, told, seconds, LOAD_CORE);
  const pairs = [50, 90, 99].map((p) => `p${p} ${percentileOf(closed, p)} and ${percentileOf(open, p).toFixed(1)}`);
  console.log(`\none connection, wrk in a closed loop and this at 1,000/s, us: ${pairs.join(", ")}`);
} finally {
  await subject.stop();
}
