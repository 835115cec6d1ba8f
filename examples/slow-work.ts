/** The slow page of thread-pool.ts, which runs in its threads. A module with a handler, like any other. */

import { HttpError, Response } from "fairlead";

/** Keeps a processor busy for `?ms=`, 5000 by default. */
export function fetch(request: Request): Response {
  const ms = Number(new URL(request.url).searchParams.get("ms") ?? 5000);
  if (!(ms >= 0 && ms <= 60_000)) throw new HttpError(400, "ms is 0 to 60000");
  const endMs = performance.now() + ms;
  let largest = 2;
  for (let number = 3; performance.now() < endMs; number += 2) if (isPrime(number)) largest = number;
  return new Response(`The largest prime that I found is ${largest}.\n`);
}

function isPrime(number: number): boolean {
  for (let divisor = 3; divisor * divisor <= number; divisor += 2) if (number % divisor === 0) return false;
  return true;
}
