/**
 * The request as the server understood it: method, target, version, headers, content.
 *
 *   npx fairlead examples/print-request.ts
 *   curl -d 'ahoy' 'http://127.0.0.1:8080/harbour?flag=H'
 *
 * `request` is that of the fetch standard; what the standard has no place for, such as the version, is in the context.
 */

import { Response } from "fairlead";
import type { Context } from "fairlead";

/** Answers with what was asked. */
export async function fetch(request: Request, context: Context): Promise<Response> {
  const { target, version } = context.exchange.request;
  const { pathname, searchParams } = new URL(request.url);
  // Read whole, up to limits.maxBufferedBytes (1 MiB); more is answered 413. It waits for as many reads as it takes
  const content = await request.text();
  const lines = [
    `method:  ${request.method}`,
    `target:  ${target}`,
    `path:    ${pathname}`,
    ...[...searchParams].map(([name, value]) => `query:   ${name} = ${value}`),
    `version: HTTP/${version}`,
    ...[...request.headers].map(([name, value]) => `header:  ${name}: ${value}`),
    `content: ${content}`,
  ];
  // Plain text, and browsers must not guess that it is something else: it holds what a stranger sent
  return new Response(`${lines.join("\n")}\n`, { headers: { "x-content-type-options": "nosniff" } });
}
