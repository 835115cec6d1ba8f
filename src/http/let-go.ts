/**
 * Content that is pulled, let go before its end.
 *
 * An async generator that waits for something hears of `return()` only when it goes on, and so does the iterator of a Node
 * stream, which is one; but such a stream can be destroyed meanwhile, and its connection or file with it. This file must never
 * read from a source.
 */

/** Ends a Node stream at once, which its iterator would do when the stream goes on. Nothing for any other source. */
export function letGo(source: object): void {
  const { destroy, pipe } = source as { readonly destroy?: unknown; readonly pipe?: unknown };
  if (typeof destroy === "function" && typeof pipe === "function") Reflect.apply(destroy, source, []);
}
