/**
 * Where Fairlead and other servers read the same octets differently, and who is right: told, or written to
 * docs/disagreements.md. Run by hand: `npx jiti test/judges/differential.ts [--write]`, with the folders of Bun and Deno in
 * FAIRLEAD_PEERS.
 *
 * Then sends the same through proxies in front of Fairlead. Ends with 1 if a difference has no verdict
 * (test/differential/support/verdicts.ts), if something is smuggled, or, with `--write`, if a server or proxy is missing.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Act } from "../differential/support/difference.ts";
import { pass } from "../differential/support/passage.ts";
import { PROXIES } from "../differential/support/proxies.ts";
import { type Finding, measure, observe, tell } from "../differential/support/measure.ts";
import { ORIGINS, OURS } from "../differential/support/origins.ts";
import { generatedShapes, wireShapes } from "../differential/support/shapes.ts";
import type { Verdict } from "../differential/support/verdict.ts";
import { VERDICTS } from "../differential/support/verdicts.ts";

const isWriting = process.argv.includes("--write");
const generated = generatedShapes();
const shapes = [...generated, ...wireShapes()];

const ACTS: Readonly<Record<Act, string>> = {
  "takes": "take it",
  "closes": "answer, then close",
  "refuses": "refuse it",
  "goes on": "refuse it and read on",
  "silent": "say nothing",
};

/** What a verdict's row says that we do. */
function ourAct({ ours, reading }: Verdict): string {
  if (ours.startsWith("ERR_")) return `refuses: [\`${ours}\`](reference/errors.md#${ours.toLowerCase()})`;
  if (reading !== undefined) return `takes it, with another ${reading}`;
  if (ours === "refuses") return "refuses";
  return ours === "closes" ? "takes it, then closes" : "takes it";
}

/** `take it: nginx (3), h2o; refuse it: Bun`. */
function others(verdict: Verdict, found: ReadonlyMap<string, readonly Finding[]>): string {
  const byAct = new Map<string, string[]>();
  for (const [name, findings] of found) {
    for (const act of Object.keys(ACTS) as Act[]) {
      const count = findings.filter((one) => one.verdict === verdict && one.difference.theirs === act).length;
      if (count === 0) continue;
      const servers = byAct.get(ACTS[act]) ?? [];
      servers.push(`${name} (${count})`);
      byAct.set(ACTS[act], servers);
    }
  }
  return [...byAct].map(([act, servers]) => `${act}: ${servers.join(", ")}`).join("; ");
}

function page(found: ReadonlyMap<string, readonly Finding[]>, passages: readonly string[]): string {
  const date = new Date().toISOString().slice(0, 10);
  const servers = ORIGINS.map(({ name, version }) => {
    const findings = found.get(name) ?? [];
    const lenient = findings.filter(({ difference }) => /^(?:takes|closes|goes on)$/.test(difference.theirs)).length;
    return `| ${name} ${version} | ${findings.length} | ${lenient} | ${findings.length - lenient} |`;
  });
  const groups = [...new Set(VERDICTS.map(({ group }) => group))].map((group) => {
    const rows = VERDICTS.filter((verdict) => verdict.group === group).map((verdict) => {
      const cells = [verdict.sent, ourAct(verdict), others(verdict, found), verdict.right, verdict.by];
      return `| ${cells.join(" | ")} |`;
    });
    return `## ${group}\n\n| Sent | Fairlead | Others | Right | By which rule |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `# Disagreements

Two servers that read the same octets differently can be played off against one another: what is content to one is a request to the other.
So ${shapes.length} inputs were sent to Fairlead and to ${ORIGINS.length} other servers, each with a request behind it: ${generated.length} shapes by which requests are smuggled, and ${shapes.length - generated.length} of the [wire cases](../test/wire/README.md).
Compared is which messages are taken, where they end and for which host they are. This page has every kind of input on which somebody differs from Fairlead, and who is right by the text of the RFCs.

**On no input does Fairlead take a message that another server takes with another end.** Where it refuses what others take, the stricter reading is the safe one, and the column of rules says whether they were free to choose.
Where others refuse what Fairlead takes, the rules ask for it to be taken, or leave the choice; nobody who takes it too ends it elsewhere.

Servers were configured as they come. A number in brackets counts inputs. The page is written by \`npx jiti test/judges/differential.ts --write\`; \`test/differential\` compares again on each run, with the servers that are there, and fails on a difference that is not on this page.

| Server, ${date} | Inputs on which it differs | It takes what we refuse, or reads it otherwise | It refuses what we take |
|---|---|---|---|
${servers.join("\n")}

${groups.join("\n")}
## Behind proxies

The same inputs were sent through proxies in front of Fairlead, which kept their connections to it and were as lenient as they can be told to be. A well-behaved client asked questions of its own before, beside and behind each.
A request that the proxy had not marked as its own would have been smuggled; an answer to another question would have been a response out of step.

| Proxy, ${date} | Requests of the inputs that reached a handler | What the proxy let through and Fairlead refused | Smuggled, or out of step |
|---|---|---|---|
${passages.join("\n")}

Answers pass these proxies undamaged: HEAD, 204 and 304 with content given by the handler, streams with and without length, trailers, 103. One that breaks off never looks whole.
What does not pass is the proxies' own fault: nginx 1.22 (speaking HTTP/1.1 to us) and Varnish 7.1 take a 103 for the final response, so do not send 103 behind them. Caddy 2.6 ends the chunks of a response that broke off, and lighttpd 1.4.69 at times gives it a length: declare lengths where they are known. lighttpd closes instead of a response with trailers.
`;
}

const ours = await observe(OURS, shapes);
const found = new Map<string, readonly Finding[]>();
let unjudged = 0;
for (const origin of ORIGINS) {
  if (origin.version === null) {
    process.stdout.write(`${origin.name} is not installed\n`);
    if (isWriting) process.exitCode = 1;
    continue;
  }
  const findings = await measure(origin, shapes, ours);
  found.set(origin.name, findings);
  process.stdout.write(`${origin.name} ${origin.version}: differs on ${findings.length} of ${shapes.length}\n`);
  for (const finding of findings.filter(({ verdict }) => verdict === undefined)) {
    unjudged++;
    process.stdout.write(`  not judged: ${tell(finding)}\n`);
  }
}
if (unjudged > 0) process.exitCode = 1;

const passages: string[] = [];
for (const proxy of PROXIES) {
  if (proxy.version === null) {
    process.stdout.write(`${proxy.name} is not installed\n`);
    if (isWriting) process.exitCode = 1;
    continue;
  }
  const { faults, handled, refused } = await pass(proxy, shapes);
  const name = proxy.name.endsWith(" 1.0")
    ? `${proxy.name.slice(0, -4)} ${proxy.version}, HTTP/1.0 to us`
    : `${proxy.name} ${proxy.version}`;
  passages.push(`| ${name} | ${handled} | ${refused} | ${faults.length} |`);
  process.stdout.write(`behind ${name}: ${handled} handled, ${refused} refused, ${faults.length} faults\n`);
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}
const path = join(fileURLToPath(new URL("../../", import.meta.url)), "docs/disagreements.md");
if (isWriting && process.exitCode !== 1) writeFileSync(path, page(found, passages));
