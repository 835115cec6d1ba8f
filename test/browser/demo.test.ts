import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningCommand } from "../cli/run-command.ts";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** Where to look at the pages; `SCREENSHOTS=folder` keeps them. */
const PICTURES = process.env["SCREENSHOTS"] ?? "";

/** Whatever number. */
const AN_ID: unknown = expect.any(Number);

const isMissing = !existsSync(CHROMIUM);
if (isMissing) process.stderr.write(`skipped: no Chromium at ${CHROMIUM}; CHROMIUM=path names another place\n`);

describe.skipIf(isMissing)("the demo in a browser", () => {
  let demo: RunningCommand;
  let browser: Browser;
  let url = "";
  let folder = "";
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = PICTURES === "" ? mkdtempSync(join(tmpdir(), "fairlead-pages-")) : PICTURES;
    mkdirSync(folder, { recursive: true });
    demo = new RunningCommand([fileURLToPath(new URL("../../examples/demo.ts", import.meta.url)), "-p", "0"]);
    [url, browser] = await Promise.all([demo.url(), chromium.launch({ executablePath: CHROMIUM, args: ARGS })]);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await demo.end("SIGTERM");
    if (PICTURES === "") rmSync(folder, { recursive: true, force: true });
  });

  /** A page of its own browser profile, whose console is listened to. */
  async function open(options: Parameters<Browser["newContext"]>[0] = {}): Promise<[Page, BrowserContext]> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
    return [page, context];
  }

  it("loads the page with all that belongs to it, and follows the link", async () => {
    const [page, context] = await open();
    const answer = await page.goto(url, { waitUntil: "networkidle" });
    expect(answer?.status()).toBe(200);
    expect(await page.title()).toBe("Fairlead: the harbour library");
    await expect.poll(() => page.textContent("[data-field=title]")).toBe("Two Years Before the Mast");
    const widths = await page.$$eval("img", (images) =>
      images.map((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
    );
    expect(widths.length).toBeGreaterThan(2);
    expect(widths.every((width) => width > 0)).toBe(true);
    await page.click("text=Follow one request");
    await page.waitForURL("**/journey.html");
    expect(await page.textContent("h1")).toBe("The journey of a request");
    await page.click("text=Send a request of your own");
    await page.waitForURL("**/#add");
    await context.close();
  });

  it("sends the form as JSON and shows the answer", async () => {
    const [page, context] = await open();
    await page.goto(url);
    await page.fill("input[name=title]", "Kon-Tiki");
    await page.fill("input[name=author]", "Thor Heyerdahl");
    await page.fill("input[name=year]", "1948");
    await page.click("button[type=submit]");
    await page.waitForSelector("#answer:not([hidden])");
    const shown = (await page.textContent("#answer")) ?? "";
    expect(shown).toMatch(/^201 Created\n\n/);
    expect(JSON.parse(shown.slice(shown.indexOf("{")))).toEqual({
      title: "Kon-Tiki",
      author: "Thor Heyerdahl",
      year: 1948,
      id: AN_ID,
    });
    expect(await page.inputValue("input[name=title]")).toBe("");
    await context.close();
  });

  it("does without scripts", async () => {
    const [page, context] = await open({ javaScriptEnabled: false });
    await page.goto(url);
    await page.fill("input[name=title]", "Kon-Tiki");
    await page.fill("input[name=author]", "Thor Heyerdahl");
    await page.click("button[type=submit]");
    await page.waitForURL("**/book");
    expect(await page.textContent("body")).toContain('"title":"Kon-Tiki"');
    await context.close();
  });

  it.each([
    ["narrow", "light", 360],
    ["narrow", "dark", 360],
    ["wide", "light", 1280],
    ["wide", "dark", 1280],
  ] as const)("fits a %s screen in %s colours", async (name, colorScheme, width) => {
    const [page, context] = await open({ colorScheme, viewport: { width, height: 800 } });
    for (const path of ["", "journey.html"]) {
      await page.goto(url + path, { waitUntil: "networkidle" });
      const [scrollWidth, background] = await page.$eval("html", (html) => {
        const { document, getComputedStyle } = globalThis as unknown as {
          document: { body: object };
          getComputedStyle(element: object): { backgroundColor: string };
        };
        return [
          (html as unknown as { scrollWidth: number }).scrollWidth,
          getComputedStyle(document.body).backgroundColor,
        ];
      });
      expect(scrollWidth).toBeLessThanOrEqual(width);
      const light = Number(/\d+/.exec(background)?.[0]) > 128;
      expect(light).toBe(colorScheme === "light");
      await page.screenshot({
        path: join(folder, `${path === "" ? "index" : "journey"}-${name}-${colorScheme}.png`),
        fullPage: true,
      });
    }
    await context.close();
  });

  it("had nothing to complain about", () => {
    expect(complaints).toEqual([]);
  });
});
