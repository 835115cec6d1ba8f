/**
 * Profiles of TLS: the same certificate behind each subject. Connections that stay measure records, connections that do not
 * measure handshakes, full ones and resumed ones. Steered by server CPU per request, of which a handshake has one.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { greetingChecker } from "./answer.ts";
import { scriptCommand } from "./load/fixed-rate.ts";
import type { HandshakeSettings } from "./load/handshakes.ts";
import { type Load, parseResult } from "./load/result.ts";
import { greetingRequest, saturate } from "./plain-profiles.ts";
import { runLoad } from "./process.ts";
import type { Profile } from "./profile.ts";
import { LOAD_FIGURES, roundOf } from "./round.ts";
import { fileChecker, openTree, theTree } from "./static-profiles.ts";
import { targetOf } from "./targets.ts";

const HANDSHAKES = fileURLToPath(new URL("load/handshakes.ts", import.meta.url));

/** The folder of this run, with a certificate beside it. Subjects read their paths from the environment. */
function openTlsTree(): () => void {
  const remove = openTree();
  try {
    makeCertificate();
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

function makeCertificate(): void {
  // Not in the folder that is served, but removed with it
  const home = `${theTree().folder}-nginx`;
  mkdirSync(home, { recursive: true });
  const certFile = join(home, "certificate.pem");
  const keyFile = join(home, "key.pem");
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...words, ...names, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
  process.env["FAIRLEAD_BENCH_CERT"] = certFile;
  process.env["FAIRLEAD_BENCH_KEY"] = keyFile;
}

const GREETING = { family: "tls", reference: "node-https", ours: ["fairlead-tls"], peers: [] } as const;

function handshakes(name: string, about: string, isResumed: boolean): Profile {
  return {
    ...GREETING,
    name,
    about,
    figures: LOAD_FIGURES,
    target: targetOf(name),
    tools: ["openssl"],
    isSaturating: true,
    prepare: openTlsTree,
    run: async (subject, settings) => {
      const checker = await greetingChecker(subject.port, "https");
      const told = { port: subject.port, connections: settings.connections ?? 16, isResumed };
      return roundOf(subject, checker, settings, async (seconds) => {
        const argument: HandshakeSettings = { ...told, seconds };
        return parseResult(await runLoad(scriptCommand(HANDSHAKES, argument), settings.loadCore), subject.label);
      });
    },
  };
}

const PLAINTEXT: Profile = {
  ...GREETING,
  name: "tls-plaintext",
  about: "GET / under TLS 1.3 on keep-alive connections",
  figures: LOAD_FIGURES,
  target: targetOf("tls-plaintext"),
  tools: ["wrk", "openssl"],
  isSaturating: true,
  isForH2load: true,
  prepare: openTlsTree,
  run: async (subject, settings) => {
    const checker = await greetingChecker(subject.port, "https");
    const get = { paths: ["/"], fields: {} };
    const load: Load = { requests: [greetingRequest()], status: 200, connections: 64, scheme: "https", get };
    return roundOf(subject, checker, settings, (seconds) => saturate(subject, load, seconds, settings));
  },
};

const FILE_PATH = "/64k.js";

const FILE: Profile = {
  name: "tls-64k",
  about: "a file of 64 KB under TLS 1.3",
  family: "static-tls",
  reference: "nginx-static-tls",
  ours: ["fairlead-static-tls"],
  peers: [],
  figures: LOAD_FIGURES,
  target: targetOf("tls-64k"),
  tools: ["wrk", "openssl"],
  isSaturating: true,
  isForH2load: true,
  prepare: openTlsTree,
  run: async (subject, settings) => {
    const asked = { fields: {}, status: 200, scheme: "https" } as const;
    const checker = fileChecker(subject, theTree(), [FILE_PATH], asked);
    const requests = [`GET ${FILE_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`];
    const get = { paths: [FILE_PATH], fields: {} };
    const load: Load = { requests, status: 200, connections: 64, scheme: "https", get };
    return roundOf(subject, checker, settings, (seconds) => saturate(subject, load, seconds, settings));
  },
};

export const TLS_PROFILES: readonly Profile[] = [
  PLAINTEXT,
  FILE,
  handshakes("tls-handshakes", "full handshakes of TLS 1.3, one request on each connection", false),
  handshakes("tls-resumed", "resumed handshakes of TLS 1.3, one request on each connection", true),
];
