import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningCommand } from "../cli/run-command.ts";

/** Whatever number. */
const AN_ID: unknown = expect.any(Number);

let demo: RunningCommand;
let url = "";

beforeAll(async () => {
  demo = new RunningCommand([fileURLToPath(new URL("../../examples/demo.ts", import.meta.url)), "-p", "0"]);
  url = await demo.url();
});

afterAll(() => demo.end("SIGTERM"));

/** Posts content to the API. */
function post(body: string, type: string, accept = "*/*"): Promise<Response> {
  return fetch(`${url}book`, { method: "POST", headers: { "content-type": type, accept }, body });
}

describe("GET /book", () => {
  it("gives the book as JSON", async () => {
    const response = await fetch(`${url}book`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await response.json()).toEqual({
      title: "Two Years Before the Mast",
      author: "Richard Henry Dana",
      year: 1840,
    });
  });

  it("takes a query for what it is", async () => {
    expect((await fetch(`${url}book?lang=en`)).status).toBe(200);
  });

  it("is answered to HEAD without content", async () => {
    const response = await fetch(`${url}book`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

describe("POST /book", () => {
  it("gives the same back with an id, each its own", async () => {
    const book = { title: "Kon-Tiki", author: "Thor Heyerdahl", tags: ["raft", "📖"] };
    const answers: { id: number }[] = [];
    for (let i = 0; i < 2; i++) {
      const response = await post(JSON.stringify(book), "application/json");
      expect(response.status).toBe(201);
      answers.push((await response.json()) as { id: number });
    }
    expect(answers).toEqual([
      { ...book, id: AN_ID },
      { ...book, id: AN_ID },
    ]);
    expect(answers[0]?.id).not.toBe(answers[1]?.id);
  });

  it("takes a book larger than one read", async () => {
    const book = { text: "x".repeat(500_000) };
    expect(await (await post(JSON.stringify(book), "application/json")).json()).toMatchObject(book);
  });

  it("takes what curl -d sends, and a form of a page without scripts", async () => {
    const type = "application/x-www-form-urlencoded";
    expect(await (await post('{"title":"Emma"}', type)).json()).toMatchObject({ title: "Emma" });
    const form = await post("title=The+Sea%21&author=", type, "text/html,*/*;q=0.8");
    expect([form.status, await form.json()]).toEqual([201, { title: "The Sea!", author: "", id: AN_ID }]);
  });

  it.each([
    ['{"title":}', "line 1, column 10"],
    ['{"title":"x",}', "line 1, column 14"],
    ['{\n  "title": x\n}', "line 2, column 12"],
    ["", "line 1, column 1"],
    ['{"title":"x"} y', "line 1, column 15"],
    ['["open', "line 1, column 7"],
  ])("refuses %j, and says where it is wrong", async (body, place) => {
    const response = await post(body, "application/json");
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain(place);
    expect(text).toContain("ERR_JSON");
  });

  it.each(["3", "null", '"book"', "[]"])("refuses %s, which is no book", async (body) => {
    expect((await post(body, "application/json")).status).toBe(422);
  });
});

describe("other methods of /book", () => {
  it.each(["PUT", "DELETE", "PATCH"])("answers %s with 405 and what is allowed", async (method) => {
    const response = await fetch(`${url}book`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, POST, OPTIONS"]);
  });

  it("tells OPTIONS the same", async () => {
    const response = await fetch(`${url}book`, { method: "OPTIONS" });
    expect([response.status, response.headers.get("allow")]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
  });
});

describe("everything else", () => {
  it.each([
    ["", "text/html; charset=utf-8"],
    ["journey.html", "text/html; charset=utf-8"],
    ["style.css", "text/css; charset=utf-8"],
    ["book.js", "text/javascript; charset=utf-8"],
    ["images/flags.png", "image/png"],
    ["images/quay.svg", "image/svg+xml"],
  ])("is a file: /%s", async (path, type) => {
    const response = await fetch(url + path);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
  });

  it("is 404 where there is none", async () => {
    expect((await fetch(`${url}books`)).status).toBe(404);
    expect((await fetch(`${url}book/1`)).status).toBe(404);
  });

  it("refers only to what is there, and to nothing outside", async () => {
    for (const page of ["index.html", "journey.html"]) {
      const text = await (await fetch(url + page)).text();
      for (const [, reference = ""] of text.matchAll(/(?:href|src|action)="([^"#]+)/g)) {
        const target = new URL(reference, url);
        expect(target.origin).toBe(new URL(url).origin);
        expect([reference, (await fetch(target)).status]).toEqual([reference, reference === "/nowhere" ? 404 : 200]);
      }
    }
  });
});
