/**
 * Markup with values in it: html`<p>${value}` escapes what is put in, so that a value is text and never markup
 * (cross-site scripting).
 *
 * Safe between tags and in attributes whose value stands in quotation marks. Nowhere else: not in `<script>` or `<style>`,
 * not as the name of a tag or attribute, not as an attribute without quotation marks, and an `href` may still be
 * `javascript:`. Only what this file made itself passes unescaped; nothing that came as data can look like it.
 */

import { appendLines, type HeadersInput, indexOfLine } from "../web/header-lines.ts";
import { Response } from "../web/response.ts";

const MARKUP: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that is markup. Made by {@link html} and {@link trustedHtml}. */
export class Html {
  readonly #text: string;

  /** @internal */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  /** A page: `text/html; charset=utf-8`. Other fields and another status by `init`. */
  toResponse(init: { readonly status?: number; readonly headers?: HeadersInput } = {}): Response {
    return new Response(this.#text, { ...init, headers: withType(init.headers) });
  }

  static isHtml(value: object): value is Html {
    return #text in value;
  }
}

/** What can be put into markup. Null, undefined and booleans are nothing, so that `condition && html…` works. */
export type HtmlValue = string | number | bigint | boolean | null | undefined | Html | readonly HtmlValue[];

/**
 * Makes markup: html`<h1>${title}</h1>${rows.map((row) => html`<p>${row}</p>`)}`.
 *
 * @throws TypeError for a value that has no text of its own (an object, a function, a symbol)
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let text = strings[0] ?? "";
  for (let i = 0; i < values.length; i++) text += textOf(values[i]) + (strings[i + 1] as string);
  return new Html(text);
}

/** Markup from a source that is trusted like the program itself. Never for what came from elsewhere. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

/** Text as it is written in markup: `<` becomes `&lt;`, and so do `&`, `>` and both quotation marks. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => MARKUP[character] as string);
}

/** One object for most pages: their lines are checked and rendered once. */
const PAGE_HEADERS: HeadersInput = Object.freeze({ "content-type": "text/html; charset=utf-8" });

function withType(headers: HeadersInput | undefined): HeadersInput {
  if (headers === undefined) return PAGE_HEADERS;
  const lines: string[] = [];
  appendLines(lines, headers);
  const pairs: [string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  if (indexOfLine(lines, "content-type") === -1) pairs.push(["content-type", "text/html; charset=utf-8"]);
  return pairs;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === null || value === undefined || typeof value === "boolean") return "";
  if (Array.isArray(value)) return value.map(textOf).join("");
  if (typeof value === "object" && Html.isHtml(value)) return value.toString();
  throw new TypeError(`${Object.prototype.toString.call(value)} cannot be put into markup: make text of it first`);
}
