/** Who takes part: words into subjects, subjects into one contestant for each Node. */
import { describe, expect, it } from "vitest";
import { chooseNames, contestantsOf } from "../../bench/contestants.ts";
import type { Profile } from "../../bench/profile.ts";
import type { SubjectSpec } from "../../bench/subject-list.ts";

function spec(name: string, serves: string, rest: Partial<SubjectSpec> = {}): SubjectSpec {
  return {
    name,
    about: "",
    runsOn: "node",
    serves: serves.split(" "),
    missing: () => null,
    version: () => "1",
    command: () => [],
    ...rest,
  };
}

const SPECS = [
  spec("fairlead-static", "static"),
  spec("fairlead-else", "static"),
  spec("nginx-static", "static", { runsOn: "program" }),
  spec("sirv-static", "static"),
  spec("sirv-cli-static", "static"),
  spec("logging-static", "static log"),
  spec("bun-static", "static", { runsOn: "program", missing: () => "bun is not installed" }),
  spec("fastify", "plain"),
];
const PROFILE: Profile = {
  name: "static-4k",
  about: "",
  family: "static",
  figures: [],
  reference: "nginx-static",
  ours: ["fairlead-static"],
  peers: [],
  target: null,
  tools: [],
  isSaturating: true,
};
const NODES = ["20", "26"].map((version) => ({ path: `/node${version}`, version, label: `Node ${version}` }));

function choose(against: string[], subjects: string[] = []): { names: readonly string[]; left: string[] } {
  const left: string[] = [];
  return { names: chooseNames(PROFILE, SPECS, { against, subjects }, (message) => left.push(message)), left };
}

describe("choosing", () => {
  it.each([
    { against: [], more: [] },
    { against: ["sirv"], more: ["sirv-static"] },
    { against: ["sirv-cli"], more: ["sirv-cli-static"] },
    { against: ["logging-static"], more: [] },
    { against: ["all"], more: ["sirv-static", "sirv-cli-static", "bun-static"] },
  ])("$against gives ours, the reference and $more", ({ against, more }) => {
    expect(choose(against).names).toEqual(["fairlead-static", "nginx-static", ...more]);
  });

  it("says aloud who does nothing of the kind, but for the reference", () => {
    expect(choose(["fastify", "nginx"]).left).toEqual(["static-4k: no subject of fastify does this"]);
  });

  it("takes a piece of the reference's name for no name", () => {
    expect(choose(["ngin", "n"]).left).toEqual([
      "static-4k: no subject of ngin does this",
      "static-4k: no subject of n does this",
    ]);
  });

  it("takes exact names as they are", () => {
    expect(choose([], ["sirv-static"]).names).toEqual(["sirv-static"]);
  });
});

describe("contestants", () => {
  const left: string[] = [];
  const names = ["fairlead-static", "nginx-static", "sirv-static", "bun-static", "nobody"];
  const found = contestantsOf(PROFILE, SPECS, names, NODES, (message) => left.push(message));

  it("run once for each Node, programs once", () => {
    expect(found.map(({ label }) => label)).toEqual([
      "fairlead-static (Node 20)",
      "fairlead-static (Node 26)",
      "nginx-static",
      "sirv-static (Node 20)",
      "sirv-static (Node 26)",
    ]);
  });

  it("leave out aloud who is missing", () => {
    expect(left).toEqual([
      "static-4k: bun-static: bun is not installed",
      "static-4k: nobody: no such subject (--list)",
    ]);
  });

  it("are compared with the reference on the same Node, else with the only one there is", () => {
    expect(new Set(found.map(({ reference }) => reference))).toEqual(new Set(["nginx-static"]));
    const bySirv = contestantsOf({ ...PROFILE, reference: "sirv-static" }, SPECS, names, NODES, () => {});
    expect(bySirv.map(({ reference }) => reference)).toEqual([
      "sirv-static (Node 20)",
      "sirv-static (Node 26)",
      "sirv-static (Node 20)",
      "sirv-static (Node 20)",
      "sirv-static (Node 26)",
    ]);
  });

  it("on one Node are called by their names", () => {
    const [first] = contestantsOf(PROFILE, SPECS, names, NODES.slice(0, 1), () => {});
    expect(first?.label).toBe("fairlead-static");
  });
});
