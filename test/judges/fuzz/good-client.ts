/**
 * A client that behaves, beside hostile traffic: asks for one of each kind and compares every octet. By node:http, with
 * connections that are kept and such that are not; whatever is wrong, missing or late is a mistake.
 */
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** What it met. */
export interface Experience {
  answers: number;
  mostMs: number;
  readonly mistakes: string[];
}

const MOST_MS = 5000;

interface Answer {
  readonly status: number;
  readonly content: Buffer;
}

function ask(
  port: number,
  agent: Agent | false,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  content: Buffer | null,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", agent, method, path, headers, timeout: MOST_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, content: Buffer.concat(chunks) }));
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${MOST_MS} ms`)));
    sent.on("error", reject);
    sent.end(content);
  });
}

/** Asks until it is over, with pauses. `film` is what `/files/film.bin` has. */
export async function behave(
  port: number,
  film: Buffer,
  pauseMs: number,
  isOver: () => boolean,
  met: Experience,
): Promise<void> {
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const json = Buffer.from(JSON.stringify({ word: "Œuvre ☃", list: [1, 2, 3] }));
  const post = (path: string, type: string, content: Buffer, agent: Agent | false): Promise<Answer> =>
    ask(port, agent, "POST", path, { "content-type": type, "content-length": String(content.length) }, content);
  const get = (path: string, agent: Agent | false, headers = {}): Promise<Answer> =>
    ask(port, agent, "GET", path, headers, null);
  const kinds: ReadonlyArray<readonly [string, (agent: Agent | false) => Promise<boolean>]> = [
    ["text", async (agent) => isAnswer(await get("/", agent), 200, Buffer.from("Hello, World!"))],
    ["JSON", async (agent) => isAnswer(await post("/json", "application/json", json, agent), 200, json)],
    [
      "digest",
      async (agent) => {
        const content = randomBytes(100_000);
        const hex = createHash("sha256").update(content).digest("hex");
        return isAnswer(await post("/digest", "application/octet-stream", content, agent), 200, Buffer.from(hex));
      },
    ],
    ["a file", async (agent) => isAnswer(await get("/files/film.bin", agent), 200, film)],
    [
      "a range",
      async (agent) =>
        isAnswer(await get("/files/film.bin", agent, { range: "bytes=1000-70000" }), 206, film.subarray(1000, 70_001)),
    ],
    [
      "events",
      async (agent) => {
        const { status, content } = await get("/events", agent);
        return status === 200 && (content.toString().match(/^data: ?event \d$/gm) ?? []).length === 6;
      },
    ],
    ["an error", async (agent) => (await get("/4", agent)).status === 500],
  ];
  for (let turn = 0; !isOver(); turn++) {
    const [name, isRight] = kinds[turn % kinds.length] as (typeof kinds)[number];
    const begunMs = performance.now();
    // A kept connection may end just as it is used again: that is no answer, and one may ask anew (RFC 9110 §9.2.2)
    try {
      if (!(await isRight(turn % 3 === 0 ? kept : false))) met.mistakes.push(`a good client: ${name}: a wrong answer`);
    } catch (error) {
      if (!(turn % 3 === 0 && (error as NodeJS.ErrnoException).code === "ECONNRESET"))
        met.mistakes.push(`a good client: ${name}: ${String(error)}`);
    }
    met.answers++;
    met.mostMs = Math.max(met.mostMs, performance.now() - begunMs);
    await sleep(pauseMs);
  }
  kept.destroy();
}

function isAnswer({ status, content }: Answer, expectedStatus: number, expected: Buffer): boolean {
  return status === expectedStatus && content.equals(expected);
}
