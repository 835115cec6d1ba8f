/**
 * Debian's Chromium for the tests that look at pages: found or skipped aloud, started alike everywhere, and listened to.
 *
 * `CHROMIUM=path` names another one, `SCREENSHOTS=folder` keeps the pictures to be looked at after a change. A test that uses
 * it must close it.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const PICTURES = process.env["SCREENSHOTS"] ?? "";
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

/** Sizes and colours that every page of ours is to be looked at in: name, colours, CSS pixels. */
export const SCREENS = [
  ["narrow", "light", 320],
  ["narrow", "dark", 360],
  ["wide", "light", 1280],
  ["wide", "dark", 1280],
] as const;

/** Whether there is none; for `describe.skipIf`. Says so, once per test file. */
export function isBrowserMissing(): boolean {
  const isMissing = !existsSync(CHROMIUM);
  if (isMissing) process.stderr.write(`SKIPPED: no Chromium at ${CHROMIUM}; CHROMIUM=path names another place\n`);
  return isMissing;
}

/** What a page looks like as numbers. */
export interface PageLook {
  /** CSS pixels; more than the screen has means that one must scroll sideways. */
  readonly scrollWidth: number;
  readonly isLight: boolean;
}

/** A browser whose pages' complaints are collected. */
export class WatchedBrowser {
  /** Errors and warnings of consoles, exceptions, requests that failed. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(browser: Browser) {
    this.#browser = browser;
    this.#folder = PICTURES === "" ? mkdtempSync(join(tmpdir(), "fairlead-pictures-")) : PICTURES;
    mkdirSync(this.#folder, { recursive: true });
  }

  static async launch(): Promise<WatchedBrowser> {
    return new WatchedBrowser(await chromium.launch({ executablePath: CHROMIUM, args: ARGS }));
  }

  /** The product's version, to be told. */
  get version(): string {
    return this.#browser.version();
  }

  /** An empty page of its own profile. The caller closes the context. */
  async open(options: BrowserContextOptions = {}): Promise<[Page, BrowserContext]> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("requestfailed", (request) => {
      this.complaints.push(`${request.url()}: ${request.failure()?.errorText}`);
    });
    return [page, context];
  }

  /** Takes a picture of all of a page. @param name without extension */
  async picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: join(this.#folder, `${name}.png`), fullPage: true });
  }

  async close(): Promise<void> {
    await this.#browser.close();
    if (PICTURES === "") rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Looks at a page. */
export async function lookOf(page: Page): Promise<PageLook> {
  const [scrollWidth, background] = await page.$eval("html", (html) => {
    const { document, getComputedStyle } = globalThis as unknown as {
      document: { body: object };
      getComputedStyle(element: object): { backgroundColor: string };
    };
    return [(html as unknown as { scrollWidth: number }).scrollWidth, getComputedStyle(document.body).backgroundColor];
  });
  return { scrollWidth, isLight: Number(/\d+/.exec(background)?.[0]) > 128 };
}
