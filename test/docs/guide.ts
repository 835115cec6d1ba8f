/**
 * Reads a guide and runs its blocks: each `##` section is one scenario in a folder of its own.
 *
 * A block marked `file=name` is written there. A block marked `run` holds commands behind `$ ` and the output that each is
 * expected to have. `npx fairlead …` and `node x.ts` start a server that lives to the end of the section; port 8080 of the
 * page becomes a free one. The folders lie inside of the repository, so that `import "fairlead"` finds the built package.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../architecture/source.ts";

export interface Block {
  readonly info: string;
  readonly text: string;
}

export interface Scenario {
  readonly title: string;
  readonly folder: string;
  readonly blocks: readonly Block[];
}

export interface Step {
  readonly command: string;
  readonly expected: string;
}

const COMMAND = join(ROOT, "dist/cli/main.js");
const LOADER = join(ROOT, "node_modules/jiti/lib/jiti-cli.mjs");

/** The sections of a guide that have blocks to run. */
export function scenariosOf(name: string, page: string): Scenario[] {
  return page.split(/^## /m).flatMap((section) => {
    const title = section.split("\n")[0] ?? "";
    const blocks = [...section.matchAll(/^```(\w+ [^\n]+)\n([^]*?)^```$/gm)].map((match) => ({
      info: match[1] ?? "",
      text: match[2] ?? "",
    }));
    const folder = join(ROOT, ".cache/docs", name, title.toLowerCase().replaceAll(/\W+/g, "-"));
    return blocks.length === 0 ? [] : [{ title, folder, blocks }];
  });
}

/** Commands of a block with what each should say. */
export function stepsOf(block: Block): Step[] {
  return block.text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf("\n");
      const command = step.slice(0, end);
      const expected = step.slice(end + 1).trimEnd();
      // What a server says as it starts need not be on the page
      return { command, expected: expected === "" && isServer(command) ? "…" : expected };
    });
}

function isServer(command: string): boolean {
  return /^(?:npx|node) /.test(command);
}

/** A pattern for expected output, in which `…` stands for anything on a line, and alone on a line for any lines. */
export function patternOf(expected: string): RegExp {
  const lines = expected.split("\n").map((line) => {
    if (line === "…") return "[^]*";
    return line
      .split("…")
      .map((part) => escapePattern(part))
      .join(".*");
  });
  return new RegExp(`^${lines.join("\n")}$`.replaceAll("\n[^]*", "[^]*"));
}

function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

/** A section under way: its folder and, once a command has started one, its server. */
export class Run {
  readonly #folder: string;
  #server: ChildProcess | null = null;
  /** Address and port, with either scheme. */
  #origin = "";

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder anew with the files of the section. */
  async prepare(blocks: readonly Block[]): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    for (const { info, text } of blocks) {
      const file = /\bfile=(\S+)/.exec(info)?.[1];
      if (file === undefined) continue;
      const path = join(this.#folder, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text.replaceAll("port: 8080", "port: 0"));
    }
  }

  /** Runs a command as a reader would, and says what it said. */
  async command(command: string): Promise<string> {
    const words = command.split(" ");
    if (words[0] === "npx") return this.#start([COMMAND, ...words.slice(2), "--port", "0"]);
    if (words[0] === "node") return this.#start([LOADER, ...words.slice(1)]);
    const real = command.replaceAll("127.0.0.1:8080", this.#origin);
    const options = { cwd: this.#folder, env: this.#environment };
    const { stdout } = await promisify(execFile)("bash", ["-o", "pipefail", "-c", real], options);
    return stdout.trimEnd();
  }

  async #start(words: readonly string[]): Promise<string> {
    await this.stop();
    // Scripts that take their port from the environment get a free one too
    const env = { ...this.#environment, PORT: "0" };
    const server = spawn(process.execPath, words, { cwd: this.#folder, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#server = server;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      const hear = (part: string): void => {
        said += part;
        const origin = /https?:\/\/(127\.0\.0\.1:\d+)/.exec(said)?.[1];
        if (origin === undefined) return;
        this.#origin = origin;
        resolve();
      };
      server.stdout.setEncoding("utf8").on("data", hear);
      server.stderr.setEncoding("utf8").on("data", hear);
      server.once("exit", (status) => reject(new Error(`${words.join(" ")} ended with ${status}:\n${said}`)));
    });
    return said.trimEnd().replaceAll(this.#origin, "127.0.0.1:8080");
  }

  /** What is kept for a person is kept in the folder of the section. */
  get #environment(): NodeJS.ProcessEnv {
    const { XDG_CONFIG_HOME: _config, XDG_STATE_HOME: _state, ...others } = process.env;
    return { ...others, HOME: this.#folder };
  }

  /** Ends the server of the section and says with what status it ended: null if it had to be killed, or none was there. */
  async stop(): Promise<number | null> {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null) return server?.exitCode ?? null;
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    const [status] = (await exited) as [number | null];
    return status;
  }
}
