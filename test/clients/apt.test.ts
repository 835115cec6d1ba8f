/**
 * `apt-get` from a folder: the index is updated, asked for again and not given, and a package is downloaded, whole and in two
 * halves. apt runs as an ordinary user with folders of its own and touches nothing of the machine's.
 */
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OLD } from "../static/support/static-site.ts";
import { areMissing, runWell } from "./support/program.ts";
import { WatchedSite } from "./support/watched-site.ts";

const FIELDS = `Package: fairlead-test
Version: 1.0
Architecture: all
Maintainer: Test <test@example.invalid>
Description: content for a test
`;
const NAME = "fairlead-test_1.0_all.deb";
/** What apt may ask for besides, and is told that it is not there: signatures, other forms of the index, translations. */
const OPTIONAL = /^\/debs\/\.\/(?:InRelease|Release(?:\.gpg)?|Packages(?:\.(?:xz|bz2|lzma|lz4|zst|gz))?|en(?:\..*)?)$/;

describe.skipIf(areMissing({ "apt-get": "apt", "dpkg-deb": "dpkg" }))("apt-get over a folder with packages", () => {
  let site: WatchedSite;
  let work = "";
  let deb: Buffer;

  beforeAll(async () => {
    site = await WatchedSite.open({});
    work = site.folder("apt");
    const debs = join(site.files.www, "debs");
    const content = join(site.folder("content"), "root");
    mkdirSync(join(content, "DEBIAN"), { recursive: true });
    mkdirSync(join(content, "usr/share/fairlead-test"), { recursive: true });
    mkdirSync(debs);
    writeFileSync(join(content, "DEBIAN/control"), FIELDS);
    // Does not shrink, so that half of it is some hundred kilobytes
    const noise = Array.from({ length: 20_000 }, (_, i) => createHash("sha256").update(String(i)).digest());
    writeFileSync(join(content, "usr/share/fairlead-test/noise"), Buffer.concat(noise));
    await runWell("dpkg-deb", ["--build", "--root-owner-group", "-Zgzip", content, join(debs, NAME)]);
    // A date of this second would be no strong validator, and a part would be refused (RFC 9110 §8.8.2.2, §13.1.5)
    utimesSync(join(debs, NAME), OLD, OLD);
    deb = readFileSync(join(debs, NAME));
    writeIndex("", OLD);
    for (const folder of ["lists/partial", "cache/archives/partial", "etc/preferences.d", "log"]) {
      mkdirSync(join(work, folder), { recursive: true });
    }
    writeFileSync(join(work, "status"), "");
    writeFileSync(join(work, "sources.list"), `deb [trusted=yes] ${site.url("/debs/")} ./\n`);
  });
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(() => site.forget());

  function writeIndex(more: string, time: Date | null): void {
    const digest = createHash("sha256").update(deb).digest("hex");
    const packages = `${FIELDS}${more}Filename: ./${NAME}\nSize: ${deb.length}\nSHA256: ${digest}\n\n`;
    site.files.write("debs/Packages.gz", gzipSync(packages), time);
  }

  function apt(...args: string[]): Promise<Buffer> {
    const settings = {
      "Dir::State": work,
      "Dir::State::lists": join(work, "lists"),
      "Dir::State::status": join(work, "status"),
      "Dir::Cache": join(work, "cache"),
      "Dir::Etc": join(work, "etc"),
      "Dir::Etc::sourcelist": join(work, "sources.list"),
      "Dir::Etc::sourceparts": join(work, "none"),
      "Dir::Log": join(work, "log"),
      "APT::Sandbox::User": "",
      "APT::Get::List-Cleanup": "false",
      "Acquire::Languages": "none",
      "Acquire::http::Proxy": "DIRECT",
      "Acquire::Retries": "0",
      "APT::Update::Error-Mode": "any",
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    return runWell("apt-get", [...options, ...args], { cwd: work });
  }

  it("updates the index, and the next time is told that nothing changed", async () => {
    await apt("update");
    expect(site.notes.map(({ target, status }) => `${status} ${target}`)).toContain("200 /debs/./Packages.gz");
    expect(site.notes.every(({ target, status }) => status === 200 || (status === 404 && OPTIONAL.test(target)))).toBe(
      true,
    );
    site.forget();
    await apt("update");
    expect(site.notes.find(({ target }) => target === "/debs/./Packages.gz")).toMatchObject({ status: 304 });
  });

  it("downloads a package, and goes on where it stopped", async () => {
    await apt("download", "fairlead-test");
    expect(readFileSync(join(work, NAME)).equals(deb)).toBe(true);
    expect(site.notes).toMatchObject([{ target: `/debs/./${NAME}`, status: 200 }]);
    site.forget();
    // As an interrupted run leaves it
    const partial = join(work, "cache/archives/partial", NAME);
    writeFileSync(partial, deb);
    truncateSync(partial, Math.floor(deb.length / 2));
    // apt gives it the file's time, and asks with that in If-Range
    utimesSync(partial, OLD, OLD);
    await apt("install", "-y", "--download-only", "fairlead-test");
    expect(readFileSync(join(work, "cache/archives", NAME)).equals(deb)).toBe(true);
    expect(site.notes).toMatchObject([{ status: 206, range: `bytes=${Math.floor(deb.length / 2)}-` }]);
  });

  it("sees a newer index", async () => {
    writeIndex("Section: misc\n", null);
    await expect
      .poll(async () => {
        await apt("update");
        return site.notes.filter(({ target }) => target.endsWith("Packages.gz")).at(-1)?.status;
      })
      .toBe(200);
  });

  it("made nothing fail", () => {
    expect(site.faults).toEqual([]);
  });
});
