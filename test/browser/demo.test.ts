import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningCommand } from "../cli/run-command.ts";
import { isBrowserMissing, lookOf, SCREENS, WatchedBrowser } from "../support/browser.ts";

/** Whatever number. */
const AN_ID: unknown = expect.any(Number);

describe.skipIf(isBrowserMissing())("the demo in a browser", () => {
  let demo: RunningCommand;
  let browser: WatchedBrowser;
  let url = "";

  beforeAll(async () => {
    demo = new RunningCommand([fileURLToPath(new URL("../../examples/demo.ts", import.meta.url)), "-p", "0"]);
    [url, browser] = await Promise.all([demo.url(), WatchedBrowser.launch()]);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await demo.end("SIGTERM");
  });

  it("loads the page with all that belongs to it, and follows the link", async () => {
    const [page, context] = await browser.open();
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
    const [page, context] = await browser.open();
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
    const [page, context] = await browser.open({ javaScriptEnabled: false });
    await page.goto(url);
    await page.fill("input[name=title]", "Kon-Tiki");
    await page.fill("input[name=author]", "Thor Heyerdahl");
    await page.click("button[type=submit]");
    await page.waitForURL("**/book");
    expect(await page.textContent("body")).toContain('"title":"Kon-Tiki"');
    await context.close();
  });

  it.each(SCREENS)("fits a %s screen in %s colours", async (name, colorScheme, width) => {
    const [page, context] = await browser.open({ colorScheme, viewport: { width, height: 800 } });
    for (const path of ["", "journey.html"]) {
      await page.goto(url + path, { waitUntil: "networkidle" });
      const { scrollWidth, isLight } = await lookOf(page);
      expect(scrollWidth).toBeLessThanOrEqual(width);
      expect(isLight).toBe(colorScheme === "light");
      await browser.picture(page, `${path === "" ? "index" : "journey"}-${name}-${colorScheme}`);
    }
    await context.close();
  });

  it("had nothing to complain about", () => {
    expect(browser.complaints).toEqual([]);
  });
});
