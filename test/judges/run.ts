/**
 * Judges from outside against the built server, one after the other: `npm run build && npx jiti test/judges/run.ts [names]`.
 *
 * Says of each its version, its score and what it complains of, or aloud that it is not here. What is no Debian package is
 * looked for in folders below $FAIRLEAD_JUDGES, named after repositories (`dropseed/h1spec`); nothing is fetched. Ends with 1 if a
 * score is not the one expected; docs/conformance/judges.md has the scores with dates, and who is right where one complains.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { TestAuthority } from "../server/support/certificates.ts";

const FOLDER = process.env["FAIRLEAD_JUDGES"] ?? "";
const JITI = join(import.meta.dirname, "../../node_modules/jiti/lib/jiti-cli.mjs");
const LOOPBACK = "127.0.0.1";
/** testssl asks for hundreds of handshakes. */
const MOST_MS = 10 * 60_000;

/** A program in Perl, which wants libxml-writer-perl and libjson-perl. */
const NIKTO = join(FOLDER, "sullo/nikto/program/nikto.pl");

interface NiktoReport {
  readonly vulnerabilities?: readonly { readonly id: string; readonly url: string; readonly msg: string }[];
}

interface Verdict {
  readonly score: string;
  /** A line each; what a judge merely remarks is left out. */
  readonly complaints: readonly string[];
  /** Whether the score is the one that docs/conformance/judges.md records. */
  readonly isExpected: boolean;
}

interface Judge {
  readonly name: string;
  readonly isUnderTls?: boolean;
  /** `""` if it is here, else why it is not. */
  readonly missing: string;
  readonly version: () => string;
  /** @param folder for files of its own; with TLS it has cert.pem, key.pem and ca.pem */
  readonly judge: (port: number, folder: string) => Promise<Verdict>;
}

function missingCommand(command: string): string {
  const isHere = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
  return isHere ? "" : `${command} is not installed`;
}

function missingCheckout(repository: string): string {
  if (FOLDER === "") return `FAIRLEAD_JUDGES is not set: a folder with a checkout of ${repository}`;
  return existsSync(join(FOLDER, repository)) ? "" : `there is no ${repository} in ${FOLDER}`;
}

/** Output of a command, whatever its exit code. */
async function outputOf(command: string, args: readonly string[], cwd?: string): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: MOST_MS, cwd });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  await once(child, "close");
  // Colours
  return text.replaceAll(/\u001B\[[\d;]*[A-Za-z]/g, "");
}

function firstMatch(command: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}

/** `32/33`, and the lines that a suite marks as failed. */
function verdictOfSuite(text: string, score: RegExp, failed: RegExp): Verdict {
  const [, passed = "0", all = "?"] = score.exec(text) ?? [];
  const complaints = text
    .split("\n")
    .filter((line) => failed.test(line))
    .map((line) => line.trim());
  return { score: `${passed} of ${all}`, complaints, isExpected: passed === all };
}

const commitOf = (repository: string): string =>
  firstMatch("git", ["-C", join(FOLDER, repository), "log", "-1", "--format=%h of %cs"], /^(.+)$/m);

const JUDGES: readonly Judge[] = [
  {
    name: "h1spec (uNetworking)",
    missing: missingCheckout("uNetworking/h1spec"),
    version: () => commitOf("uNetworking/h1spec"),
    judge: async (port) => {
      const suite = join(FOLDER, "uNetworking/h1spec/http_test.ts");
      const shim = join(import.meta.dirname, "deno-on-node.ts");
      const text = await outputOf(process.execPath, [JITI, shim, suite, LOOPBACK, String(port)]);
      return verdictOfSuite(text, /(\d+) out of (\d+) tests passed/, /^❌/u);
    },
  },
  {
    name: "h1spec (dropseed)",
    missing: missingCheckout("dropseed/h1spec"),
    version: () => commitOf("dropseed/h1spec"),
    judge: async (port) => {
      const program = "import h1spec; h1spec.main()";
      const cwd = join(FOLDER, "dropseed/h1spec");
      const text = await outputOf("python3", ["-c", program, "--strict", `${LOOPBACK}:${port}`], cwd);
      return verdictOfSuite(text, /(\d+)\/(\d+) passed/, /✗/u);
    },
  },
  {
    name: "sslscan",
    isUnderTls: true,
    missing: missingCommand("sslscan"),
    version: () => firstMatch("sslscan", ["--version", "--no-colour"], /(\d+\.\d+\.\d+)/),
    judge: async (port) => {
      const text = await outputOf("sslscan", ["--no-colour", `localhost:${port}`]);
      const protocols = [...text.matchAll(/^(\S+)\s+enabled$/gm)].map(([, name]) => name);
      const suites = [...text.matchAll(/^(?:Preferred|Accepted)\s+(\S+)\s+(\d+) bits\s+(\S+)/gm)];
      const weak = suites.filter(([, , bits, name]) => Number(bits) < 128 || /CBC|SHA$|RC4|NULL|DES/.test(name ?? ""));
      const complaints = [
        ...weak.map(([line]) => line.replaceAll(/\s+/g, " ")),
        ...[...text.matchAll(/^.*(?<!not )vulnerable to heartbleed.*$|^Insecure session renegotiation.*$/gm)].map(
          String,
        ),
      ];
      const score = `${protocols.join(" and ")}; ${suites.length} cipher suites, ${weak.length} of them weak`;
      return { score, complaints, isExpected: protocols.join() === "TLSv1.2,TLSv1.3" && complaints.length === 0 };
    },
  },
  {
    name: "testssl.sh",
    isUnderTls: true,
    missing: missingCommand("testssl"),
    version: () => firstMatch("testssl", ["--version"], /testssl\s+(\d\S+)/),
    judge: async (port, folder) => {
      const file = join(folder, "testssl.json");
      const options = ["--quiet", "--color", "0", "--warnings", "batch", "--add-ca", join(folder, "ca.pem")];
      await outputOf("testssl", [...options, "--jsonfile", file, `localhost:${port}`]);
      const findings = JSON.parse(readFileSync(file, "utf8")) as { id: string; severity: string; finding: string }[];
      const bad = findings.filter(({ severity }) => severity !== "OK" && severity !== "INFO");
      const good = findings.filter(({ severity }) => severity === "OK").length;
      const expected = /^(?:cipher_order|cert_|DNS_CAArecord|HSTS|security_headers|scanTime)/;
      return {
        score: `${good} OK, ${bad.length} complaints, ${findings.length} findings`,
        complaints: bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`),
        isExpected: good > 0 && bad.every(({ id }) => expected.test(id)),
      };
    },
  },
  {
    name: "nikto",
    missing: missingCheckout("sullo/nikto"),
    version: () => `${firstMatch("perl", [NIKTO, "-Version"], /(\d+\.\d+\.\d+)/)}, ${commitOf("sullo/nikto")}`,
    judge: async (port, folder) => {
      const file = join(folder, "nikto.json");
      const quiet = ["-ask", "no", "-nocheck", "-nointeractive", "-output", file];
      // One of its plugins waits for the content of 204, which has none (RFC 9112 §6.3): ten seconds, a hundred times
      const plugins = ["-Plugins", "@@DEFAULT;-optionsbleed"];
      await outputOf("perl", [NIKTO, ...quiet, ...plugins, "-host", LOOPBACK, "-port", String(port)], dirname(NIKTO));
      // A list of hosts in some versions
      const hosts = [JSON.parse(readFileSync(file, "utf8")) as NiktoReport | NiktoReport[]].flat();
      const vulnerabilities = hosts[0]?.vulnerabilities ?? [];
      const complaints = vulnerabilities.map(({ id, url, msg }) => `${id} ${url}: ${msg}`);
      // What the subject offers on purpose, fields that are up to the app, a tag taken for an inode, and a folder of files
      const expected = /^(?:999990|400001|400004|013587|007342|007352|999984|001669) /;
      return {
        score: `${complaints.length} findings`,
        complaints,
        isExpected: complaints.length > 0 && complaints.every((line) => expected.test(line)),
      };
    },
  },
  {
    name: "slowhttptest",
    missing: missingCommand("slowhttptest"),
    version: () => firstMatch("slowhttptest", ["-h"], /version (\S+)/i),
    judge: async () => {
      // It starts a server of its own, and watches it
      const text = await outputOf(process.execPath, [JITI, join(import.meta.dirname, "slow-clients.ts"), "20"]);
      const rows = text.split("\n").filter((line) => /\| (?:good|bad) \|$/.test(line));
      const bad = rows.filter((line) => line.endsWith("| bad |"));
      const score = `${rows.length - bad.length} of ${rows.length} modes withstood`;
      return { score, complaints: bad, isExpected: rows.length === 4 && bad.length === 0 };
    },
  },
];

async function startSubject(args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "subject.js"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, port: (JSON.parse(line) as { port: number }).port };
}

async function writeCertificate(folder: string): Promise<void> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ names: ["localhost"], commonName: "localhost" });
  writeFileSync(join(folder, "cert.pem"), `${cert}\n${authority.cert}\n`);
  writeFileSync(join(folder, "key.pem"), key);
  writeFileSync(join(folder, "ca.pem"), authority.cert);
}

async function run(judge: Judge): Promise<boolean> {
  if (judge.missing !== "") {
    process.stdout.write(`| ${judge.name} | | SKIPPED: ${judge.missing} |\n`);
    return true;
  }
  const folder = mkdtempSync(join(tmpdir(), "fairlead-judge-"));
  if (judge.isUnderTls === true) await writeCertificate(folder);
  const { child, port } = await startSubject(judge.isUnderTls === true ? [folder] : []);
  try {
    const { score, complaints, isExpected } = await judge.judge(port, folder);
    const verdict = isExpected ? "as recorded" : "NOT AS RECORDED";
    process.stdout.write(`| ${judge.name} | ${judge.version()} | ${score} | ${verdict} |\n`);
    for (const complaint of complaints) process.stdout.write(`    ${complaint}\n`);
    return isExpected;
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
}

const wanted = process.argv.slice(2);
const chosen = JUDGES.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
if (chosen.length === 0)
  throw new Error(`no judge of that name; there are ${JUDGES.map(({ name }) => name).join(", ")}`);
process.stdout.write(`| Judge | Version | Score of ${new Date().toISOString().slice(0, 10)} | |\n|---|---|---|---|\n`);
let isGood = true;
for (const judge of chosen) isGood = (await run(judge)) && isGood;
process.exitCode = isGood ? 0 : 1;
