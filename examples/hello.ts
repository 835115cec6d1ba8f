/**
 * Hello, World: a function from a request to a response.
 *
 *   npx fairlead examples/hello.ts
 */

import { Response } from "fairlead";

/** Answers every request, whatever its method and path. */
export function fetch(): Response {
  return new Response("Hello, World!\n");
}
