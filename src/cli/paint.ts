/**
 * Colour for people, or none: a painter that either styles text or leaves it alone.
 *
 * Whoever writes a line decides what is important; here is decided only whether that shows.
 */

import { styleText } from "node:util";

/** What a piece of text is, not what it looks like. */
export type Tone = "title" | "faint" | "link" | "typed" | "good" | "moved" | "warning" | "bad";

/** Gives text its tone. */
export type Painter = (tone: Tone, text: string) => string;

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Tone, Format>> = {
  title: "bold",
  faint: "gray",
  link: ["cyan", "underline"],
  typed: "cyan",
  good: "green",
  moved: "cyan",
  warning: "yellow",
  bad: "red",
};

/** Text as it is. */
export const plainPainter: Painter = (_tone, text) => text;

/** Text in the colours of a terminal; whether there is one is the caller's knowledge. */
export const colourPainter: Painter = (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });
