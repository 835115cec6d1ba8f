/**
 * The corpus: requests in the shapes by which servers have been led to see two where a neighbour sees one, and all requests of
 * test/wire.
 *
 * Each shape tells its readings apart: whoever takes its content for shorter or longer than another answers
 * `GET /smuggled`, or chokes on what should have been the next request. Octets are latin1.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parseSteps } from "../../support/wire-bytes.ts";
import { parseChapter } from "../../support/wire-case.ts";

/** One input. */
export interface Shape {
  /** Group and variant; of a wire case, chapter and title. */
  readonly name: string;
  readonly bytes: Buffer;
}

const HOST = "Host: a.example\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: smuggled.example\r\n\r\n";
/** Five octets and a request by the chunks, or all of it by a length. */
const CHUNKED = `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`;

const SECTIONS: ReadonlyMap<string, string> = new Map(
  [...readFileSync(new URL("../shapes.md", import.meta.url), "utf8").matchAll(/^## (.+)\n\n```\n([^]*?)\n```$/gm)].map(
    ([, name, block]) => [name ?? "", block ?? ""] as const,
  ),
);

type Rows = ReadonlyArray<readonly [variant: string, text: string]>;

function post(fields: string, content: string, target = "/"): string {
  return `POST ${target} HTTP/1.1\r\n${HOST}${fields}\r\n${content}`;
}

/** A request for each value of a list, or of a section of shapes.md. */
function named(values: string | readonly string[], make: (value: string) => string): Rows {
  const list = typeof values === "string" ? valuesOf(values) : values;
  return list.map((value) => [JSON.stringify(value).slice(1, -1), make(value)]);
}

function valuesOf(section: string): string[] {
  const block = SECTIONS.get(section);
  if (block === undefined) throw new Error(`shapes.md has no section: ${section}`);
  // A lone backslash at the end of a line: no line end
  return block.split("\n").map((line) => {
    const [step] = parseSteps(`${line}\\`);
    return step !== undefined && "bytes" in step ? step.bytes.toString("latin1") : "";
  });
}

/** Both framing fields, in every order and spelling. */
function bothFields(): Rows {
  const lengths = ["Content-Length: 5", `Content-Length: ${CHUNKED.length}`, "Content-Length: 0", "content-length: 5"];
  const codings = [
    "Transfer-Encoding: chunked",
    "transfer-encoding: CHUNKED",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: ",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding:\r\n chunked",
    "X: y\nTransfer-Encoding: chunked",
    "X: y\rTransfer-Encoding: chunked",
    "Transfer_Encoding: chunked",
    "Transfer-Encoding\0: chunked",
    " Transfer-Encoding: chunked",
    "\tTransfer-Encoding: chunked",
  ];
  return lengths.flatMap((length) =>
    codings.flatMap((coding): Rows => [
      [JSON.stringify([length, coding]), post(`${length}\r\n${coding}\r\n`, CHUNKED)],
      [JSON.stringify([coding, length]), post(`${coding}\r\n${length}\r\n`, CHUNKED)],
    ]),
  );
}

/** Lines that are fields to some and something else to others; each is tried as either framing field. */
function lines(): Rows {
  const forms: ReadonlyArray<readonly [string, (name: string, value: string) => string]> = [
    ["space before the colon", (name, value) => `${name} : ${value}\r\n`],
    ["tab before the colon", (name, value) => `${name}\t: ${value}\r\n`],
    ["no space behind the colon", (name, value) => `${name}:${value}\r\n`],
    ["space before the name", (name, value) => ` ${name}: ${value}\r\n`],
    ["tab before the name", (name, value) => `\t${name}: ${value}\r\n`],
    ["folded behind another field", (name, value) => `X: y\r\n ${name}: ${value}\r\n`],
    ["bare LF before", (name, value) => `X: y\n${name}: ${value}\r\n`],
    ["bare LF behind", (name, value) => `${name}: ${value}\nX: y\r\n`],
    ["bare CR before", (name, value) => `X: y\r${name}: ${value}\r\n`],
    ["bare CR behind", (name, value) => `${name}: ${value}\rX: y\r\n`],
    ["CR CR LF behind", (name, value) => `${name}: ${value}\r\r\n`],
    ["LF CR LF before", (name, value) => `X: y\n\r\n${name}: ${value}\r\n`],
    ["NUL in the name", (name, value) => `${name.replace("-", "\0-")}: ${value}\r\n`],
    ["NUL behind the name", (name, value) => `${name}\0: ${value}\r\n`],
    ["NUL before the line", (name, value) => `X: y\0\r\n${name}: ${value}\r\n`],
    ["underscore", (name, value) => `${name.replace("-", "_")}: ${value}\r\n`],
    ["no colon", (name, value) => `${name} ${value}\r\n`],
    ["colon before the name", (name, value) => `:${name}: ${value}\r\n`],
    ["no-break space behind the name", (name, value) => `${name}\u00a0: ${value}\r\n`],
    ["quoted name", (name, value) => `"${name}": ${value}\r\n`],
    ["named in Connection", (name, value) => `Connection: ${name}\r\n${name}: ${value}\r\n`],
    ["first line", (name, value) => `${name}: ${value}\r\nX: y\r\n`],
  ];
  return forms.flatMap(([form, make]): Rows => [
    [`Content-Length, ${form}`, post(make("Content-Length", "5"), "hello")],
    [`Content-Length with a request in it, ${form}`, post(make("Content-Length", String(SMUGGLED.length)), SMUGGLED)],
    [`Transfer-Encoding, ${form}`, post(make("Transfer-Encoding", "chunked"), CHUNKED)],
  ]);
}

const CHUNKS: Rows = named("chunks", (text) => post("Transfer-Encoding: chunked\r\n", text + SMUGGLED));

const TRAILERS: Rows = named("trailers", (line) =>
  post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r\n0\r\n${line}\r\n\r\n`),
);

const VERSIONS: Rows = [
  ...named("versions", (version) => `POST / HTTP/${version}\r\n${HOST}Content-Length: 5\r\n\r\nhello`),
  ...named(
    ["1.0", "0.9", "1.2", "2.0"],
    (version) => `POST / HTTP/${version}\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
  ),
  ...named(
    ["1.0", "1.1"],
    (version) =>
      `POST / HTTP/${version}\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
  ),
  ["HTTP/1.0, keep-alive", `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`],
  ["HTTP/1.0, no Host", "GET / HTTP/1.0\r\n\r\n"],
  ["HTTP/1.0, POST without a length", `POST / HTTP/1.0\r\n${HOST}\r\nhello`],
  [
    "HTTP/1.0, both framing fields",
    `POST / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`,
  ],
  ["no version", "GET /\r\n"],
  ["lower case", `GET / http/1.1\r\n${HOST}\r\n`],
  ["preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
];

const HOSTS: Rows = named("hosts", (line) => `GET / HTTP/1.1\r\n${line === "" ? "" : `${line}\r\n`}\r\n`);

const TARGETS: Rows = [
  ...named("targets", (target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`),
  ...named("targets of CONNECT", (target) => `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n`),
  ...named("targets of OPTIONS", (target) => `OPTIONS ${target} HTTP/1.1\r\n${HOST}\r\n`),
];

const REQUEST_LINES: Rows = named("request lines", (line) => `${line}${HOST}\r\n`);

const CONTENTS: Rows = [
  ...["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PUT", "PATCH", "PROPFIND", "BREW"].flatMap(
    (method): Rows => {
      const target = method === "CONNECT" ? "a.example:80" : "/";
      const head = `${method} ${target} HTTP/1.1\r\n${HOST}`;
      return [
        [`${method} with Content-Length`, `${head}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
        [`${method} with chunks`, `${head}Transfer-Encoding: chunked\r\n\r\n${CHUNKED}`],
        [`${method} with Content-Length: 0 and content`, `${head}Content-Length: 0\r\n\r\n${SMUGGLED}`],
        [`${method} with content and no length`, `${head}\r\n${SMUGGLED}`],
      ];
    },
  ),
  ...named("expectations", (value) => post(`Expect: ${value}\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED)),
  ...named("protocols", (protocol) =>
    post(`Connection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  ),
  ...named("connection options", (option) =>
    post(`Connection: ${option}\r\nContent-Length: 5\r\n`, `hello${SMUGGLED}`),
  ),
  [
    "h2c by upgrade",
    `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n${SMUGGLED}`,
  ],
  ["Proxy-Connection", post("Proxy-Connection: close\r\nContent-Length: 5\r\n", `hello${SMUGGLED}`)],
  ["X-HTTP-Method-Override", post("X-HTTP-Method-Override: GET\r\nContent-Length: 5\r\n", `hello${SMUGGLED}`)],
  ["two requests", `GET / HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`],
  ["CRLF behind the content", post("Content-Length: 5\r\n", "hello\r\n")],
  ["LF behind the content", post("Content-Length: 5\r\n", "hello\n")],
  ["content one octet longer than declared", post("Content-Length: 4\r\n", "hello")],
  ["content of declared length, cut by the next request", post("Content-Length: 60\r\n", SMUGGLED)],
];

const GROUPS: Readonly<Record<string, Rows>> = {
  "both framing fields": bothFields(),
  "Content-Length": [
    ...named("lengths", (value) => post(`Content-Length: ${value}\r\n`, "hello")),
    ...named("lengths in two lines", (value) => post(`Content-Length: ${value}\r\n`, "hello")),
  ],
  "Transfer-Encoding": [
    ...named("codings", (value) => post(`Transfer-Encoding: ${value}\r\n`, CHUNKED)),
    ...named(["chunked", "identity", "gzip", "", "x"], (value) =>
      post(`Transfer-Encoding: chunked\r\nTransfer-Encoding: ${value}\r\n`, CHUNKED),
    ),
    ...named(["identity", "gzip", "", "x"], (value) =>
      post(`Transfer-Encoding: ${value}\r\nTransfer-Encoding: chunked\r\n`, CHUNKED),
    ),
  ],
  "lines": lines(),
  "chunks": CHUNKS,
  "trailers": TRAILERS,
  "versions": VERSIONS,
  "Host": HOSTS,
  "targets": TARGETS,
  "request lines": REQUEST_LINES,
  "content": CONTENTS,
};

/** The shapes made here. */
export function generatedShapes(): Shape[] {
  return Object.entries(GROUPS).flatMap(([group, rows]) =>
    rows.map(([variant, text]) => ({ name: `${group}: ${variant}`, bytes: Buffer.from(text, "latin1") })),
  );
}

const NOTHING = Buffer.alloc(0);

/** What test/wire sends, each octets once; events between them are left out. */
export function wireShapes(): Shape[] {
  const folder = new URL("../../wire/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".md") && name !== "README.md");
  const shapes = new Map<string, Shape>();
  for (const file of files.toSorted()) {
    for (const { title, steps } of parseChapter(readFileSync(new URL(file, folder), "utf8")).cases) {
      const bytes = Buffer.concat(steps.map((step) => ("bytes" in step ? step.bytes : NOTHING)));
      const key = bytes.toString("latin1");
      if (!shapes.has(key)) shapes.set(key, { name: `${file}: ${title}`, bytes });
    }
  }
  return [...shapes.values()];
}
