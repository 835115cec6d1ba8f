/**
 * Profiles of TLS: the same certificate behind each subject, asked by wrk over connections that stay, so that records are
 * measured and not handshakes. Steered by server CPU per request.
 *
 * The whole answer is compared before and after the load, by a client of their own.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { join } from "node:path";
import type { Subject } from "./process.ts";
import { openTree } from "./static-profiles.ts";
import type { StaticTree } from "./static-tree.ts";
import { figuresOf, wrk } from "./wrk.ts";

/** What is asked for, and who is compared. */
interface Question {
  readonly about: string;
  readonly path: string;
  readonly reference: string;
  readonly subjects: readonly string[];
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  "tls-plaintext": {
    about: "GET / under TLS 1.3 on keep-alive connections",
    path: "/",
    reference: "node-https",
    subjects: ["fairlead-tls", "node-https"],
  },
  "tls-64k": {
    about: "a file of 64 KB under TLS 1.3",
    path: "/64k.js",
    reference: "nginx-static-tls",
    subjects: ["fairlead-static-tls", "nginx-static-tls"],
  },
};

/** The profiles of TLS by name. */
export const TLS_PROFILES: ReadonlyMap<string, Question> = new Map(Object.entries(QUESTIONS));

/** The folder of this run, with a certificate beside it. Subjects read their paths from the environment. */
export function openTlsTree(): StaticTree {
  const tree = openTree();
  // Not in the folder that is served, but removed with it
  const home = `${tree.folder}-nginx`;
  mkdirSync(home, { recursive: true });
  const certFile = join(home, "certificate.pem");
  const keyFile = join(home, "key.pem");
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...words, ...names, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
  process.env["FAIRLEAD_BENCH_CERT"] = certFile;
  process.env["FAIRLEAD_BENCH_KEY"] = keyFile;
  return tree;
}

/** One round. */
export async function runTls(
  name: string,
  subject: Subject,
  tree: StaticTree,
  settings: { readonly seconds: number; readonly loadCore: number },
): Promise<Readonly<Record<string, number>>> {
  const question = QUESTIONS[name];
  if (question === undefined) throw new Error(`no profile ${name}`);
  await check(subject, tree, question.path);
  const requests = [`GET ${question.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`];
  const load = { requests, status: 200, connections: 64, scheme: "https" } as const;
  await wrk(subject, load, Math.max(1, settings.seconds / 3), settings.loadCore);
  const before = subject.cpuUs();
  const result = await wrk(subject, load, settings.seconds, settings.loadCore);
  const round = figuresOf(result, subject.cpuUs() - before, subject.residentBytes());
  await check(subject, tree, question.path);
  return round;
}

/** Compares an answer whole. */
async function check(subject: Subject, tree: StaticTree, path: string): Promise<void> {
  // The certificate is made for this run, and the peer is our own child on this machine
  const options = { host: "127.0.0.1", port: subject.port, path, agent: false, rejectUnauthorized: false };
  const [response] = (await once(get(options), "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  for await (const part of response) hash.update(part as Buffer);
  const expected = tree.hashes.get(path) ?? createHash("sha256").update("Hello, World!").digest("hex");
  if (response.statusCode !== 200 || hash.digest("hex") !== expected) {
    throw new Error(`${subject.name}: wrong content of ${path}`);
  }
}
