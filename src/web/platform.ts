/**
 * The platform's own Response, whatever has taken its global name since, and who may take it.
 *
 * Frameworks write `new Response()` and mean the global one, which costs ten times what ours does. An application that asks for
 * it gets ours under that name; nobody else's global is ever touched. The platform's classes load lazily, so that nothing here
 * may look at them before somebody needs one.
 */

type ResponseClass = typeof globalThis.Response;

let replaced: ResponseClass | null = null;

/** The platform's class. */
export function platformResponse(): ResponseClass {
  return replaced ?? globalThis.Response;
}

/** Puts `ours` in the place of the global Response, for good. Called again, it does nothing. */
export function replaceGlobalResponse(ours: ResponseClass): void {
  if (replaced !== null) return;
  replaced = globalThis.Response;
  // As the platform defines it
  Object.defineProperty(globalThis, "Response", { value: ours, writable: true, enumerable: false, configurable: true });
}
