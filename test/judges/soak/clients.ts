/**
 * Clients of the soak: each kind asks in a loop, judges what it gets and counts. Some behave, and must never see a connection
 * refused, reset or an answer broken off; others leave in the middle, and only must not harm anybody.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Pool } from "undici";
import type { ChangingTree } from "../../clients/support/changing-tree.ts";
import type { Judge } from "../../clients/support/judge.ts";
import { drawQuestion, fieldsOf, pickSubject } from "../../clients/support/questions.ts";

/** What all clients share. */
export interface Soak {
  readonly port: number;
  readonly tree: ChangingTree;
  readonly judge: Judge;
  readonly draw: (below: number) => number;
  readonly isOver: () => boolean;
  /** Between two requests of one client, in milliseconds. */
  readonly pauseMs: number;
  /** Counts an answer, or something else that happened. */
  readonly count: (what: string) => void;
  /** Something that must not happen to whoever behaves. */
  readonly mistake: (what: string) => void;
}

const MOST_POSTED_BYTES = 300_000;
const BLOCKS_BYTES = 64 * 64 * 1024;
const EVENTS = 20;

/** Reads files in every way while they change. */
export async function readFiles(soak: Soak): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${soak.port}`, { connections: 1, pipelining: 1 });
  while (!soak.isOver()) {
    const question = drawQuestion(pickSubject(soak.tree, soak.draw), soak.judge, soak.draw);
    try {
      const { path } = question.subject;
      const response = await pool.request({ path, method: question.method, headers: question.fields });
      const content = Buffer.from(await response.body.arrayBuffer());
      soak.judge.judge(question, { status: response.statusCode, fields: fieldsOf(response), content });
    } catch (error) {
      soak.judge.judgeBroken(question, error);
    }
    soak.count("file");
    await sleep(soak.pauseMs);
  }
  await pool.close();
}

/** Asks the app, in turn, what has a known answer. */
export async function askApp(soak: Soak): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${soak.port}`, { connections: 1, pipelining: 1 });
  const ask = async (path: string, body: Buffer | null = null, fields = {}): Promise<[number, Buffer]> => {
    const method = body === null ? "GET" : "POST";
    const response = await pool.request({ path, method, body, headers: fields });
    return [response.statusCode, Buffer.from(await response.body.arrayBuffer())];
  };
  const check = (what: string, isRight: boolean): void => {
    if (isRight) soak.count(what);
    else soak.mistake(`${what}: a wrong answer`);
  };
  const kinds: Readonly<Record<string, () => Promise<void>>> = {
    hello: async () => {
      const [status, content] = await ask("/hello");
      check("hello", status === 200 && content.toString() === "Hello, World!");
    },
    items: async () => {
      const count = soak.draw(200);
      const [status, content] = await ask(`/items/${count}`);
      const list = JSON.parse(content.toString()) as { title: string }[];
      check(
        "items",
        status === 200 && list.length === count && (list.at(-1)?.title ?? "Item -1") === `Item ${count - 1}`,
      );
    },
    json: async () => {
      const value = { list: Array.from({ length: soak.draw(50) }, (_, id) => ({ id, word: "Œuvre ☃" })) };
      const fields = { "content-type": "application/json" };
      const [status, content] = await ask("/json", Buffer.from(JSON.stringify(value)), fields);
      check("json", status === 200 && isDeepStrictEqual(JSON.parse(content.toString()), value));
    },
    digest: async () => {
      const content = randomBytes(soak.draw(MOST_POSTED_BYTES));
      const [status, digest] = await ask("/digest", content);
      check("digest", status === 200 && digest.toString() === createHash("sha256").update(content).digest("hex"));
    },
    events: async () => {
      const [status, content] = await ask("/events");
      const ids = [...content.toString().matchAll(/^id: ?(\d+)$/gm)].map(([, id]) => Number(id));
      check("events", status === 200 && ids.length === EVENTS && ids.every((id, index) => id === index + 1));
    },
    blocks: async () => {
      const [status, content] = await ask("/blocks");
      check("blocks", status === 200 && content.length === BLOCKS_BYTES && content.every((byte) => byte === 0x2e));
    },
    failing: async () => check("failing", (await ask("/failing"))[0] === 500),
  };
  const names = Object.keys(kinds);
  while (!soak.isOver()) {
    const name = names[soak.draw(names.length)] as string;
    // Blocks are large
    if (name === "blocks" && soak.draw(10) > 0) continue;
    try {
      await kinds[name]?.();
    } catch (error) {
      soak.mistake(`${name}: ${String(error)}`);
    }
    await sleep(soak.pauseMs);
  }
  await pool.close();
}

/** How somebody leaves: what is sent, and after how many octets of the answer. */
const RUDE: readonly { readonly what: string; readonly sent: string; readonly leavesAfterBytes: number }[] = [
  { what: "left in the head", sent: "GET /hello HTTP/1.1\r\nHost: soak\r\nX-Half", leavesAfterBytes: 0 },
  {
    what: "left in the content",
    sent: `POST /digest HTTP/1.1\r\nHost: soak\r\nContent-Length: 5000000\r\n\r\n${"x".repeat(100_000)}`,
    leavesAfterBytes: 0,
  },
  {
    what: "left in a chunk",
    sent: `POST /json HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[`,
    leavesAfterBytes: 0,
  },
  { what: "left in blocks", sent: "GET /blocks HTTP/1.1\r\nHost: soak\r\n\r\n", leavesAfterBytes: 200_000 },
  { what: "left in a file", sent: "GET /film.bin HTTP/1.1\r\nHost: soak\r\n\r\n", leavesAfterBytes: 50_000 },
  { what: "left in events", sent: "GET /events HTTP/1.1\r\nHost: soak\r\n\r\n", leavesAfterBytes: 100 },
  { what: "sent rubbish", sent: "\u0016\u0003\u0001 rubbish\r\n\r\n", leavesAfterBytes: 1 },
  {
    what: "smuggled",
    sent: "GET / HTTP/1.1\r\nHost: soak\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    leavesAfterBytes: 1,
  },
];

/** Comes, and leaves before it was answered whole: by a reset or by an end. */
export async function leaveEarly(soak: Soak): Promise<void> {
  while (!soak.isOver()) {
    const { what, sent, leavesAfterBytes } = RUDE[soak.draw(RUDE.length)] as (typeof RUDE)[number];
    const socket = connect(soak.port, "127.0.0.1");
    socket.on("error", () => {});
    const closed = once(socket, "close").catch(() => {});
    let received = 0;
    const leave = (): void => {
      if (soak.draw(2) === 0) socket.resetAndDestroy();
      else socket.destroy();
    };
    socket.on("data", (part: Buffer) => {
      received += part.length;
      if (received >= leavesAfterBytes) leave();
    });
    socket.write(sent, "latin1", () => {
      if (leavesAfterBytes === 0) leave();
    });
    await closed;
    soak.count(what);
    await sleep(soak.pauseMs * 4);
  }
}
