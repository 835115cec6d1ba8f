/**
 * `native()`: from our objects to the platform's own, for code that needs more than the interface.
 *
 * Each class makes its platform object and shares its state with it; here is only the choice between them. This file must
 * never make a second object for one of ours.
 */

import { platformRequestOf } from "./request.ts";
import { platformResponseOf } from "./response.ts";

/**
 * The platform's own object behind a request or response: what `fetch`, `new globalThis.Request()` and other code that
 * looks behind the interface needs. `fetch(native(request))` sends a request on; on Node 20 and 22 the platform takes ours
 * as they are too, later versions reject them with a TypeError about a private member.
 *
 * It is made once. Headers, content, `bodyUsed` and the abort signal stay the same on both: what is read or changed here is
 * read or changed there. What is the platform's already is given back as it is.
 */
export function native(message: globalThis.Request): globalThis.Request;
export function native(message: globalThis.Response): globalThis.Response;
export function native(message: globalThis.Request | globalThis.Response): globalThis.Request | globalThis.Response {
  return platformRequestOf(message) ?? platformResponseOf(message) ?? message;
}
