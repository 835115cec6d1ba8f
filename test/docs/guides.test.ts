/** Every guide's examples are typed right, run, and say what the page says. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listFiles, readText, ROOT } from "../architecture/source.ts";
import { patternOf, Run, scenariosOf, stepsOf } from "./guide.ts";

const guides = listFiles("docs/guides", [".md"]);

describe.each(guides)("%s", (path) => {
  const name = basename(path, ".md");
  const scenarios = scenariosOf(name, readText(path));

  it("has examples", () => {
    expect(scenarios.length).toBeGreaterThan(0);
  });

  describe.each(scenarios.map((scenario) => [scenario.title, scenario] as const))("%s", (_, { folder, blocks }) => {
    const run = new Run(folder);
    beforeAll(async () => run.prepare(blocks));
    afterAll(async () => run.stop());

    it.each(blocks.filter((block) => block.info.endsWith(" run")).flatMap(stepsOf))("$command", async (step) => {
      expect(await run.command(step.command)).toMatch(patternOf(step.expected));
    });
  });

  it("uses no syntax that Node 22 lacks, which strips types and rewrites nothing", () => {
    const programs = scenarios.flatMap(({ blocks }) => blocks).filter(({ info }) => /^(?:ts|js) /.test(info));
    expect(programs.filter(({ text }) => /^\s*(?:await )?using \w+ =/m.test(text))).toEqual([]);
  });

  it("is typed right", async () => {
    const folder = join(ROOT, ".cache/docs", name);
    const config = {
      extends: "../../../tsconfig.json",
      compilerOptions: { isolatedDeclarations: false, declaration: false },
      include: ["."],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const result = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
      (error: unknown) => error,
    );
    expect((result as { stdout: string }).stdout).toBe("");
  });
});
