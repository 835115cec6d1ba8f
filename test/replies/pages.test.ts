/** Markup, downloads and early hints. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  download,
  earlyHints,
  escapeHtml,
  type HintLink,
  html,
  type HtmlValue,
  linkField,
  trustedHtml,
} from "../../src/replies/index.ts";
import { request } from "../../src/testing/index.ts";
import { Response } from "../../src/web/response.ts";

describe("html", () => {
  it.each<[string, HtmlValue, string]>([
    ["markup", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["quotation marks", `"'&`, "&quot;&#39;&amp;"],
    ["numbers", 5, "5"],
    ["nothing", null, ""],
    ["conditions", false, ""],
    ["lists", ["<a>", html`<b>${"<c>"}</b>`, [1, 2n]], "&lt;a&gt;<b>&lt;c&gt;</b>12"],
    ["trusted markup", trustedHtml("<hr>"), "<hr>"],
  ])("puts %s in", (_, value, expected) => {
    expect(html`<p title="${value}"></p>`.toString()).toBe(`<p title="${expected}"></p>`);
  });

  it.each<[string, unknown]>([
    ["an object", {}],
    ["what looks like markup", JSON.parse('{"text":"<b>"}')],
    ["a function", () => "<b>"],
    ["a symbol", Symbol("x")],
  ])("throws for %s", (_, value) => {
    expect(() => html`${value as HtmlValue}`).toThrow("cannot be put into markup");
  });

  it("leaves no character of markup in a value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!\w+;|#39;)/);
      }),
    );
  });

  it("makes a page, with other fields and status", async () => {
    const page = html`<p>${"ö"}</p>`.toResponse({ status: 404, headers: { "x-a": "1" } });
    expect([page.status, page.headers.get("content-type"), page.headers.get("x-a")]).toEqual([
      404,
      "text/html; charset=utf-8",
      "1",
    ]);
    expect(await page.text()).toBe("<p>ö</p>");
    expect(html`x`.toResponse({ headers: { "content-type": "image/svg+xml" } }).headers.get("content-type")).toBe(
      "image/svg+xml",
    );
    expect(html`x`.toResponse().headers.get("content-type")).toBe("text/html; charset=utf-8");
  });
});

describe("download", () => {
  it("is saved under its name and run by nobody", async () => {
    const response = download("a,b\n", "résumé.csv", { type: "text/csv", headers: { "cache-control": "no-store" } });
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "no-store",
      "content-disposition": "attachment; filename=\"r_sum_.csv\"; filename*=UTF-8''r%C3%A9sum%C3%A9.csv",
      "content-type": "text/csv",
      "x-content-type-options": "nosniff",
    });
    expect(await response.text()).toBe("a,b\n");
  });

  it("has the type of a Blob, or none that could run", () => {
    expect(download(new Blob([""], { type: "image/png" }), "a.png").headers.get("content-type")).toBe("image/png");
    expect(download("<script>", "a.html").headers.get("content-type")).toBe("application/octet-stream");
    expect(download("x", "a.png", { inline: true }).headers.get("content-disposition")).toBe(
      'inline; filename="a.png"',
    );
  });

  it.each<[string, string, object]>([
    ["CR LF in the name", "a\r\nb", {}],
    ["no name", "", {}],
    ["CR LF in the type", "a", { type: "text/plain\r\nx: y" }],
    ["CR LF in a field", "a", { headers: { "x-a": "a\r\nx-b: c" } }],
    ["an unknown option", "a", { contentType: "text/csv" }],
  ])("throws for %s", (_, name, options) => {
    expect(() => download("x", name, options)).toThrow(TypeError);
  });
});

describe("earlyHints", () => {
  it("sends 103 before the response and gives the value of Link", async () => {
    const response = await request((_, context) => {
      const link = earlyHints(context, [
        { href: "/app.css", as: "style" },
        { href: "/f.woff2", as: "font", type: "font/woff2", crossorigin: "anonymous" },
        { href: "https://cdn.example", rel: "preconnect" },
      ]);
      return new Response("ok", { headers: { link } });
    }, "/");
    const link =
      '</app.css>; rel=preload; as=style, </f.woff2>; rel=preload; as=font; type="font/woff2"; crossorigin=anonymous, <https://cdn.example>; rel=preconnect';
    expect(response.informational.map(({ status, headers }) => [status, headers.get("link")])).toEqual([[103, link]]);
    expect([response.headers.get("link"), response.faults]).toEqual([link, []]);
  });

  it("encodes what a field cannot carry, and quotes what is no token", () => {
    const link = { href: "/ö.png", as: "image", media: '(min-width: 9px) "x"' };
    expect(linkField([link])).toBe(String.raw`</%C3%B6.png>; rel=preload; as=image; media="(min-width: 9px) \"x\""`);
  });

  it.each<[string, HintLink[], string]>([
    ["no links", [], "no link"],
    ["CR LF", [{ href: "/a\r\nx: y", as: "style" }], "links[0].href"],
    ["an end of the reference", [{ href: "/a>; rel=x", as: "style" }], "href"],
    ["CR LF in a parameter", [{ href: "/a", as: "style", media: "x\r\ny" }], "media"],
    ["a preload of anything", [{ href: "/a" }], "a preload needs"],
    ["no reference", [{ as: "style" } as HintLink], "href"],
    [
      "an unknown member",
      [{ href: "/a", as: "style", crossOrigin: "anonymous" } as HintLink],
      "did you mean crossorigin",
    ],
    ["two mistakes", [{ href: "", as: "a b" }], 'links[0].as: "a b" was given'],
  ])("throws for %s", (_, links, message) => {
    expect(() => linkField(links)).toThrow(message);
  });
});
