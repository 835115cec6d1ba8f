/**
 * Fairlead beside other servers, over the same octets: they part only where somebody has judged who is right.
 *
 * Servers that are not installed are skipped, and say so. Where to find Bun and Deno: FAIRLEAD_PEERS is a list of folders.
 * `npx jiti test/judges/differential.ts` tells all differences; with `--write` it writes docs/disagreements.md.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { readText } from "../architecture/source.ts";
import type { Observation } from "./support/conversation.ts";
import { type Finding, measure, observe, tell } from "./support/measure.ts";
import { ORIGINS, OURS } from "./support/origins.ts";
import { generatedShapes, wireShapes } from "./support/shapes.ts";
import { VERDICTS } from "./support/verdicts.ts";

const shapes = [...generatedShapes(), ...wireShapes()];
const seen = new Set<unknown>();
let ours: readonly Observation[] = [];

beforeAll(async () => {
  ours = await observe(OURS, shapes);
}, 60_000);

describe("ours", () => {
  it("does the same each time", async () => {
    expect(await observe(OURS, shapes)).toEqual(ours);
  }, 60_000);

  it("answers or refuses every input, and never with a 5xx that is none of the wire", () => {
    const wrong = ours.flatMap(({ replies }, at) =>
      replies.some(({ status }) => status === 500 || status === 503) ? [shapes[at]?.name] : [],
    );
    expect(wrong).toEqual([]);
  });

  it("takes no message whose framing another rule of RFC 9112 could read", () => {
    // Of all shapes with both framing fields or a doubtful one, none is taken
    const doubtful = shapes.flatMap(({ name, bytes }, at) => {
      const text = bytes.toString("latin1");
      const head = text.slice(0, text.indexOf("\r\n\r\n"));
      const lengths = head.match(/^content-length:/gim)?.length ?? 0;
      const codings = head.match(/^transfer-encoding:/gim)?.length ?? 0;
      return lengths + codings > 1 && ours[at]?.replies[0]?.seen ? [name] : [];
    });
    expect(doubtful).toEqual([]);
  });
});

const peers = ORIGINS.map((origin) => {
  const { name, version } = origin;
  return { origin, peer: version === null ? `${name}, which is not installed: skipped` : `${name} ${version}` };
});

describe.each(peers)("beside $peer", ({ origin }) => {
  it.skipIf(origin.version === null)(
    "agrees, or differs for a judged reason",
    async () => {
      const findings = await measure(origin, shapes, ours);
      for (const { verdict } of findings) seen.add(verdict);
      expect(findings.filter(isNews).map(tell)).toEqual([]);
    },
    120_000,
  );
});

function isNews({ verdict }: Finding): boolean {
  return verdict === undefined;
}

describe("the verdicts", () => {
  it("excuse no message that we end elsewhere than others, or take for another", () => {
    expect(VERDICTS.filter(({ reading }) => reading !== undefined && reading !== "host")).toEqual([]);
  });

  it("cite a section each", () => {
    expect(VERDICTS.filter(({ by }) => !/RFC \d{4} (?:§\d|Appendix)/.test(by)).map(({ sent }) => sent)).toEqual([]);
  });

  it("are on the page, and no others", () => {
    const rows = readText("docs/disagreements.md").match(/^\| (?!-|Sent|Server).* \| .* \| .* \| .* \| .* \|$/gm) ?? [];
    const sent = rows.map((row) => row.slice(2, row.indexOf(" | ")));
    expect(sent.toSorted()).toEqual(VERDICTS.map((verdict) => verdict.sent).toSorted());
  });

  const isComplete = ORIGINS.every(({ version }) => version !== null);
  it.skipIf(!isComplete)("are all needed (where no server is missing)", () => {
    expect(VERDICTS.filter((verdict) => !seen.has(verdict)).map(({ sent }) => sent)).toEqual([]);
  });
});
