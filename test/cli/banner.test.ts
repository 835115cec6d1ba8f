import { describe, expect, it } from "vitest";
import { renderBanner, renderPlainBanner } from "../../src/cli/banner.ts";
import type { Welcome } from "../../src/cli/banner.ts";
import { colourPainter, plainPainter } from "../../src/cli/paint.ts";

const FOLDER: Welcome = {
  version: "1.2.3",
  subject: { kind: "folder", path: "/srv/site" },
  shownPath: "site",
  url: "http://127.0.0.1:8080/",
  networkUrls: [],
  takenPort: 0,
  isShutIn: false,
};

describe("on a terminal", () => {
  it("says what, where, what is hidden and how to stop", () => {
    expect(renderBanner(FOLDER, plainPainter)).toBe(
      [
        "",
        "  Fairlead 1.2.3",
        "",
        "  Serving  site (folder)",
        "  Local    http://127.0.0.1:8080/",
        "  Reach    this machine only; --host 0.0.0.0 lets others in",
        "  Hidden   names with a leading dot, links that lead out of the folder",
        "  Stop     Ctrl-C",
        "",
        "",
      ].join("\n"),
    );
  });

  it("says that a port was taken", () => {
    expect(renderBanner({ ...FOLDER, takenPort: 8080 }, plainPainter)).toContain("port 8080 is taken");
  });

  it("lists the addresses for others, and hides nothing of an app", () => {
    const app: Welcome = {
      ...FOLDER,
      subject: { kind: "module", path: "/srv/app.ts" },
      networkUrls: ["http://192.0.2.7:8080/", "http://[2001:db8::7]:8080/"],
    };
    const text = renderBanner(app, plainPainter);
    expect(text).toContain("(app)");
    expect(text).toMatch(/Network\s+http:\/\/192\.0\.2\.7:8080\/\n\s+Network\s+http:\/\/\[2001:db8::7\]:8080\//);
    expect(text).not.toMatch(/Reach|Hidden/);
  });

  it("is the same text in colour", () => {
    const coloured = renderBanner(FOLDER, colourPainter);
    expect(coloured).toContain("\x1b[");
    expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(renderBanner(FOLDER, plainPainter));
  });
});

describe("in a pipe", () => {
  it("is one line", () => {
    expect(renderPlainBanner(FOLDER)).toBe("fairlead 1.2.3: folder /srv/site at http://127.0.0.1:8080/\n");
  });

  it("has a line more for what is remarkable", () => {
    expect(renderPlainBanner({ ...FOLDER, takenPort: 8080, isShutIn: true }).split("\n")).toHaveLength(4);
  });
});
