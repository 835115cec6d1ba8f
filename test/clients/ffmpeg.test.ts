/** ffmpeg and ffprobe seeking in a film whose index is at its end: without ranges neither would find anything. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { areMissing, run, runWell } from "./support/program.ts";
import { WatchedSite } from "./support/watched-site.ts";

const SECONDS = 20;
const WIDTH = 160;
const HEIGHT = 120;

/** Each second of the film has one grey, so that a frame tells when it is from. */
const PICTURE = `color=black:s=${WIDTH}x${HEIGHT}:r=10:d=${SECONDS},format=yuv420p,geq=lum='20+10*floor(T)':cb=128:cr=128`;

describe.skipIf(areMissing({ ffmpeg: "ffmpeg", ffprobe: "ffmpeg" }))("ffmpeg", () => {
  let site: WatchedSite;
  let film: Buffer;

  beforeAll(async () => {
    site = await WatchedSite.open({});
    const path = join(site.files.www, "film.mp4");
    const made = ["-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", `sine=440:r=44100:d=${SECONDS}`];
    // The sound is there as it is, so that a seek leaves much out
    const coding = ["-c:v", "mpeg4", "-q:v", "2", "-g", "10", "-c:a", "flac", "-strict", "-2", "-shortest"];
    await runWell("ffmpeg", ["-nostdin", "-v", "error", ...made, ...coding, path]);
    film = readFileSync(path);
  }, 60_000);
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(() => site.forget());

  it("learns the length of the film by looking at its end", async () => {
    expect(film.indexOf("moov")).toBeGreaterThan(film.indexOf("mdat"));
    const args = ["-v", "error", "-show_entries", "format=duration", "-of", "default=nk=1:nw=1", site.url("/film.mp4")];
    const duration = Number((await runWell("ffprobe", args)).toString());
    expect(Math.abs(duration - SECONDS)).toBeLessThan(0.2);
    expect(site.notes.length).toBeGreaterThan(1);
    expect(new Set(site.notes.map(({ status }) => status))).toEqual(new Set([206]));
  });

  it.each([3, 11, 18])("shows the frame of second %d without fetching all before it", async (second) => {
    const from = ["-nostdin", "-v", "error", "-ss", `${second}.5`, "-i", site.url("/film.mp4")];
    const frame = await runWell("ffmpeg", [...from, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]);
    expect(frame.length).toBe(WIDTH * HEIGHT);
    const grey = frame.reduce((sum, value) => sum + value, 0) / frame.length;
    // As Y of limited range came, or widened to the full one; codings are not exact
    const exact = 20 + 10 * second;
    const widened = ((exact - 16) * 255) / 219;
    expect(Math.min(Math.abs(grey - exact), Math.abs(grey - widened))).toBeLessThan(3);
    expect(site.notes.every(({ status, range }) => status === 206 && range !== null)).toBe(true);
    const starts = site.notes.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1]));
    expect(starts.some((start) => start > (film.length / SECONDS) * (second - 2) && start < film.length * 0.99)).toBe(
      true,
    );
  });

  it("is told 404 of a film that is not there", async () => {
    const { code, stderr } = await run("ffprobe", ["-v", "error", site.url("/none.mp4")]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/404 Not Found/);
  });

  it("made nothing fail", () => {
    expect(site.faults).toEqual([]);
  });
});
