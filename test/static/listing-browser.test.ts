/** The listing as a person meets it. `SCREENSHOTS=folder` keeps the pictures, to be looked at after a change. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { renderRefusal } from "../../src/static/error-page.ts";
import { Root } from "../../src/static/contain.ts";
import { listFolder } from "../../src/static/listing.ts";
import { resolveTarget } from "../../src/static/resolve.ts";
import { Response } from "../../src/web/response.ts";
import { isBrowserMissing, lookOf, SCREENS, WatchedBrowser } from "../support/browser.ts";

const FILES: ReadonlyArray<readonly [name: string, sizeBytes: number, mtimeSeconds: number]> = [
  ["chapter 2.txt", 24_690, 1_700_000_000],
  ["chapter 10.txt", 123_450, 1_690_000_000],
  ["voyage.mp4", 3_400_000, 1_600_000_000],
  ["photo.jpg", 250_000, 1_500_000_000],
  ["sound.flac", 999_600, 1_400_000_000],
  ["README.md", 12, 1_710_000_000],
  ["index.ts", 300, 1_720_000_000],
  ["archive.tar.gz", 77, 1_300_000_000],
  ["<img src=x onerror=complain(1)>", 1, 1_000_000_000],
  [`${"long ".repeat(40)}.txt`, 1, 1_000_000_001],
  ["unbroken".repeat(30), 1, 1_000_000_002],
];

describe.skipIf(isBrowserMissing())("a listing in a browser", () => {
  let root = "";
  let server: Server;
  let browser: WatchedBrowser;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "fairlead-listing-"));
    mkdirSync(join(root, "photos of the sea", "2024 ☃"), { recursive: true });
    mkdirSync(join(root, "docs"));
    mkdirSync(join(root, "many"));
    for (let i = 0; i < 1050; i++) writeFileSync(join(root, "many", `file ${i}.txt`), "");
    for (const [name, sizeBytes, mtimeSeconds] of FILES) {
      writeFileSync(join(root, name), new Uint8Array(sizeBytes));
      utimesSync(join(root, name), mtimeSeconds, mtimeSeconds);
    }
    server = await serve({ port: 0, fetch: answer });
    browser = await WatchedBrowser.launch();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function answer(request: Request) {
    const { method, headers, url } = request;
    const { pathname, search } = new URL(url);
    const accept = headers.get("accept");
    const target = resolveTarget(method, pathname + search, false);
    const filter = { dotFiles: false, hiddenNames: new Set<string>() };
    const asked = { method, names: target?.names ?? [], search, accept };
    const folder = { path: join(root, ...asked.names), identity: null, root: new Root(root) };
    const found = target === null ? null : await listFolder([folder], asked, filter, 0);
    const missing = { status: 404, title: "Not Found", detail: "there is nothing here" };
    if (found !== null) return found;
    const { text, lines } = renderRefusal(missing, accept);
    const pairs = lines.flatMap((name, index) => (index % 2 === 0 ? [[name, lines[index + 1] as string]] : []));
    return new Response(text, { status: 404, headers: pairs });
  }

  async function open(path: string, options?: BrowserContextOptions): Promise<[Page, BrowserContext]> {
    const [page, context] = await browser.open(options);
    await page.goto(new URL(path, server.url).href);
    return [page, context];
  }

  /** Names in the order in which they stand. */
  function namesOn(page: Page): Promise<string[]> {
    return page.$$eval("tbody:not(.up) tr td:first-child", (cells) =>
      (cells as unknown as { textContent: string }[]).map((cell) => cell.textContent),
    );
  }

  it("leads down and up again", async () => {
    const [page, context] = await open("/");
    await page.click("text=photos of the sea");
    await page.click("text=2024 ☃");
    expect(decodeURIComponent(page.url())).toContain("/photos of the sea/2024 ☃/");
    expect(await page.textContent("h1")).toBe("2024 ☃");
    await page.click("text=Parent folder");
    expect(await page.textContent("h1")).toBe("photos of the sea");
    await page.click("[aria-label=Home]");
    expect(new URL(page.url()).pathname).toBe("/");
    await context.close();
  });

  it("sorts at a click, without a request, and can be loaded anew", async () => {
    const [page, context] = await open("/");
    let requests = 0;
    page.on("request", () => requests++);
    await page.click("text=Size");
    const bySize = await namesOn(page);
    expect(bySize.slice(0, 4)).toEqual(["docs", "many", "photos of the sea", "voyage.mp4"]);
    expect(await page.getAttribute("th:nth-child(2)", "aria-sort")).toBe("descending");
    expect(requests).toBe(0);
    expect(page.url()).toMatch(/\?sort=size&order=desc$/);
    await page.reload();
    expect(await namesOn(page)).toEqual(bySize);
    for (const [column, href] of [
      ["Size", "?sort=size&order=asc"],
      ["Modified", "?sort=time&order=desc"],
      ["Modified", "?sort=time&order=asc"],
      ["Name", "?sort=name&order=asc"],
      ["Name", "?sort=name&order=desc"],
    ] as const) {
      await page.click(`th >> text=${column}`);
      expect(page.url().endsWith(href)).toBe(true);
      const here = await namesOn(page);
      await page.reload();
      expect(await namesOn(page)).toEqual(here);
    }
    await context.close();
  });

  it("searches as one types, and says how much was found", async () => {
    const [page, context] = await open("/many/");
    await page.keyboard.press("/");
    await page.keyboard.type("FILE 104");
    await expect.poll(() => page.textContent("output")).toBe("11 of 1050");
    expect(await namesOn(page)).toHaveLength(11);
    await page.keyboard.type("nonsense");
    await expect.poll(() => page.isVisible(".none")).toBe(true);
    await page.keyboard.press("Escape");
    expect(await namesOn(page)).toHaveLength(1050);
    expect(await page.isVisible(".none")).toBe(false);
    await context.close();
  });

  it("can be used with the keyboard alone", async () => {
    const [page, context] = await open("/");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/docs/");
    await page.goBack();
    await page.keyboard.press("/");
    await page.keyboard.type("sea");
    await expect.poll(() => page.textContent("output")).toBe("1 of 14");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/photos%20of%20the%20sea/");
    await context.close();
  });

  it("shows times of the person's own zone, where there are scripts", async () => {
    const [page, context] = await open("/", { timezoneId: "Asia/Kathmandu" });
    expect(await page.textContent("tr:has-text('photo.jpg') time")).toBe("2017-07-14 08:25");
    expect(await page.textContent("th:last-child")).toBe("Modified");
    await context.close();
  });

  it("does without scripts", async () => {
    const [page, context] = await open("/", { javaScriptEnabled: false });
    expect(await page.isVisible("form")).toBe(false);
    expect(await page.textContent("tr:has-text('photo.jpg') time")).toBe("2017-07-14 02:40");
    expect(await page.textContent("th:last-child")).toBe("Modified (UTC)");
    await page.click("text=Size");
    expect((await namesOn(page))[3]).toBe("voyage.mp4");
    await page.click("text=Size");
    expect((await namesOn(page)).at(-1)).toBe("voyage.mp4");
    await context.close();
  });

  it.each(SCREENS)("fits a %s screen in %s colours", async (name, colorScheme, width) => {
    for (const [title, path] of [
      ["root", "/"],
      ["deep", "/photos%20of%20the%20sea/2024%20%E2%98%83/"],
      ["missing", "/missing"],
    ] as const) {
      const [page, context] = await open(path, { colorScheme, viewport: { width, height: 800 } });
      const { scrollWidth, isLight } = await lookOf(page);
      expect(scrollWidth).toBeLessThanOrEqual(width);
      expect(isLight).toBe(colorScheme === "light");
      await browser.picture(page, `listing-${title}-${name}-${colorScheme}`);
      await context.close();
    }
  });

  it("had nothing to complain about", () => {
    // The missing page is one, and Chromium says so
    expect(browser.complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
  });
});
