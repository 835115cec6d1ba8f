/**
 * The words of the command line, checked whole before anything is started; every mistake is told at once.
 */
import { parseArgs } from "node:util";

/** What a run is told. */
export interface Settings {
  /** Names of profiles; empty: the default one. `all` stands as itself. */
  readonly profiles: readonly string[];
  /** Names of peers besides ours and the reference; `all` for everyone who can do the work. */
  readonly against: readonly string[];
  /** Exact names of subjects in place of that choice, empty for none. */
  readonly subjects: readonly string[];
  /** Versions or paths of Node; empty: the one that runs the bench. */
  readonly nodes: readonly string[];
  readonly rounds: number;
  /** Of measuring; warming up takes a third of it besides. */
  readonly seconds: number;
  /** How often a disturbed round is repeated at most. */
  readonly repeats: number;
  /** Null: as the profile says. */
  readonly connections: number | null;
  readonly load: "wrk" | "h2load";
  /** Where results are written as JSON, or null. */
  readonly jsonFile: string | null;
  /** Where charts are written, or null. */
  readonly chartFolder: string | null;
  /** Files of results to show in place of measuring. */
  readonly from: readonly string[];
  readonly isListing: boolean;
  readonly isWritingDocs: boolean;
  readonly isInstalling: boolean;
  readonly isHelp: boolean;
}

export const USAGE = `npm run bench -- [options]

  --profile NAME[,NAME…]|all   what is asked; default plaintext
  --against NAME[,NAME…]|all   peers besides ours and the profile's reference: nginx, node-http, bun, fastify, …
  --subjects NAME[,NAME…]      exactly these, by their full names (--list)
  --node VERSION|PATH[,…]      Node of what runs on Node: 20, 26, /usr/bin/node; default the one that runs this
  --rounds N                   default 5
  --seconds N                  of measuring, per subject and round; default 5
  --repeats N                  of a round during which somebody else worked; default 2
  --connections N              in place of the profile's; then nothing is judged
  --load wrk|h2load            where a profile can be asked by both; default wrk
  --json FILE                  write the results
  --charts FOLDER              write charts as SVG
  --write-docs                 write the table and the charts of docs/performance.md
  --from FILE[+FILE…][,…]      show, chart or write results of earlier runs in place of measuring: rounds of those with a
                               plus between them are taken together, behind a comma stands a later run of a profile
  --install                    install the peers that are npm packages (bench/peers)
  --list                       profiles and subjects, and what is missing here`;

/**
 * @param words behind the script
 * @throws naming every mistake
 */
export function parseSettings(words: readonly string[]): Settings {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      "profile": text,
      "against": text,
      "subjects": text,
      "node": text,
      "rounds": { ...text, default: "5" },
      "seconds": { ...text, default: "5" },
      "repeats": { ...text, default: "2" },
      "connections": text,
      "load": { ...text, default: "wrk" },
      "json": text,
      "charts": text,
      "from": text,
      "write-docs": flag,
      "install": flag,
      "list": flag,
      "help": flag,
    },
  });
  const mistakes: string[] = [];
  const count = (name: string, value: string, most: number, least = 1): number => {
    const number = Number(value);
    if (value !== "" && Number.isInteger(number) && number >= least && number <= most) return number;
    mistakes.push(`--${name} ${value}: not a whole number from ${least} to ${most}`);
    return least;
  };
  const settings: Settings = {
    profiles: listOf(values.profile),
    against: listOf(values.against),
    subjects: listOf(values.subjects),
    nodes: listOf(values.node),
    rounds: count("rounds", values.rounds, 1_000),
    seconds: count("seconds", values.seconds, 3_600),
    repeats: count("repeats", values.repeats, 20, 0),
    connections: values.connections === undefined ? null : count("connections", values.connections, 50_000),
    load: values.load === "h2load" ? "h2load" : "wrk",
    jsonFile: values.json ?? null,
    chartFolder: values.charts ?? null,
    from: listOf(values.from),
    isListing: values.list,
    isWritingDocs: values["write-docs"],
    isInstalling: values.install,
    isHelp: values.help,
  };
  for (const name of ["profile", "against", "subjects", "node", "from"] as const) {
    if (values[name] !== undefined && listOf(values[name]).length === 0) mistakes.push(`--${name}: names nothing`);
  }
  if (!["wrk", "h2load"].includes(values.load)) mistakes.push(`--load ${values.load}: neither wrk nor h2load`);
  if (settings.subjects.length > 0 && settings.against.length > 0) {
    mistakes.push("--subjects says exactly who takes part: --against has nothing to add");
  }
  if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
  return settings;
}

/** Words between commas, each once. */
function listOf(text: string | undefined): readonly string[] {
  const words = text?.split(",").map((word) => word.trim()) ?? [];
  return [...new Set(words.filter((word) => word !== ""))];
}
