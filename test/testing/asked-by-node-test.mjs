/** What test/testing/node-test.test.ts has node:test run: the room in another runner than vitest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createJiti } from "jiti";

const jiti = createJiti(import.meta.url);
const { request, startTestServer } = await jiti.import("../../src/testing/index.ts");
const { Response } = await jiti.import("../../src/web/response.ts");

const app = { fetch: async (asked) => Response.json({ text: await asked.text() }) };

void test("asks without a socket", async () => {
  const response = await request(app, "/", { method: "POST", body: "hello" });
  assert.deepEqual(await response.json(), { text: "hello" });
  assert.deepEqual(response.faults, []);
});

void test("asks over a socket", async () => {
  const server = await startTestServer(app);
  try {
    const response = await server.fetch("/", { method: "POST", body: "hello" });
    assert.deepEqual(await response.json(), { text: "hello" });
  } finally {
    await server.close();
  }
});
