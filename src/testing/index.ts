/**
 * `fairlead/testing`: apps asked in tests, without a socket or over a true one. For vitest, node:test and any other runner.
 *
 * Exports only. It must import no test runner: what it gives are promises and plain objects.
 */

export { request } from "./request.ts";
export type { TestApp, TestConnection, TestFault, TestRequestInit, TestResponse } from "./request.ts";
export type { InterimResponse } from "./response-reader.ts";
export { startTestServer } from "./test-server.ts";
export type { TestServer, TestServerOptions } from "./test-server.ts";
