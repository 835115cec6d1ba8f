import { describe, expect, it } from "vitest";
import { mediaTypeOf } from "../../src/static/mime.ts";

describe("mediaTypeOf", () => {
  it.each([
    ["index.html", "text/html; charset=utf-8"],
    ["INDEX.HTML", "text/html; charset=utf-8"],
    ["style.css", "text/css; charset=utf-8"],
    ["app.js", "text/javascript; charset=utf-8"],
    ["app.mjs", "text/javascript; charset=utf-8"],
    ["app.ts", "text/plain; charset=utf-8"],
    ["notes.txt", "text/plain; charset=utf-8"],
    ["README.md", "text/markdown; charset=utf-8"],
    ["data.json", "application/json"],
    ["app.js.map", "application/json"],
    ["site.webmanifest", "application/manifest+json"],
    ["module.wasm", "application/wasm"],
    ["picture.svg", "image/svg+xml"],
    ["picture.png", "image/png"],
    ["photo.avif", "image/avif"],
    ["favicon.ico", "image/x-icon"],
    ["font.woff2", "font/woff2"],
    ["film.mp4", "video/mp4"],
    ["archive.tar.gz", "application/gzip"],
    ["book.pdf", "application/pdf"],
    ["LICENSE", "application/octet-stream"],
    [".html", "application/octet-stream"],
    ["strange.unknown", "application/octet-stream"],
    ["trailing.", "application/octet-stream"],
    ["a.__proto__", "application/octet-stream"],
    ["a.constructor", "application/octet-stream"],
  ])("takes %s for %s", (name, type) => {
    expect(mediaTypeOf(name, {})).toBe(type);
  });

  it("prefers the owner's types, and takes their parameters as they are", () => {
    const own = { gltf: "model/gltf+json", txt: "text/plain; charset=shift_jis", log: "text/x-log" };
    expect(mediaTypeOf("a.gltf", own)).toBe("model/gltf+json");
    expect(mediaTypeOf("a.txt", own)).toBe("text/plain; charset=shift_jis");
    expect(mediaTypeOf("a.LOG", own)).toBe("text/x-log; charset=utf-8");
    expect(mediaTypeOf("a.css", own)).toBe("text/css; charset=utf-8");
  });
});
