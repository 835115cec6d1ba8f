import { gunzipSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { GZIP } from "../../src/static/coding.ts";
import type { Seen } from "../../src/static/contain.ts";
import { Root } from "../../src/static/contain.ts";
import { Loader } from "../../src/static/load.ts";
import { SYSTEM_TIME } from "../../src/web/clock.ts";
import { StaticSite } from "./support/static-site.ts";

const TEXT = "The wind had dropped.\n".repeat(100);
const BEFORE = new Date("2023-01-01");

it.each([
  ["an older one", gzipSync("before"), BEFORE],
  ["an empty one", "", null],
  ["an older one that is too large for memory", Buffer.alloc(2_000_000), BEFORE],
])("takes no sibling that %s has taken the place of since it was seen", async (_what, bytes, time) => {
  await using site = new StaticSite({ "app.js": TEXT, "app.js.gz": gzipSync(TEXT) });
  const root = new Root(site.www);
  const [file, sibling] = (await Promise.all([root.look(["app.js"]), root.look(["app.js.gz"])])) as [Seen, Seen];
  site.write("app.js.gz", bytes, time);
  const wanted = { key: "/app.js", names: ["app.js"], isFolderPath: false, isExact: false };
  const description = {
    mediaType: "text/javascript",
    vary: "",
    cacheControl: "",
    finish: (lines: readonly string[]) => lines,
    finishRefusal: (lines: readonly string[]) => lines,
  };
  const loader = new Loader(SYSTEM_TIME, 1_000_000, true);
  const loaded = await loader.load(
    { ...wanted, fieldsFor: wanted },
    { root, file, siblings: [null, null, null, sibling] },
    () => description,
    null,
  );
  expect(loaded?.sibling(GZIP)).toBeNull();
  const made = loaded === null ? null : await loader.code(loaded, GZIP);
  expect(gunzipSync(made?.bytes ?? "").toString()).toBe(TEXT);
});
