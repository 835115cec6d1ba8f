import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { findSubject } from "../../src/cli/subject.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-subject-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), "");
}

describe("without an argument", () => {
  it.each([
    ["this folder where there is nothing else", [], ""],
    ["./public before all", ["public/index.html", "dist/index.html", "htdocs/index.html"], "public"],
    ["./dist before ./htdocs", ["dist/index.html", "htdocs/index.html"], "dist"],
    ["./htdocs", ["htdocs/index.html"], "htdocs"],
    ["none that has no index", ["public/other.html", "htdocs/index.html"], "htdocs"],
    ["this folder where none has an index", ["dist/main.js", "index.html"], ""],
  ])("serves %s", (_what, files, expected) => {
    files.forEach(write);
    expect(findSubject(undefined, undefined, folder)).toEqual({ kind: "folder", path: join(folder, expected) });
  });
});

it("passes over a usual folder that cannot be looked into", () => {
  symlinkSync("public", join(folder, "public"));
  write("dist/index.html");
  expect(findSubject(undefined, undefined, folder)).toEqual({ kind: "folder", path: join(folder, "dist") });
});

describe("with an argument", () => {
  it.each([
    ["app.js", "module"],
    ["app.mjs", "module"],
    ["app.ts", "module"],
    ["app.MTS", "module"],
    ["app.tsx", "module"],
    ["report.pdf", "file"],
    ["page.html", "file"],
    ["data.json", "file"],
    ["no-extension", "file"],
  ])("takes %s for a %s", (name, kind) => {
    write(name);
    expect(findSubject(name, undefined, folder)).toEqual({ kind, path: join(folder, name) });
  });

  it("takes a folder for a folder, whatever its name", () => {
    mkdirSync(join(folder, "app.js"));
    expect(findSubject("./app.js/", undefined, folder)).toEqual({ kind: "folder", path: join(folder, "app.js") });
    expect(findSubject(folder, undefined, "/")).toEqual({ kind: "folder", path: folder });
  });

  it.each([
    ["a link in a circle", "circle", "its links lead in a circle"],
    ["a name that no disk takes", "n".repeat(300), "ENAMETOOLONG"],
  ])("says what is wrong with %s, without a stack", (_what, name, code) => {
    symlinkSync("circle", join(folder, "circle"));
    const find = (): unknown => findSubject(name, undefined, folder);
    expect(find).toThrow(CommandError);
    expect(find).toThrow(new RegExp(`cannot be served: ${code}`));
  });

  it("does not take an empty word, as of a variable that is not set, for the folder that it runs in", () => {
    expect(() => findSubject("", undefined, folder)).toThrow("what shall be served is empty");
  });

  it("says that there is nothing", () => {
    expect(() => findSubject("missing", undefined, folder)).toThrow(`there is no missing in ${folder}`);
  });

  it("takes the folder from --root of other tools, but not two", () => {
    expect(findSubject(undefined, ".", folder)).toEqual({ kind: "folder", path: folder });
    expect(() => findSubject("a", "b", folder)).toThrow("one thing can be served, not two: a and b");
  });

  it("says that a device cannot be served", () => {
    expect(() => findSubject("/dev/null", undefined, folder)).toThrow("/dev/null is neither a folder nor a file");
  });
});
