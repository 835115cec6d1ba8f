/** What answers to errors must say, and must not, whoever gives them: RFC 9110 §11.6.1, §12.5.3, §12.5.5, §15.5.2, §15.5.6. */
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { readJson } from "../../src/bodies/index.ts";
import { HttpError } from "../../src/http/errors.ts";
import { basicAuth, bearer } from "../../src/middleware/index.ts";
import { request } from "../../src/testing/index.ts";
import { Response } from "../../src/web/response.ts";

const app = new App();
app.get("/gone", () => {
  throw new HttpError(410, "it was here");
});
app.get("/varied", () => {
  throw new HttpError(404, "nothing in this language", { headers: { vary: "accept-language" } });
});
app.get("/any", () => {
  throw new HttpError(404, "nothing for anybody", { headers: { vary: "*" } });
});
app.get("/only", () => new Response("only GET"));
app.post("/json", async (asked) => Response.json(await readJson(asked)));
app.get("/basic", basicAuth({ users: { ada: "secret" }, realm: "here" }), () => new Response("in"));
app.get("/bearer", bearer({ tokens: ["abc"], realm: "here" }), () => new Response("in"));

describe("an error whose form Accept decides", () => {
  it.each([
    ["/missing", 404, "accept"],
    ["/gone", 410, "accept"],
    ["/varied", 404, "accept-language, accept"],
    ["/any", 404, "*"],
  ])("says so to caches: %s", async (path, status, vary) => {
    const text = await request(app, path, { headers: { accept: "text/html" } });
    const problem = await request(app, path, { headers: { accept: "application/json" } });
    expect([text.status, problem.status]).toEqual([status, status]);
    expect(text.headers.get("content-type")).not.toBe(problem.headers.get("content-type"));
    expect([text.headers.get("vary"), problem.headers.get("vary")]).toEqual([vary, vary]);
  });
});

describe("405", () => {
  it("names the methods that there are", async () => {
    const response = await request(app, "/only", { method: "DELETE" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("415", () => {
  it("says nothing of content codings where the media type is what is wrong", async () => {
    const response = await request(app, "/json", {
      method: "POST",
      body: "a=1",
      headers: { "content-type": "text/x" },
    });
    expect([response.status, response.headers.has("accept"), response.headers.has("accept-encoding")]).toEqual([
      415,
      true,
      false,
    ]);
  });

  it("names the content codings where the coding is what is wrong", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "br" };
    const response = await request(app, "/json", { method: "POST", body: "{}", headers });
    expect([response.status, response.headers.get("accept-encoding")]).toEqual([415, "identity"]);
  });
});

describe("401", () => {
  it.each([
    ["/basic", /^Basic realm="here"(?:, [a-z_]+=(?:"[^"]*"|\w+))*$/],
    ["/bearer", /^Bearer realm="here"(?:, [a-z_]+=(?:"[^"]*"|\w+))*$/],
  ])("has a challenge whose realm is quoted and whose parameters stand once: %s", async (path, form) => {
    for (const headers of [{}, { authorization: "Basic YTpi" }, { authorization: "Bearer wrong" }]) {
      const response = await request(app, path, { headers });
      expect(response.status).toBe(401);
      const challenge = response.headers.get("www-authenticate") ?? "";
      expect(challenge).toMatch(form);
      const names = [...challenge.matchAll(/([a-z_]+)=/g)].map(([, name]) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
