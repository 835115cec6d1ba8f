/**
 * Fuzz target: Authorization, by basicAuth and bearer (middleware/basic-auth.ts, bearer.ts), and what stands in logs and
 * redirects of what a client sent (observe/escape.ts, replies/redirect.ts). An input is one value.
 *
 * Invariants:
 * - A request gets in only with the very name and password, or token, and whatever else is sent gets 400 or 401 with a
 *   challenge (RFC 9110 §11.6.1, RFC 7617 §2, RFC 6750 §3).
 * - A redirect to what a client sent leads nowhere else, or throws TypeError (open redirect).
 * - What is written to a log has no line end and no control, and JSON reads back the same (log injection).
 */

import { isFieldValue } from "../../src/http/fields.ts";
import { basicAuth } from "../../src/middleware/basic-auth.ts";
import { bearer } from "../../src/middleware/bearer.ts";
import { asciiJson, escapeApache, escapeJson, escapeLine, escapeText, escapeWord } from "../../src/observe/escape.ts";
import { isLocalPath, redirect } from "../../src/replies/redirect.ts";
import { Context } from "../../src/web/context.ts";
import type { Middleware } from "../../src/web/handler.ts";
import { requestOf } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { MemoryExchange } from "../../test/web/support/memory-exchange.ts";
import { join, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const RIGHT = Buffer.from("user:pass:word").toString("base64");
const TOKEN = "abc.def-123";
const WORDS = ["Basic ", "Bearer ", RIGHT, TOKEN, "=", "basic", ",", "//", "/\\", "http:", "javascript:", "\t"];
const guards: readonly Middleware[] = [basicAuth({ users: { user: "pass:word" } }), bearer({ tokens: [TOKEN] })];
const ok = new Response("in");

/** The target. */
export const credentialsTarget: FuzzTarget = {
  name: "credentials",
  about: "only the very credentials let in, redirects stay here, and nothing breaks a line of a log",
  arbitrary: orMutated(
    fc.oneof(
      join(
        wordsOf("Basic basic BASIC Bearer Digest"),
        fc.constantFrom(" ", "  ", "\t", ""),
        fc.constantFrom(RIGHT, TOKEN, "", "user:pass", Buffer.from("user:pass").toString("base64")),
      ),
      join(wordsOf("/ // /\\ \\ http:// https: ? . javascript:"), wordsOf("a evil.example a/../b a?b=c %2f%2fevil")),
    ),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      `Basic ${RIGHT}`,
      `Bearer ${TOKEN}`,
      "Basic !!!!",
      "Bearer",
      "//evil.example",
      "/a?b",
      "\r\nSet-Cookie: a",
      "\x1b[31m\u2028",
    ),
  async run(input) {
    const text = latin1(input);
    // What the wire lets through
    const value = text.replaceAll(/^[ \t]+|[ \t]+$/g, "");
    if (isFieldValue(value)) {
      for (const [i, guard] of guards.entries()) await checkGuard(guard, value, i);
    }
    for (const name of [text, Buffer.from(input).toString("utf8")]) {
      checkRedirect(name);
      checkLog(name);
    }
  },
};

async function checkGuard(guard: Middleware, value: string, index: number): Promise<void> {
  const exchange = new MemoryExchange({ method: "GET", target: "/", fields: [["authorization", value]] }, null);
  const context = new Context(exchange, () => {});
  const answer = await guard(requestOf(exchange, 1024), context, () => ok);
  const isIn = answer === ok;
  const scheme = index === 0 ? /^basic +(.*?) *$/i : /^bearer +(.*?) *$/i;
  const given = scheme.exec(value)?.[1] ?? "";
  const isRight = index === 0 ? Buffer.from(given, "base64").toString("latin1") === "user:pass:word" : given === TOKEN;
  hold(!isIn || isRight, "lets nobody else in", () => value);
  if (index === 1 || given === RIGHT) same(isIn, isRight, "lets in who has them");
  if (isIn) return;
  hold(
    answer instanceof Response && [400, 401].includes(answer.status) && answer.headers.has("www-authenticate"),
    "asks for credentials",
  );
}

function checkRedirect(text: string): void {
  const { value } = attempt(
    () => redirect(text),
    (error) => error instanceof TypeError,
  );
  const isLocal = attempt(() => isLocalPath(text)).value;
  hold(isLocal !== true || value !== null, "a local path is a target", () => text);
  if (value === null) return;
  const location = value.headers.get("location") ?? "";
  hold(/^[!-~]+$/.test(location), "a location is visible ASCII", () => location);
  for (const base of ["http://self.invalid/a/b", "https://self.invalid/"]) {
    same(new URL(location, base).origin, new URL(base).origin, "a redirect stays on its site");
  }
}

function checkLog(text: string): void {
  for (const escape of [escapeApache, escapeText, escapeWord, escapeLine]) {
    const line = attempt(() => escape(text)).value ?? "";
    hold(
      !/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/.test(line),
      "a line of a log is one line",
      () => `${escape.name} ${JSON.stringify(line)}`,
    );
  }
  const json = attempt(() => escapeJson(text)).value ?? "";
  same(JSON.parse(`"${json}"`), text, "JSON of a log reads the same");
  same(JSON.parse(asciiJson(JSON.stringify(text))), text, "JSON in ASCII reads the same");
}
