/**
 * The content of an answer that is no file: a small page for a person in a browser, text or problem details (RFC 9457) for
 * everything else.
 *
 * The page says what happened and leads back; it shows nothing of the request but what is escaped, and nothing of the disk.
 * A folder's own page (`404.html`) goes before it and is found by fallback.ts. RFC 9110 §15 (statuses), §12.5.5 (Vary).
 */

import type { FieldLines } from "../http/exchange.ts";
import { renderProblem } from "../http/problem.ts";
import type { Problem } from "../http/problem.ts";
import { escapeText } from "./escape-text.ts";
import { namesHtml } from "./fallback.ts";
import { ERROR_STYLE, ICON } from "./listing-style.ts";

/** SHA-256 of the style sheet, as CSP wants it; the tests tell what it must be after a change. */
const STYLE_HASH = "sha256-9lpKi+V79PlFYaaRsGFuYHm/Xk+FGbUz0rVWfOJDkX8=";

const PAGE_POLICY = `default-src 'none'; img-src data:; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`;

const VARIED: FieldLines = ["vary", "accept", "x-content-type-options", "nosniff"];
const PAGE_LINES: FieldLines = Object.freeze([
  "content-type",
  "text/html; charset=utf-8",
  "content-security-policy",
  PAGE_POLICY,
  ...VARIED,
]);

/** A refusal ready to be sent. */
export interface RenderedRefusal {
  /** To be encoded as UTF-8. */
  readonly text: string;
  /** Content-Type, Vary and what keeps the content harmless. */
  readonly lines: FieldLines;
}

/**
 * Renders a problem in the form that the peer prefers: a page only where Accept names `text/html` itself, so that a
 * program, or a person with curl, is never sent markup.
 *
 * @param problem what happened; it goes to a client, so it must hold no path of the disk
 * @param accept the Accept field, null if there was none
 */
export function renderRefusal(problem: Problem, accept: string | null): RenderedRefusal {
  if (namesHtml(accept)) return { text: renderPage(problem), lines: PAGE_LINES };
  const { contentType, text } = renderProblem(problem, accept);
  return { text, lines: ["content-type", contentType, ...VARIED] };
}

function renderPage(problem: Problem): string {
  const title = escapeText(problem.title);
  const detail = escapeText(problem.detail ?? "");
  const sentence = detail === "" ? "" : `<p>${detail.charAt(0).toUpperCase()}${detail.slice(1)}.</p>\n`;
  const rule = problem.rule === undefined ? "" : `<p><small>${escapeText(problem.rule)}</small></p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${problem.status} ${title}</title>
<link rel="icon" href="${ICON}">
<style>${ERROR_STYLE}</style>
</head>
<body>
<main>
<h1><b>${problem.status}</b> ${title}</h1>
${sentence}${rule}<p><a href="/">Go to the start</a></p>
</main>
</body>
</html>
`;
}
