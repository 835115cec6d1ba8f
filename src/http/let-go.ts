/**
 * Content that is pulled, let go before its end.
 *
 * An async generator that waits for something hears of `return()` only when it goes on, and so does the iterator of a Node
 * stream, which is one; but such a stream can be destroyed meanwhile, and its connection or file with it. This file must never
 * read from a source.
 */

/**
 * Ends a Node stream at once, which its iterator would do when the stream goes on. Nothing for any other source. Never throws: a
 * stream that cannot even be let go has nobody left to tell.
 */
export function letGo(source: object): void {
  const { destroy, pipe } = source as { readonly destroy?: unknown; readonly pipe?: unknown };
  if (typeof destroy !== "function" || typeof pipe !== "function") return;
  try {
    const result: unknown = Reflect.apply(destroy, source, []);
    // An async method, of a stream that is not quite Node's: unheard, its failure would end the process
    if (result instanceof Promise) result.catch(ignore);
  } catch {
    // its iterator may do it yet
  }
}

function ignore(): void {}
