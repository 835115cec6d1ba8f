/** checkPreconditions(): which version a request is about, for handlers that keep what they serve by themselves. */
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { checkPreconditions, type CurrentVersion, ranged, type PreconditionOptions } from "../../src/replies/index.ts";
import { request } from "../../src/testing/index.ts";
import { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { ManualTime } from "./support/manual-time.ts";

const time = new ManualTime();
const SAVED_MS = time.nowMs() - 3_600_000;
const SAVED = new Date(SAVED_MS).toUTCString();
const LATER = new Date(SAVED_MS + 60_000).toUTCString();
const EARLIER = new Date(SAVED_MS - 60_000).toUTCString();

function check(
  method: string,
  headers: Record<string, string>,
  current: CurrentVersion | null,
  options: PreconditionOptions = {},
): Response | null {
  return checkPreconditions(new Request("http://a.example/note", { method, headers }), current, { time, ...options });
}

const VERSION: CurrentVersion = { etag: '"7"', lastModified: SAVED_MS };
const UNTAGGED: CurrentVersion = { lastModified: new Date(SAVED_MS) };

describe("a request is answered, or not (0), by RFC 9110 §13.2.2", () => {
  it.each<[string, Record<string, string>, CurrentVersion | null, number, string]>([
    ["PUT", {}, VERSION, 0, "no condition"],
    ["PUT", { "if-match": '"7"' }, VERSION, 0, "the version that there is"],
    ["PUT", { "if-match": '"5", "7"' }, VERSION, 0, "one of several"],
    ["PATCH", { "if-match": '"6"' }, VERSION, 412, "another one: an update would be lost"],
    ["DELETE", { "if-match": '"6"' }, VERSION, 412, "another one"],
    ["PUT", { "if-match": "*" }, VERSION, 0, "any that there is"],
    ["PUT", { "if-match": "*" }, null, 412, "any, and there is none"],
    ["PUT", { "if-match": '"7"' }, null, 412, "one, and there is none"],
    ["PUT", { "if-match": 'W/"7"' }, { etag: 'W/"7"' }, 412, "§13.1.1: weak tags are never strongly equal"],
    ["PUT", { "if-none-match": "*" }, null, 0, "create"],
    ["PUT", { "if-none-match": "*" }, VERSION, 412, "create what is there"],
    ["PUT", { "if-none-match": "*" }, {}, 412, "create what is there without a validator"],
    ["PUT", { "if-unmodified-since": SAVED }, UNTAGGED, 0, "a date"],
    ["PUT", { "if-unmodified-since": EARLIER }, UNTAGGED, 412, "an older date"],
    ["PUT", { "if-match": '"7"', "if-unmodified-since": EARLIER }, VERSION, 0, "§13.1.4: the tag goes before"],
    ["GET", { "if-none-match": '"7"' }, VERSION, 304, "the client has it"],
    ["GET", { "if-none-match": 'W/"7"' }, VERSION, 304, "weak comparison"],
    ["GET", { "if-none-match": '"6"' }, VERSION, 0, "the client has another"],
    ["HEAD", { "if-modified-since": LATER }, UNTAGGED, 304, "no newer one"],
    ["GET", { "if-modified-since": EARLIER }, UNTAGGED, 0, "a newer one"],
    ["POST", { "if-modified-since": LATER }, UNTAGGED, 0, "§13.1.3: GET and HEAD alone"],
  ])("%s %j of %j: %i (%s)", (method, headers, current, status) => {
    expect(check(method, headers, current)?.status ?? 0).toBe(status);
  });
});

describe("required", () => {
  it.each<[string, Record<string, string>, CurrentVersion | null, number]>([
    ["PUT", {}, VERSION, 428],
    ["PUT", {}, null, 428],
    ["PATCH", {}, VERSION, 428],
    ["DELETE", {}, VERSION, 428],
    ["POST", {}, VERSION, 428],
    ["GET", {}, VERSION, 0],
    ["HEAD", {}, VERSION, 0],
    ["PUT", { "if-match": '"7"' }, VERSION, 0],
    ["PUT", { "if-match": '"6"' }, VERSION, 412],
    ["PUT", { "if-none-match": "*" }, null, 0],
    ["PUT", { "if-unmodified-since": SAVED }, UNTAGGED, 0],
    // RFC 9110 §13.1.4: these have to be ignored, and so name no version
    ["PUT", { "if-unmodified-since": "yesterday" }, UNTAGGED, 428],
    ["PUT", { "if-unmodified-since": SAVED }, { etag: '"7"' }, 428],
    ["PUT", { "if-modified-since": SAVED }, UNTAGGED, 428],
  ])("%s %j of %j: %i", (method, headers, current, status) => {
    expect(check(method, headers, current, { required: true })?.status ?? 0).toBe(status);
  });

  it("says how to ask again, with the tag that there is, and is kept by nobody", async () => {
    const response = check("PUT", {}, VERSION, { required: true });
    expect(response?.headers.get("cache-control")).toBe("no-store");
    expect(response?.headers.get("etag")).toBe('"7"');
    expect(await response?.text()).toMatch(/^428 Precondition Required[^]*If-Match[^]*If-None-Match: \*/i);
  });
});

describe("an answer", () => {
  it("of 412 has the tag that there is now, as problem details where JSON is wanted", async () => {
    const response = check("PUT", { "if-match": '"6"', "accept": "application/json" }, VERSION);
    expect(response?.headers.get("etag")).toBe('"7"');
    expect(response?.headers.get("vary")).toBe("accept");
    expect(await response?.json()).toMatchObject({ status: 412, title: "Precondition Failed" });
  });

  it("of 412 for what is not there has none", () => {
    expect(check("PUT", { "if-match": '"6"' }, null)?.headers.has("etag")).toBe(false);
  });

  it("of 304 has the fields of RFC 9110 §15.4.5 and no content", async () => {
    const headers = { "cache-control": "no-cache", "content-language": "en", "vary": "accept" };
    const response = check("GET", { "if-none-match": '"7"' }, VERSION, { headers });
    expect([...(response?.headers ?? [])]).toEqual([
      ["cache-control", "no-cache"],
      ["etag", '"7"'],
      ["vary", "accept"],
    ]);
    expect(response?.body).toBeNull();
  });

  it("of 304 has the date where there is no tag", () => {
    expect(check("GET", { "if-modified-since": LATER }, UNTAGGED)?.headers.get("last-modified")).toBe(SAVED);
  });

  it("of ranged() to 412 has the tag too", async () => {
    const response = await request((asked) => ranged(asked, "text", { etag: '"7"' }), "/", {
      headers: { "if-match": '"6"' },
    });
    expect([response.status, response.headers.get("etag")]).toEqual([412, '"7"']);
  });
});

describe("what a handler gives", () => {
  it("may be its own object, with members of its own", () => {
    const note = { text: "hello", etag: '"7"' };
    expect(check("PUT", { "if-match": '"7"' }, note)).toBeNull();
  });

  it("is checked whole", () => {
    expect(() => check("PUT", {}, { etag: "7" }, { requird: true } as PreconditionOptions)).toThrow(
      /checkPreconditions:[^]*etag[^]*quotation marks[^]*requird[^]*required/,
    );
    expect(() => check("PUT", {}, { lastModified: new Date(NaN) })).toThrow(/lastModified/);
  });
});

describe("in an app", () => {
  it("lets one of two who read the same write", async () => {
    let note = { text: "first", version: 1 };
    const current = (): CurrentVersion => ({ etag: `"${note.version}"` });
    const app = new App().put("/note", async (asked) => {
      const text = await asked.text();
      const refusal = checkPreconditions(asked, current());
      if (refusal !== null) return refusal;
      note = { text, version: note.version + 1 };
      return new Response(null, { status: 204, headers: { etag: `"${note.version}"` } });
    });
    const write = (body: string): Promise<globalThis.Response> =>
      request(app, "/note", { method: "PUT", body, headers: { "if-match": '"1"' } });
    const answers = await Promise.all([write("of Ada"), write("of Ben")]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 412]);
    expect(note.version).toBe(2);
  });
});
