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
    ["app.cjs", "text/javascript; charset=utf-8"],
    ["live.m3u8", "application/vnd.apple.mpegurl"],
    ["a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ["a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ["a.pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
    ["a.doc", "application/msword"],
    ["a.xls", "application/vnd.ms-excel"],
    ["a.ppt", "application/vnd.ms-powerpoint"],
    ["a.odt", "application/vnd.oasis.opendocument.text"],
    ["a.ods", "application/vnd.oasis.opendocument.spreadsheet"],
    ["a.odp", "application/vnd.oasis.opendocument.presentation"],
    ["a.odg", "application/vnd.oasis.opendocument.graphics"],
    ["a.7z", "application/x-7z-compressed"],
    ["a.rar", "application/vnd.rar"],
    ["a.tar", "application/x-tar"],
    ["a.rpm", "application/x-redhat-package-manager"],
    ["a.deb", "application/vnd.debian.binary-package"],
    ["a.iso", "application/octet-stream"],
    ["a.dmg", "application/octet-stream"],
    ["a.jar", "application/java-archive"],
    ["a.avi", "video/x-msvideo"],
    ["a.flv", "video/x-flv"],
    ["a.wmv", "video/x-ms-wmv"],
    ["a.m4v", "video/x-m4v"],
    ["a.mkv", "video/matroska"],
    ["a.3gp", "video/3gpp"],
    ["a.mid", "audio/midi"],
    ["a.flac", "audio/flac"],
    ["a.eot", "application/vnd.ms-fontobject"],
    ["a.kml", "application/vnd.google-earth.kml+xml"],
    ["a.kmz", "application/vnd.google-earth.kmz"],
    ["a.crt", "application/x-x509-ca-cert"],
    ["a.pem", "application/x-x509-ca-cert"],
    ["a.der", "application/x-x509-ca-cert"],
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
