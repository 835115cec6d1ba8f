import { describe, expect, it } from "vitest";
import { renderBanner, renderPlainBanner } from "../../src/cli/banner.ts";
import type { Welcome } from "../../src/cli/banner.ts";
import { colourPainter, plainPainter } from "../../src/cli/paint.ts";

const FOLDER: Welcome = {
  version: "1.2.3",
  subject: { kind: "folder", path: "/srv/site" },
  shownPath: "site",
  modes: [],
  urls: ["http://127.0.0.1:8080/"],
  networkUrls: [],
  redirectUrl: "",
  isLocal: true,
  hidden: "3 dot files, 1 outside link hidden: --dotfiles, --follow",
  rules: "",
  notes: [],
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
        "  Reach    this machine only; --host lets others in",
        "  Hidden   3 dot files, 1 outside link: --dotfiles, --follow",
        "  Stop     Ctrl-C",
        "",
        "",
      ].join("\n"),
    );
  });

  it("says which rules apply", () => {
    const rules = "_redirects in force, and not served: --no-rules";
    expect(renderBanner({ ...FOLDER, rules }, plainPainter)).toContain(`  Rules    ${rules}\n`);
    expect(renderPlainBanner({ ...FOLDER, rules })).toContain(`fairlead: ${rules}\n`);
  });

  it("says what is remarkable, and in which mode", () => {
    const text = renderBanner({ ...FOLDER, notes: ["port 8080 is taken"], modes: ["single-page app"] }, plainPainter);
    expect(text).toContain("  Note     port 8080 is taken\n");
    expect(text).toContain("site (folder, single-page app)");
  });

  it("lists all addresses, and hides nothing of an app", () => {
    const app: Welcome = {
      ...FOLDER,
      subject: { kind: "module", path: "/srv/app.ts" },
      networkUrls: ["http://192.0.2.7:8080/", "http://[2001:db8::7]:8080/"],
      isLocal: false,
      hidden: "",
    };
    const text = renderBanner(app, plainPainter);
    expect(text).toContain("(app)");
    expect(text).toMatch(/Network\s+http:\/\/192\.0\.2\.7:8080\/\n\s+Network\s+http:\/\/\[2001:db8::7\]:8080\//);
    expect(text).not.toMatch(/Reach|Hidden/);
  });

  it("says where plain HTTP is sent on, behind the addresses", () => {
    const shown = { ...FOLDER, urls: ["https://localhost/"], redirectUrl: "http://localhost/", notes: ["a"] };
    const text = renderBanner(shown, plainPainter);
    expect(text).toContain("  Local    https://localhost/\n  Redirect http://localhost/ to HTTPS\n  Note     a\n");
    expect(renderPlainBanner(shown)).toMatch(/\/srv\/site at .*\nfairlead: http:\/\/localhost\/ is sent on to HTTPS\n/);
  });

  it("is the same text in colour", () => {
    const coloured = renderBanner(FOLDER, colourPainter);
    expect(coloured).toContain("\x1b[");
    expect(coloured.replace(/\x1b\[\d+m/g, "")).toBe(renderBanner(FOLDER, plainPainter));
  });
});

describe("in a pipe", () => {
  it("is one line, where nothing is remarkable", () => {
    expect(renderPlainBanner({ ...FOLDER, hidden: "" })).toBe(
      "fairlead 1.2.3: folder /srv/site at http://127.0.0.1:8080/\n",
    );
  });

  it("has a line more for what is", () => {
    expect(
      renderPlainBanner({ ...FOLDER, notes: ["a", "b"] })
        .split("\n")
        .slice(1),
    ).toEqual(["fairlead: 3 dot files, 1 outside link hidden: --dotfiles, --follow", "fairlead: a", "fairlead: b", ""]);
  });
});
