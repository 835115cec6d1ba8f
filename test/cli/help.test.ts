import { describe, expect, it } from "vitest";
import { FLAG_TABLE } from "../../src/cli/flags.ts";
import { renderHelp } from "../../src/cli/help.ts";
import { colourPainter, plainPainter } from "../../src/cli/paint.ts";

function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}

describe("--help", () => {
  it.each([
    ["a pipe", undefined, 100],
    ["a wide terminal", 240, 100],
    ["a usual terminal", 80, 80],
    ["a narrow terminal", 60, 60],
    ["a terminal that is too narrow", 20, 60],
  ])("keeps to the lines of %s", (_what, columns, width) => {
    const text = renderHelp(plainPainter, columns);
    expect(widthOf(text)).toBeLessThanOrEqual(width);
    // It uses the room that there is
    expect(widthOf(text)).toBeGreaterThan(width - 10);
    const words = (one: string): string[] => one.split(/\s+/);
    expect(words(text)).toEqual(words(renderHelp(plainPainter)));
    for (const { shown, group } of FLAG_TABLE) if (group !== "") expect(text).toContain(shown);
  });

  it("colours words and not what stands before and behind them, and underlines nothing", () => {
    const text = renderHelp(colourPainter, 80);
    expect(text).toMatch(/\x1b\[36m--host \[ADDR\]\x1b\[39m/);
    expect(text).not.toMatch(/\x1b\[4m|\x1b\[36m\s|[ \t]\x1b\[39m/);
    expect(text.replace(/\x1b\[\d+m/g, "")).toBe(renderHelp(plainPainter, 80));
  });
});
