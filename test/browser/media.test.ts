/** Chromium playing and seeking sound and film from the file server: parts, not wholes, and the right place. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { areMissing, runWell } from "../clients/support/program.ts";
import { WatchedSite } from "../clients/support/watched-site.ts";
import { isBrowserMissing, WatchedBrowser } from "../support/browser.ts";

const SECONDS = 120;
const RATE = 48_000;

/** What the page's script sees of a media element. */
interface Player {
  readonly duration: number;
  currentTime: number;
  readonly paused: boolean;
  readonly error: { readonly message: string } | null;
  play(): Promise<void>;
  addEventListener(type: string, listener: () => void, options: { once: boolean }): void;
}

/** Sound as a WAV file, which any build of Chromium plays: two minutes of a tone, mono, 16 bit: 11.5 MB. */
function tone(): Buffer {
  const samples = Buffer.alloc(SECONDS * RATE * 2);
  for (let i = 0; i < SECONDS * RATE; i++) samples.writeInt16LE(Math.round(8000 * Math.sin(i / 17)), i * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

describe.skipIf(isBrowserMissing())("a player in a browser", () => {
  let site: WatchedSite;
  let browser: WatchedBrowser;

  beforeAll(async () => {
    site = await WatchedSite.open({
      "tone.wav": tone(),
      "sound.html":
        '<!doctype html><link rel=icon href="data:,"><audio src=tone.wav preload=metadata controls></audio>',
      "film.html":
        '<!doctype html><link rel=icon href="data:,"><video src=film.mp4 preload=metadata muted controls></video>',
    });
    browser = await WatchedBrowser.launch();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await site[Symbol.asyncDispose]();
  });
  beforeEach(() => site.forget());

  /** Moves to a second and plays from there until time passes. @returns where it is then, and the film's length */
  function playFrom(page: Page, seconds: number): Promise<{ at: number; duration: number }> {
    return page.$eval(
      "audio, video",
      async (element, start) => {
        const player = element as unknown as Player;
        const after = (type: string): Promise<void> =>
          new Promise((resolve, reject) => {
            player.addEventListener(type, resolve, { once: true });
            player.addEventListener("error", () => reject(new Error(player.error?.message)), { once: true });
          });
        if (Number.isNaN(player.duration)) await after("loadedmetadata");
        const sought = after("seeked");
        player.currentTime = start;
        await sought;
        const moved = after("timeupdate");
        await player.play();
        await moved;
        while (player.currentTime <= start) await after("timeupdate");
        return { at: player.currentTime, duration: player.duration };
      },
      seconds,
    );
  }

  it.each([100, 30, 110])("plays sound from second %d", async (start) => {
    const [page, context] = await browser.open();
    await page.goto(site.url("/sound.html"));
    const { at, duration } = await playFrom(page, start);
    expect(duration).toBeCloseTo(SECONDS, 3);
    expect(at).toBeGreaterThan(start);
    expect(at).toBeLessThan(start + 5);
    await context.close();
    const parts = await notesOf("/tone.wav");
    // It jumped to the place instead of reading up to it
    const starts = parts.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1]));
    expect(starts.some((place) => Math.abs(place - start * RATE * 2) < 10 * RATE * 2)).toBe(true);
  });

  it.skipIf(areMissing({ ffmpeg: "ffmpeg" }))("shows a film and seeks in it", async () => {
    const path = join(site.files.www, "film.mp4");
    // Noise, so that it does not shrink to what a browser fetches ahead; its index is at the end
    const picture = ["-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=40,noise=alls=60:allf=t,format=yuv420p"];
    const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-g", "20"];
    await runWell("ffmpeg", ["-nostdin", "-v", "error", ...picture, ...coding, path]);
    const [page, context] = await browser.open();
    await page.goto(site.url("/film.html"));
    for (const start of [35, 5, 20]) {
      const { at, duration } = await playFrom(page, start);
      expect(Math.abs(duration - 40)).toBeLessThan(0.2);
      expect(at).toBeGreaterThan(start);
      expect(at).toBeLessThan(start + 5);
    }
    await browser.picture(page, "film");
    await context.close();
    const parts = await notesOf("/film.mp4");
    const { size } = statSync(path);
    const starts = parts.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1]));
    // The index, and the place of second 35
    expect(starts.some((place) => place > size * 0.98)).toBe(true);
    expect(starts.some((place) => place > size * 0.7 && place < size * 0.95)).toBe(true);
  });

  /** The parts of a file that were answered, the last broken off with the page. Besides them it may ask whether they still hold. */
  async function notesOf(path: string): Promise<WatchedSite["notes"]> {
    const parts = (): WatchedSite["notes"] =>
      site.notes.filter(({ target, status }) => target === path && status === 206);
    await expect.poll(() => parts().length).toBeGreaterThan(0);
    const all = site.notes.filter(({ target }) => target === path);
    expect(all.filter(({ range, status }) => range === null || (status !== 206 && status !== 304))).toEqual([]);
    return parts();
  }

  it("made nothing fail, and nothing to complain about", () => {
    expect(site.faults).toEqual([]);
    expect(browser.complaints.filter((text) => !text.includes("ERR_ABORTED"))).toEqual([]);
  });
});
