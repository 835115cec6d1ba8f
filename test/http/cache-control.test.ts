import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cacheControlFor, isHashedName, parseCacheSetting } from "../../src/http/cache-control.ts";

const SEED = { seed: 9111, numRuns: 1000 };

describe("parseCacheSetting", () => {
  it.each([
    ["auto", "auto"],
    ["AUTO", "auto"],
    [" off ", "off"],
    ["0", 0],
    ["0s", 0],
    ["0d", 0],
    ["600", 600],
    ["30s", 30],
    ["30 sec", 30],
    ["10m", 600],
    ["10 m", 600],
    ["10min", 600],
    ["10 minutes", 600],
    ["1h", 3600],
    ["1 hour", 3600],
    ["2 hours", 7200],
    ["1d", 86_400],
    ["1 Day", 86_400],
    ["2w", 1_209_600],
    ["1y", 31_536_000],
    ["1Y", 31_536_000],
    ["10 years", 315_360_000],
    ["0010", 10],
    // RFC 9111 §1.2.2: 2^31 stands for infinity
    ["100y", 2_147_483_648],
    ["99999999999999999999", 2_147_483_648],
    ["9".repeat(400), 2_147_483_648],
  ])("reads %j", (words, setting) => {
    expect(parseCacheSetting(words)).toBe(setting);
  });

  it.each([
    "",
    " ",
    "-1",
    "+1",
    "1.5h",
    "m",
    "ten",
    "10x",
    "10ms",
    "10  m",
    "1h30m",
    "1e3",
    "0x10",
    "on",
    "no",
    "none",
    "forever",
    "10 mo",
    "ss",
    "5ss",
    "10 mins ago",
    "max-age=10",
    "10\nm",
  ])("does not guess at %j", (words) => {
    expect(parseCacheSetting(words)).toBeNull();
  });

  it("yields only what makes a valid max-age", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d+ ?[a-z]{0,7}$/)), (words) => {
        const setting = parseCacheSetting(words);
        if (typeof setting === "number") {
          expect(cacheControlFor(setting, "a.txt")).toMatch(/^(?:no-cache|max-age=[1-9]\d{0,9})$/);
        } else {
          expect([null, "auto", "off"]).toContain(setting);
        }
      }),
      SEED,
    );
  });
});

describe("cacheControlFor", () => {
  it.each([
    ["auto", "index.html", "no-cache"],
    ["auto", "logo.svg", "no-cache"],
    ["auto", "main.3f2a9c1b.js", "max-age=31536000, immutable"],
    ["auto", "index.3f2a9c1b.html", "no-cache"],
    ["off", "main.3f2a9c1b.js", "no-store"],
    ["off", "index.html", "no-store"],
    [0, "main.3f2a9c1b.js", "no-cache"],
    [0, "index.html", "no-cache"],
    [600, "index.html", "max-age=600"],
    [600, "main.3f2a9c1b.js", "max-age=600"],
    [2_147_483_648, "a.css", "max-age=2147483648"],
  ] as const)("%s, %s: %s", (setting, fileName, value) => {
    expect(cacheControlFor(setting, fileName)).toBe(value);
  });
});

describe("isHashedName", () => {
  it.each([
    // webpack, Create React App
    "main.3f2a9c1b.js",
    "main.073c9b0a.chunk.js",
    "runtime-main.a1b2c3d4.js",
    "2.8e0d62a03f9b4a7c1d2e.chunk.js",
    "main.3f2a9c1b.js.map",
    "main.8c8b27cf.css.map",
    "logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
    // Next.js
    "webpack-3e1c5a8f9b2d4c6e.js",
    "framework-64ad27b21261a9ce.js",
    "c9a5bc6a7c948fb0-s.p.a1b2c3d4.woff2",
    // Vite, Rollup
    "index-BfX2kq9a.js",
    "index-DkTtYaYt.css",
    "vendor-Bf_2kQ9a.js",
    "logo-Bx7-q2Zk.png",
    "inter-latin-400-normal-C38fXH4l.woff2",
    // Astro, SvelteKit
    "start.BdJ3kd_2.js",
    "_page_.DkT3YaYt.css",
    // esbuild, Angular, Bun
    "chunk-5QXZ7K3L.js",
    "polyfills-B6TNHZQ6.js",
    "index-kx5f3n2z.js",
    "index-qwE3rTYU.js",
    // Parcel, Rails, Django, Hugo, Gatsby
    "index.1a2b3c4d.js",
    "application-3bdfdb04f8b2d5cfd50b4a5a2b7f0c3f5b2d9f6a1d8e4c7b0a9f8e7d6c5b4a39.css",
    "base.27e20196a850.js",
    "main.min.0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9.css",
    "app-5b1f20e42b48a4db2c6b.js",
    "app.3f2a9c1b.min.js",
    "app.3f2a9c1b.module.css",
    "icons-3F2A9C1B.woff2",
    // Nothing but a hash
    "d41d8cd98f00b204e9800998ecf8427e.png",
  ])("sees the hash in %s", (name) => {
    expect(isHashedName(name)).toBe(true);
  });

  it.each([
    // No hash
    "",
    ".js",
    "index.js",
    "app.min.js",
    "main.css",
    "logo.svg",
    "jquery-3.7.1.min.js",
    "bootstrap.bundle.min.js",
    "sw.js",
    "service-worker.js",
    "favicon.ico",
    "apple-touch-icon-180x180.png",
    "icon-32x32@2x.png",
    "sprite-64x64x2x.png",
    "manifest.json",
    "map",
    ".map",
    "x.map",
    // Words and versions of eight characters
    "photo-Lecture1.png",
    "photo-IPhone15.jpg",
    "hero-McDonald.webp",
    "my-AboutPage.js",
    "get-elements.js",
    "vue-template.js",
    "x-my-A1-b2.js",
    "x-VERSION2.js",
    "slide-2ndDraft.png",
    "user_settings.js",
    "jquery-validate.js",
    "a-b-c-d-e-f.js",
    // Words of hexadecimal letters
    "beef-deadbeef.png",
    "x.facadeface.js",
    "a-acceded-defaced.png",
    // Dates, editions, serial numbers
    "photo-20240115.jpg",
    "photo-20240115101500.jpg",
    "scan_20240115a.png",
    "chart-2024Q1v2.png",
    "IMG_12345678.jpg",
    "1700000000000.png",
    "invoice-00012345.png",
    // Too short, too long or not at the end
    "app.3f2a9c1.js",
    "3f2a9c1b-app.js",
    "3f2a9c1b.js",
    "main-3f2a9c1b-old.js",
    `x.${"a1".repeat(65)}.js`,
    // Names of things
    "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.jpg",
    "avatar-9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d.png",
    // What people type, documents, archives, recordings
    "index.3f2a9c1b.html",
    "about-BfX2kq9a.htm",
    "report-3f2a9c1b.pdf",
    "backup-3f2a9c1b.zip",
    "film-X265HEVC.mp4",
    "router-001a2b3c4d5e.cfg",
    "data.3f2a9c1b.json",
    "feed.3f2a9c1b.xml",
    "main.3f2a9c1b.js.LICENSE.txt",
    "main-3f2a9c1b",
  ])("sees none in %j", (name) => {
    expect(isHashedName(name)).toBe(false);
  });

  it("sees most hashes that bundlers draw, and never throws", () => {
    let seen = 0;
    const hash = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(hash, (text) => {
        if (isHashedName(`main.${text}.js`)) seen++;
      }),
      SEED,
    );
    // Of eight hex digits 2.4 % have no letter, 0.04 % no digit, 0.008 % begin like a year
    expect(seen / SEED.numRuns).toBeGreaterThan(0.9);
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(typeof isHashedName(text)).toBe("boolean");
        expect(isHashedName(`${text}.html`)).toBe(false);
      }),
      SEED,
    );
  });
});
