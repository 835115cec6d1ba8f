/**
 * The invariants of docs/architecture.md, enforced: floors, the network's only room, framing's only file, time's only door,
 * sizes of files, and the tables of errors and options against their pages.
 *
 * A rule that hurts is changed in docs/architecture.md and here in one commit, with the reason; it is never worked around.
 */
import { describe, expect, it } from "vitest";
import { ERRORS } from "../src/http/errors.ts";
import { listFiles, type Piece, readSource, readText, type Source } from "./architecture/source.ts";

const sources = listFiles("src", [".ts"]).map(readSource);

/** Rooms by floor. A room may import only from lower floors, and from itself. */
const FLOORS: Readonly<Record<string, number>> = {
  "http": 0,
  "http1": 1,
  "http2": 1,
  "websocket": 1,
  "web": 1,
  "server": 2,
  "app": 3,
  "static": 3,
  "middleware": 3,
  "bodies": 3,
  "replies": 3,
  "observe": 3,
  "workers": 3,
  "processes": 3,
  "sendfile": 3,
  "proxy": 3,
  // Whole servers: Node's own interface over ours, and a server for the length of a test
  "certificates": 3,
  "node": 3,
  "testing": 3,
  // The public face stands between the handlers, which it exports, and the command, which uses it
  "index.ts": 4,
  // What a configuration file is written with: options of several rooms as one type
  "config": 4,
  "cli": 5,
};

/** Rooms that may know a room of their own floor: `from -> to`, each with its reason in docs/architecture.md. */
const NEIGHBOURS: ReadonlySet<string> = new Set(["processes -> workers"]);

/** What a room may import from outside of the repository. A name that ends in `:` or `/` stands for all that begin so. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  "http": [],
  "http1": [],
  // How the objects show themselves to console.log
  "web": ["node:util"],
  "server": [
    "node:cluster",
    "node:crypto",
    "node:net",
    "node:stream",
    "node:tls",
    "node:fs",
    "node:fs/promises",
    "node:path",
    "node:url",
    "node:util",
  ],
  "static": ["node:fs", "node:fs/promises", "node:path", "node:url", "node:zlib", "lru-cache", "mrmime"],
  "index.ts": [],
  "config": [],
  "app": [],
  // Bytes, hashes of passwords, codings
  "middleware": ["node:buffer", "node:crypto", "node:zlib", "rate-limiter-flexible"],
  "bodies": ["node:", "@standard-schema/spec"],
  "replies": ["node:", "cookie-es"],
  "workers": ["node:", "piscina", "jiti"],
  "processes": ["node:"],
  // What calls C; loaded when a server shall use it
  "sendfile": ["node:", "koffi"],
  // The file, the exposition format and the spans are those of well-kept libraries
  "observe": ["node:", "pino", "pino-pretty", "prom-client", "@opentelemetry/api"],
  // Certificates and ACME are those of well-kept libraries; one of them needs the third to load
  "certificates": ["node:", "@peculiar/x509", "acme-client", "reflect-metadata"],
  "node": ["node:"],
  "testing": ["node:"],
  "cli": ["node:", "jiti", "open", "uqr"],
};

/** What single files may besides, each with its reason. */
const OUTSIDE_OF_FILES: Readonly<Record<string, readonly string[]>> = {
  // A Response over part of a file can be read by its own methods
  "src/web/file-stream.ts": ["node:fs"],
  // A Node stream can be content
  "src/web/body.ts": ["node:stream"],
};

/** Files over 400 lines, each with the reason why it is not two. */
const LARGE_FILES: Readonly<Record<string, string>> = {
  "src/cli/flags.ts": "one table of data: every flag as the help shows it",
  "src/http1/connection.ts": "the state machine of a connection: two states side by side, which nobody else may change",
};

const SIGN_TO_SPLIT = 400;
const MOST_LINES = 600;

function roomOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function isInside(path: string): boolean {
  return path.startsWith("src/");
}

/** `path:line: text` for every match, so that a failure can be clicked. */
function findInCode(source: Source, pattern: RegExp): string[] {
  const found: string[] = [];
  for (const piece of source.pieces) {
    if (piece.kind !== "code") continue;
    for (const match of piece.text.matchAll(pattern)) {
      const line = piece.line + piece.text.slice(0, match.index).split("\n").length - 1;
      found.push(`${source.path}:${line}: ${match[0]}`);
    }
  }
  return found;
}

describe("the rooms", () => {
  it("has a floor for every room", () => {
    expect([...new Set(sources.map((source) => roomOf(source.path)))].filter((room) => !(room in FLOORS))).toEqual([]);
  });

  it("imports only downwards, or within a room", () => {
    const wrong: string[] = [];
    for (const { path, imports } of sources) {
      const room = roomOf(path);
      for (const target of imports.filter(isInside)) {
        const other = roomOf(target);
        if (other === room || NEIGHBOURS.has(`${room} -> ${other}`)) continue;
        if ((FLOORS[other] ?? Infinity) >= (FLOORS[room] ?? -1)) wrong.push(`${path} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("needs every exception that it names", () => {
    const used = sources.flatMap(({ path, imports }) =>
      imports.map((target) => `${roomOf(path)} -> ${roomOf(target)}`),
    );
    expect([...NEIGHBOURS].filter((pair) => !used.includes(pair))).toEqual([]);
  });

  it("imports only files of src, by their full name", () => {
    const known = new Set(sources.map((source) => source.path));
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => /^(?:\.|src\b)/.test(target) && !known.has(target))
        .map((target) => `${path}: ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has no cycle", () => {
    expect(findCycle(new Map(sources.map(({ path, imports }) => [path, imports.filter(isInside)])))).toEqual([]);
  });

  it("imports from outside only what each room is allowed", () => {
    const wrong: string[] = [];
    for (const { path, imports } of sources) {
      const allowed = [...(OUTSIDE[roomOf(path)] ?? []), ...(OUTSIDE_OF_FILES[path] ?? [])];
      for (const name of imports.filter((target) => !isInside(target))) {
        if (!allowed.some((one) => name === one || (one.endsWith(":") && name.startsWith(one)))) {
          wrong.push(`${path} imports ${name}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("keeps the network in server/ and proxy/", () => {
    const network = /^(?:node:)?(?:net|tls|http|https|http2|dgram|dns)(?:\/|$)/;
    const wrong = sources.filter(
      ({ path, imports }) =>
        !["server", "proxy", "node"].includes(roomOf(path)) &&
        imports.some((name) => network.test(name)) &&
        roomOf(path) !== "cli",
    );
    expect(wrong.map((source) => source.path)).toEqual([]);
  });
});

/** A path of files that leads back to its first, or nothing. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    done.add(path);
    for (const next of graph.get(path) ?? []) {
      const cycle = walk(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = walk(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** `listener.on("connection", …)` is about sockets, not about a field. */
function isEventName(before: Piece | undefined): boolean {
  return /\.(?:on|once|off|emit|listenerCount)\(\s*$/.test(before?.text ?? "");
}

describe("framing", () => {
  // A string that is the name of a framing field, alone or as a written line. Above the wires a Content-Length may be
  // declared (RFC 9110 §8.6: it belongs to the representation), the wire holds the handler to it.
  const OF_THE_WIRE = /^(?:[^]*\r\n)?(?:content-length|transfer-encoding|connection|keep-alive)(?:$|\s*:)/i;
  const OF_ANY_HOP = /^(?:[^]*\r\n)?(?:transfer-encoding|connection|keep-alive)(?:$|\s*:)/i;
  /** May know the names for another reason than framing a message. */
  const OTHERS: Readonly<Record<string, string>> = {
    "src/http1/known-fields.ts": "remembers on which lines they stand; reads no value",
    "src/http1/content.ts": "names the field in a refusal; reads and writes nothing",
    "src/web/handler.ts":
      "asks the wire to close behind content that broke; encode.ts reads the wish and writes the field",
  };

  it("is interpreted only by http1/framing.ts and written only by http1/encode.ts", () => {
    const homes = new Set(["src/http1/framing.ts", "src/http1/encode.ts", ...Object.keys(OTHERS)]);
    const wrong = sources
      .filter((source) => !homes.has(source.path))
      .flatMap(({ path, pieces }) => {
        const names = roomOf(path) === "http1" ? OF_THE_WIRE : OF_ANY_HOP;
        return pieces
          .filter(
            (piece, index) => piece.kind === "string" && names.test(piece.text) && !isEventName(pieces[index - 1]),
          )
          .map((piece) => `${path}:${piece.line}: ${piece.text}`);
      });
    expect(wrong).toEqual([]);
  });

  it("is known to the files that may", () => {
    const framing = sources.find((source) => source.path === "src/http1/framing.ts");
    expect(framing?.strings.some((piece) => OF_THE_WIRE.test(piece.text))).toBe(true);
  });
});

/** Node's own interface has a method `setTimeout`, which ours define and call, and which is no timer. */
function isMethodOfNode(found: string): boolean {
  const [path = "", line = ""] = found.split(":");
  const text = sources.find((source) => source.path === path)?.text.split("\n")[Number(line) - 1] ?? "";
  return roomOf(path) === "node" && /^ {2}setTimeout\(|\w\.setTimeout\(/.test(text);
}

describe("time", () => {
  const TIME =
    /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b|\bsetTimeout\b|\bsetInterval\b|\bAbortSignal\.timeout\b/g;

  it("enters only where it is looked at", () => {
    const isHome = ({ path }: Source): boolean =>
      // Handlers work without a server, so they have a door of their own
      ["src/server/clock.ts", "src/web/clock.ts"].includes(path) ||
      ["observe", "workers", "proxy"].includes(roomOf(path));
    const found = sources.filter((source) => !isHome(source)).flatMap((source) => findInCode(source, TIME));
    expect(found.filter((line) => !isMethodOfNode(line))).toEqual([]);
  });
});

describe("files", () => {
  it(`are split before ${SIGN_TO_SPLIT} lines, or have a reason, and never pass ${MOST_LINES}`, () => {
    const wrong = sources
      .filter(({ path, lineCount }) => lineCount > (path in LARGE_FILES ? MOST_LINES : SIGN_TO_SPLIT))
      .map(({ path, lineCount }) => `${path}: ${lineCount} lines`);
    expect(wrong).toEqual([]);
    const needless = Object.keys(LARGE_FILES).filter(
      (path) => (sources.find((source) => source.path === path)?.lineCount ?? 0) <= SIGN_TO_SPLIT,
    );
    expect(needless).toEqual([]);
  });

  it("begin with what they own", () => {
    const wrong = sources.filter(({ text }) => !/^(?:#![^\n]*\n)?\/\*\*\n(?: \*[^\n]*\n){3,12}? \*\/\n/.test(text));
    expect(wrong.map((source) => source.path)).toEqual([]);
  });

  it("have names that say what they hold", () => {
    const vague = /(?:^|[/-])(?:utils?|helpers?|common|misc|shared)(?:[/.-]|$)/;
    expect(sources.map((source) => source.path).filter((path) => vague.test(path))).toEqual([]);
  });

  it("hold no switch that turns a tool off, and cite no RFC that is obsolete", () => {
    const wrong = [...sources, ...listFiles("test", [".ts"]).map(readSource)].flatMap(({ path, pieces }) =>
      pieces
        .filter((piece) => piece.kind === "comment")
        .filter(({ text }) =>
          /@ts-(?:ignore|expect-error|nocheck)|(?:ox|es)lint-disable|RFC (?:2616|723[0-5]|7540|2068)\b/.test(text),
        )
        .map((piece) => `${path}:${piece.line}: ${piece.text}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("error codes", () => {
  const page = readText("docs/reference/errors.md");
  const codes = Object.keys(ERRORS);
  const tests = listFiles("test", [".ts", ".md"])
    .filter((path) => path !== "test/architecture.test.ts")
    .map(readText);

  it("are all in src, where something raises them", () => {
    const strings = new Set(
      sources
        .filter((source) => source.path !== "src/http/errors.ts")
        .flatMap((source) => source.strings.map((piece) => piece.text)),
    );
    expect(codes.filter((code) => !strings.has(code))).toEqual([]);
  });

  it("all appear in a test", () => {
    expect(codes.filter((code) => !tests.some((text) => new RegExp(`\\b${code}\\b`).test(text)))).toEqual([]);
  });

  it("have one heading each in docs/reference/errors.md, in the order of the table", () => {
    expect([...page.matchAll(/^### `(ERR_\w+)`$/gm)].map((match) => match[1])).toEqual(codes);
  });
});
