/**
 * The platform's own Request and Response, whatever has taken their global names since, and who may take them.
 *
 * Frameworks write `new Response()` and mean the global one, which costs ten times what ours does; and from Node 24 on the
 * platform's Request does not take one of ours. An application that asks for it gets ours under those names; nobody else's
 * globals are ever touched. The platform's classes load lazily, so that nothing here may look at them before somebody needs one.
 */

type RequestClass = typeof globalThis.Request;
type ResponseClass = typeof globalThis.Response;

let request: RequestClass | null = null;
let response: ResponseClass | null = null;

/** The platform's class. */
export function platformRequest(): RequestClass {
  return request ?? globalThis.Request;
}

/** The platform's class. */
export function platformResponse(): ResponseClass {
  return response ?? globalThis.Response;
}

/** Puts ours in the place of the globals, for good. Called again, it does nothing. */
export function replaceGlobals(ourRequest: RequestClass, ourResponse: ResponseClass): void {
  if (request !== null) return;
  request = globalThis.Request;
  response = globalThis.Response;
  replace("Request", ourRequest);
  replace("Response", ourResponse);
}

/** As the platform defines it. */
function replace(name: string, value: RequestClass | ResponseClass): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
