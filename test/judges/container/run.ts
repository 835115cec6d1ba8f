/**
 * The files of examples/deploy as they are meant: the image built by podman or docker, run hardened, stopped under load, replaced
 * behind a balancer, and a pod of kubernetes.yaml (podman alone). By hand: `npm run judge:container -- [--engine docker]
 * [--stand-in]`.
 *
 * `node:22-slim` is the one that is here or can be pulled; with `--stand-in` it is made of this machine's own Node (or that of
 * `--node path`), npm and shell, for as long as the judge runs. Ends with 1 if anything was not as it should be; what cannot be
 * tried is skipped aloud. docs/conformance/judges.md has what it said, and of what.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLoad } from "../../processes/load.ts";
import { Balancer, statusOf } from "./balancer.ts";
import { type Engine, findEngine } from "./engine.ts";
import { BASE, buildImage, importStandIn, prepareApp } from "./image.ts";

const { values } = parseArgs({
  options: { "engine": { type: "string" }, "stand-in": { type: "boolean" }, "node": { type: "string" } },
});
const MANIFEST = join(import.meta.dirname, "../../../examples/deploy/kubernetes.yaml");
const IMAGE = "localhost/fairlead-judge:1";
const LAME_DUCK_MS = 4000;
/** What `docker stop` and Kubernetes' endpoints take to notice; new connections come as long. */
const NOTICE_MS = 2000;
const HARDENED = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"];
/** Asked inside of a container: who one is, what process 1 is, what may be done. */
const PROBE = `const fs = require("node:fs");
const write = (path) => { try { fs.writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
const status = fs.readFileSync("/proc/1/status", "utf8");
const of = (name) => new RegExp(name + ":\\\\s+(\\\\S+)").exec(status)?.[1];
console.log(JSON.stringify({ version: process.version, uid: process.getuid(), first: fs.readFileSync("/proc/1/cmdline", "utf8").split("\\0").join(" ").trim(),
  app: write("/app/new"), script: write("/app/server.js"), capabilities: of("CapBnd"), noNewPrivileges: of("NoNewPrivs") }));`;

/** Nobody else's containers are called so. */
const PREFIX = `fairlead-judge-${process.pid}`;
const started = new Set<string>();
const pods = new Set<string>();
let isGood = true;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function check(what: string, isSo: boolean, found: unknown = ""): void {
  isGood &&= isSo;
  say(
    `${isSo ? "good" : "BAD "}  ${what}${found === "" ? "" : `: ${typeof found === "string" ? found : JSON.stringify(found)}`}`,
  );
}

const here = findEngine(values.engine === undefined ? ["podman", "docker"] : [values.engine]);
if (here === null) {
  say("SKIPPED: neither podman nor docker answers here");
  process.exit();
}
const engine: Engine = here;

async function until(port: number, path: string, status: number): Promise<void> {
  for (const endMs = performance.now() + 30_000; (await statusOf(port, path)) !== status; await sleep(50))
    if (performance.now() > endMs) throw new Error(`${path} is never answered ${status}`);
}

async function start(name: string, ...flags: string[]): Promise<number> {
  started.add(name);
  const app = ["-p", "127.0.0.1::8080", "-e", `LAME_DUCK_MS=${LAME_DUCK_MS}`, IMAGE];
  engine.run("run", "-d", "--name", name, ...flags, ...app);
  const port = Number(engine.run("port", name, "8080").split(":").at(-1));
  await until(port, "/readyz", 200);
  return port;
}

const probe = (name: string): Record<string, unknown> =>
  JSON.parse(engine.run("exec", name, "node", "-e", PROBE)) as Record<string, unknown>;

function isHealthy(name: string): boolean {
  const [, ...words] = JSON.parse(
    engine.run("inspect", "--format", "{{json .Config.Healthcheck.Test}}", name),
  ) as string[];
  return (
    engine.succeeds("exec", name, ...words) && (engine.name !== "podman" || engine.succeeds("healthcheck", "run", name))
  );
}

/** Resolves with what it says, the exit code of the app and how long it took. */
async function stop(name: string): Promise<{ code: number; seconds: number }> {
  const begunMs = performance.now();
  await once(spawn(engine.name, ["stop", "-t", "40", name], { stdio: "ignore" }), "exit");
  const seconds = Number(((performance.now() - begunMs) / 1000).toFixed(2));
  return { code: Number(engine.run("inspect", "--format", "{{.State.ExitCode}}", name)), seconds };
}

async function judgeStart(): Promise<void> {
  const plain = await start(`${PREFIX}-plain`);
  check("answers", (await statusOf(plain, "/")) === 200);
  const loose = probe(`${PREFIX}-plain`);
  check("runs as uid 1000, Node is process 1", loose["uid"] === 1000 && loose["first"] === "node server.js", loose);
  check("nothing in /app is its to write", loose["app"] === "EACCES" && loose["script"] === "EACCES");
  // By a signal, as podman executes nothing in a container that it is stopping
  engine.run("kill", "--signal", "TERM", `${PREFIX}-plain`);
  await until(plain, "/readyz", 503);
  check(
    "is healthy while it drains, not ready",
    isHealthy(`${PREFIX}-plain`) && (await statusOf(plain, "/readyz")) === 503,
  );
  check("ends with 0", engine.run("wait", `${PREFIX}-plain`) === "0");
  const port = await start(`${PREFIX}-hard`, ...HARDENED);
  const hard = probe(`${PREFIX}-hard`);
  const isBound =
    /^0+$/.test(String(hard["capabilities"])) && hard["noNewPrivileges"] === "1" && hard["app"] === "EROFS";
  check(`answers with ${HARDENED.join(" ")}`, (await statusOf(port, "/")) === 200 && isBound, hard);
  check("is healthy by its HEALTHCHECK", isHealthy(`${PREFIX}-hard`));
  await judgeStop(`${PREFIX}-hard`, port);
}

/** Clients that open no connection after the time a balancer takes to notice; idle ones, that see how they are ended. */
async function judgeStop(name: string, port: number): Promise<void> {
  const load = startLoad(port, { oneShot: 2, keepAlive: 8, pipelining: 2 });
  const idle = Array.from({ length: 4 }, () => connect(port, "127.0.0.1"));
  const ends = idle.map(
    (socket) =>
      new Promise<string>((resolve) =>
        socket
          .on("data", () => {})
          .on("end", () => resolve("ended"))
          .on("error", () => resolve("reset")),
      ),
  );
  for (const socket of idle) socket.write("GET / HTTP/1.1\r\nHost: idle\r\n\r\n");
  await load.more(2000);
  const before = load.count.answers;
  const begunMs = performance.now();
  const stopped = stop(name);
  await until(port, "/readyz", 503);
  const noticedMs = performance.now() - begunMs;
  await sleep(Math.max(0, NOTICE_MS - (performance.now() - begunMs - noticedMs)));
  const { answers, connections, failures } = await load.stop();
  const { code, seconds } = await stopped;
  check(
    `stop under load: nobody failed`,
    failures.size === 0,
    `${answers} answers on ${connections} connections, ${answers - before} of them after the signal; ${JSON.stringify([...failures])}`,
  );
  check(
    "stop: 503 of /readyz, LAME_DUCK_MS, exit code 0",
    code === 0 && seconds * 1000 >= LAME_DUCK_MS,
    `503 after ${noticedMs.toFixed(0)} ms, exit code ${code} after ${seconds} s`,
  );
  check(
    "stop: idle connections are ended, not reset",
    (await Promise.all(ends)).every((end) => end === "ended"),
    await Promise.all(ends),
  );
}

/** maxUnavailable 0, maxSurge 1: a new one is ready before an old one gets its signal. */
async function judgeReplacement(): Promise<void> {
  const balancer = new Balancer();
  const old = new Map([
    [`${PREFIX}-a`, 0],
    [`${PREFIX}-b`, 0],
  ]);
  for (const name of old.keys()) old.set(name, await start(name, ...HARDENED));
  for (const port of old.values()) balancer.pods.set(port, true);
  const load = startLoad(await balancer.listen(), { oneShot: 4, keepAlive: 8, pipelining: 2 });
  const codes: number[] = [];
  for (const [name, port] of old) {
    await load.more(1000);
    const fresh = await start(`${name}-new`, ...HARDENED);
    balancer.pods.set(fresh, true);
    await load.more(1000);
    codes.push((await stop(name)).code);
    balancer.pods.delete(port);
  }
  await load.more(1000);
  const { answers, connections, failures } = await load.stop();
  balancer.close();
  check(
    "two replaced one after the other under load: nobody failed",
    failures.size === 0 && codes.every((code) => code === 0),
    `${answers} answers on ${connections} connections; exit codes ${codes.join(" and ")}; ${JSON.stringify([...failures])}`,
  );
}

/**
 * One pod of the manifest. Only what podman knows of it: it leaves the Service out, publishes each containerPort (so two replicas
 * would meet), does not know the grace period, and turns probes into curl on port 0, as the port is named; so we ask ourselves.
 */
async function judgePod(): Promise<void> {
  if (engine.name !== "podman") return say("SKIPPED: the pods of kubernetes.yaml, which docker cannot play");
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  await once(closed.close(), "close");
  const text = readFileSync(MANIFEST, "utf8")
    .replace("registry.example/app:1", IMAGE)
    .replace("replicas: 2", "replicas: 1")
    .replace("  name: app\n", `  name: ${PREFIX}\n`)
    .replace("containerPort: 8080", `containerPort: 8080, hostPort: ${port}, hostIP: 127.0.0.1`);
  const file = join(folder, "kubernetes.yaml");
  writeFileSync(file, text);
  pods.add(`${PREFIX}-pod-0`);
  const played = spawnSync(engine.name, ["play", "kube", file], { encoding: "utf8" });
  if (played.status !== 0) return check("kubernetes.yaml is played", false, played.stderr);
  await until(port, "/healthz", 200);
  await until(port, "/readyz", 200);
  const name = `${PREFIX}-pod-0-app`;
  const found = probe(name);
  const isAsWritten = found["uid"] === 1000 && found["app"] === "EROFS" && found["noNewPrivileges"] === "1";
  check("a pod of kubernetes.yaml runs as it says", isAsWritten && /^0+$/.test(String(found["capabilities"])), found);
  const grace = /terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1] ?? "";
  const begunMs = performance.now();
  const ending = once(spawn(engine.name, ["pod", "stop", "-t", grace, `${PREFIX}-pod-0`], { stdio: "ignore" }), "exit");
  await until(port, "/readyz", 503);
  check("the pod answers while it is not ready", (await statusOf(port, "/")) === 200);
  await ending;
  const code = engine.run("inspect", "--format", "{{.State.ExitCode}}", name);
  check(
    "the pod ends in its grace period",
    code === "0",
    `exit code ${code} after ${((performance.now() - begunMs) / 1000).toFixed(1)} s of ${grace}`,
  );
}

say(`${engine.run("--version")}; Node ${process.versions.node} outside`);
const isStandIn = !engine.succeeds("image", "inspect", BASE) && !engine.succeeds("pull", BASE);
if (isStandIn && values["stand-in"] !== true) {
  say(`SKIPPED: ${BASE} is not here and cannot be pulled; --stand-in makes one of this machine's Node`);
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), "fairlead-container-"));
try {
  if (isStandIn) importStandIn(engine, folder, values.node ?? process.execPath);
  say(isStandIn ? "the base is a stand-in made of this machine's files" : `the base is ${BASE}`);
  const endRelay = await prepareApp(folder);
  check("the image builds", true, await buildImage(engine, folder, IMAGE));
  endRelay();
  await judgeStart();
  await judgeReplacement();
  await judgePod();
} catch (error) {
  check("came to an end", false, String(error));
} finally {
  for (const name of started) engine.succeeds("rm", "-f", name);
  for (const name of pods) engine.succeeds("pod", "rm", "-f", name);
  for (const image of [IMAGE, ...(isStandIn ? [BASE] : [])]) engine.succeeds("rmi", image);
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isGood ? 0 : 1;
