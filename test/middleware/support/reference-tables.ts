/**
 * Makes the tables of docs/reference/middleware.md from the options' own docstrings and rules:
 * `npx jiti test/middleware/support/reference-tables.ts --write`.
 *
 * A page has a marker `<!-- options: compress -->` in front of each table; what is between it and the next line that is no row
 * is replaced. The test of the page uses the same functions and fails when they would change anything.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { BASIC_AUTH_RULES } from "../../../src/middleware/basic-auth.ts";
import { BEARER_RULES } from "../../../src/middleware/bearer.ts";
import { BODY_LIMIT_RULES } from "../../../src/middleware/body-limit.ts";
import { CACHE_CONTROL_RULES } from "../../../src/middleware/cache-control.ts";
import { COMPRESS_RULES } from "../../../src/middleware/compress.ts";
import { CORS_RULES } from "../../../src/middleware/cors.ts";
import { ETAG_RULES } from "../../../src/middleware/etag.ts";
import { LOGGER_RULES } from "../../../src/middleware/logger.ts";
import { RATE_LIMIT_RULES } from "../../../src/middleware/rate-limit.ts";
import { REQUEST_ID_RULES } from "../../../src/middleware/request-id.ts";
import { SECURITY_HEADERS_RULES } from "../../../src/middleware/security-headers.ts";
import { SERVER_TIMING_RULES } from "../../../src/middleware/server-timing.ts";
import { TIMEOUT_RULES } from "../../../src/middleware/timeout.ts";
import { TRAILING_SLASH_RULES } from "../../../src/middleware/trailing-slash.ts";
import type { OptionRule } from "../../../src/server/option-rules.ts";

/** Rules by the name of the middleware. */
export const RULES: Readonly<Record<string, Readonly<Record<string, OptionRule>>>> = {
  basicAuth: BASIC_AUTH_RULES,
  bearer: BEARER_RULES,
  bodyLimit: BODY_LIMIT_RULES,
  cacheControl: CACHE_CONTROL_RULES,
  compress: COMPRESS_RULES,
  cors: CORS_RULES,
  etag: ETAG_RULES,
  logger: LOGGER_RULES,
  rateLimit: RATE_LIMIT_RULES,
  requestId: REQUEST_ID_RULES,
  securityHeaders: SECURITY_HEADERS_RULES,
  serverTiming: SERVER_TIMING_RULES,
  timeout: TIMEOUT_RULES,
  trailingSlash: TRAILING_SLASH_RULES,
};

/** Docstrings of the members of an options interface, by name, in the order of the source. */
function docstringsOf(middleware: string): Map<string, string> {
  const file = middleware.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
  const source = readFileSync(new URL(`../../../src/middleware/${file}.ts`, import.meta.url), "utf8");
  const name = `${middleware.charAt(0).toUpperCase()}${middleware.slice(1)}Options`;
  const body = new RegExp(`^export interface ${name} \\{\\n([^]*?)^\\}`, "m").exec(source)?.[1] ?? "";
  const members = body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)\??:/g);
  return new Map([...members].map(([, text = "", option = ""]) => [option, plain(text)]));
}

function plain(docstring: string): string {
  return docstring
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The table of a middleware's options. */
export function renderTable(middleware: string): string {
  const rules = RULES[middleware] ?? {};
  const rows = [...docstringsOf(middleware)].map(
    ([option, text]) => `| \`${option}\` | ${rules[option]?.allowed ?? "?"} | ${text} |`,
  );
  return ["| Option | Allowed | Meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

/** The page with all its tables as they should be. */
export function renderPage(page: string): string {
  return page.replaceAll(
    /(<!-- options: (\w+) -->\n)(?:\|[^\n]*\n)*/g,
    (_, marker: string, middleware: string) => marker + renderTable(middleware),
  );
}

if (process.argv.includes("--write")) {
  const page = new URL("../../../docs/reference/middleware.md", import.meta.url);
  writeFileSync(page, renderPage(readFileSync(page, "utf8")));
}
