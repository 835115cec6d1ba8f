/**
 * Raw requests over a connection of their own, and what came back in the words of a judge that shares no code with the server.
 */
import { connect } from "node:net";
import { type Reading, readResponses, valuesOf, type WireResponse } from "../../support/wire-responses.ts";

/** What was said on a connection, to its end. */
export interface Said extends Reading {
  /** As latin1. */
  readonly text: string;
  readonly isReset: boolean;
}

/**
 * Sends bytes and reads until the server closes; the last request should ask it to.
 *
 * @param bytes text is latin1
 * @param methods of the requests, for the judge
 */
export function say(port: number, bytes: string | Uint8Array, methods: readonly string[] = []): Promise<Said> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let isReset = false;
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.on("error", () => {
      isReset = true;
    });
    socket.on("close", () => {
      const all = Buffer.concat(parts);
      resolve({ ...readResponses(all, methods, !isReset), text: all.toString("latin1"), isReset });
    });
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** One answer, easy to look at. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; values of several lines joined by `, `. */
  readonly fields: Readonly<Record<string, string>>;
  readonly text: string;
  /** What the judge has against it. */
  readonly faults: readonly string[];
}

/** Asks for one thing. */
export async function get(
  port: number,
  target: string,
  fields: Readonly<Record<string, string>> = {},
  method: string = "GET",
): Promise<Answer> {
  const lines = Object.entries({ Host: "site.example", ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const said = await say(port, `${method} ${target} HTTP/1.1\r\n${lines.join("")}Connection: close\r\n\r\n`, [method]);
  const [response, ...others] = said.responses.filter(({ status }) => status >= 200);
  if (response === undefined) throw new Error(`no answer to ${method} ${target}: ${said.text}`);
  const faults = others.length === 0 ? said.faults : [...said.faults, "more than one answer"];
  return answerOf(response, faults);
}

/** Asks for many things over few connections. Answers in order; none may close the connection. */
export async function getAll(port: number, targets: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < targets.length; at += PIPELINE) {
    const some = targets.slice(at, at + PIPELINE);
    const requests = some.map((target) => `GET ${target} HTTP/1.1\r\nHost: site.example\r\n\r\n`);
    const last = "GET / HTTP/1.0\r\n\r\n";
    const methods = [...some, ""].map(() => "GET");
    const { responses, faults, text } = await say(port, `${requests.join("")}${last}`, methods);
    if (responses.length !== some.length + 1)
      throw new Error(`${responses.length} answers to ${some.length + 1}: ${text}`);
    answers.push(...responses.slice(0, -1).map((response) => answerOf(response, faults)));
  }
  return answers;
}

const PIPELINE = 200;

function answerOf(response: WireResponse, faults: readonly string[]): Answer {
  return { status: response.status, fields: fieldsOf(response), text: response.content.toString("latin1"), faults };
}

function fieldsOf(response: WireResponse): Readonly<Record<string, string>> {
  const names = new Set(response.fields.map(([name]) => name.toLowerCase()));
  return Object.fromEntries([...names].map((name) => [name, valuesOf(response, name).join(", ")]));
}
