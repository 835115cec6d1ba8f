/**
 * The rules of single fields: dates, ranges, negotiation, entity tags, preconditions; ours beside the packages that Express
 * and its like use for them, and beside the platform's Date. Run compiled (bench/README.md).
 *
 * Ours judge more (a sender's date against its own time, floods of ranges, weak tags), so a tie is not to be expected.
 */
import { bench, do_not_optimize, run, summary } from "mitata";
import { evaluatePreconditions, NOT_MODIFIED } from "../../src/http/conditional.ts";
import { CodingPreferences } from "../../src/http/content-coding.ts";
import { formatHttpDate, parseHttpDate } from "../../src/http/date.ts";
import { listHasWeak } from "../../src/http/etag.ts";
import { Fields } from "../../src/http/fields.ts";
import { selectEncoding, selectMediaType } from "../../src/http/negotiate.ts";
import { evaluateRange } from "../../src/http/range.ts";
import { mustBe, peer } from "./peer.ts";

type Negotiator = new (request: { headers: Record<string, string> }) => {
  encodings(offered: string[]): string[];
  mediaTypes(offered: string[]): string[];
};
type RangeParser = (size: number, text: string) => readonly { start: number; end: number }[] | number;
type Fresh = (request: Record<string, string>, response: Record<string, string>) => boolean;

const NegotiatorClass = peer("negotiator") as Negotiator | null;
const parseRange = peer("range-parser") as RangeParser | null;
const isFresh = peer("fresh") as Fresh | null;

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const DATE = "Fri, 02 Jan 2026 03:04:05 GMT";
const SIZE = 1_048_576;
const VALIDATORS = { etag: '"hegjxa5mo0-d7q"', lastModifiedMs: NOW_MS - 86_400_000 };

mustBe("date", [formatHttpDate(NOW_MS), parseHttpDate(DATE, NOW_MS), Date.parse(DATE)], [DATE, NOW_MS, NOW_MS]);
summary(() => {
  bench("date to text: fairlead", () => do_not_optimize(formatHttpDate(NOW_MS)));
  bench("date to text: Date", () => do_not_optimize(new Date(NOW_MS).toUTCString()));
});
summary(() => {
  bench("text to date: fairlead", () => do_not_optimize(parseHttpDate(DATE, NOW_MS)));
  bench("text to date: Date", () => do_not_optimize(Date.parse(DATE)));
});

const RANGE = "bytes=400000-404095";
const rangeFields = Fields.from([["Range", RANGE]]);
const evaluate = (): unknown => evaluateRange("GET", rangeFields, SIZE, VALIDATORS, NOW_MS);
mustBe("one range", Array.isArray(evaluate()), true);
summary(() => {
  bench("a range: fairlead", () => do_not_optimize(evaluate()));
  if (parseRange !== null) {
    mustBe("range-parser", (parseRange(SIZE, RANGE) as object[])[0], { start: 400_000, end: 404_095 });
    bench("a range: range-parser", () => do_not_optimize(parseRange(SIZE, RANGE)));
  }
});

const CODINGS = ["br", "gzip"];
const ACCEPT_ENCODING = "gzip, deflate, br;q=0.9, zstd";
const preferences = new CodingPreferences(CODINGS);
mustBe("coding", [selectEncoding(ACCEPT_ENCODING, CODINGS), preferences.of(ACCEPT_ENCODING)[0]], ["gzip", "gzip"]);
summary(() => {
  bench("a coding: fairlead", () => do_not_optimize(selectEncoding(ACCEPT_ENCODING, CODINGS)));
  bench("a coding: fairlead, the same field as before", () => do_not_optimize(preferences.of(ACCEPT_ENCODING)));
  if (NegotiatorClass !== null) {
    const request = { headers: { "accept-encoding": ACCEPT_ENCODING } };
    mustBe("negotiator", new NegotiatorClass(request).encodings(CODINGS)[0], "gzip");
    bench("a coding: negotiator", () => do_not_optimize(new NegotiatorClass(request).encodings(CODINGS)));
  }
});

const TYPES = ["application/json", "text/html"];
const ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
mustBe("media type", selectMediaType(ACCEPT, TYPES), "text/html");
summary(() => {
  bench("a media type: fairlead", () => do_not_optimize(selectMediaType(ACCEPT, TYPES)));
  if (NegotiatorClass !== null) {
    const request = { headers: { accept: ACCEPT } };
    mustBe("negotiator", new NegotiatorClass(request).mediaTypes(TYPES)[0], "text/html");
    bench("a media type: negotiator", () => do_not_optimize(new NegotiatorClass(request).mediaTypes(TYPES)));
  }
});

const TAGS = `"other-1", W/"other-2", ${VALIDATORS.etag}`;
mustBe("entity tag", listHasWeak(TAGS, VALIDATORS.etag), true);
bench("an entity tag among three: fairlead", () => do_not_optimize(listHasWeak(TAGS, VALIDATORS.etag)));

const conditional = Fields.from([["If-None-Match", VALIDATORS.etag]]);
const evaluateAll = (): number => evaluatePreconditions("GET", conditional, VALIDATORS, NOW_MS);
mustBe("preconditions", evaluateAll(), NOT_MODIFIED);
summary(() => {
  bench("a revalidation: fairlead", () => do_not_optimize(evaluateAll()));
  if (isFresh !== null) {
    const asked = { "if-none-match": VALIDATORS.etag };
    const answered = { "etag": VALIDATORS.etag, "last-modified": formatHttpDate(VALIDATORS.lastModifiedMs) };
    mustBe("fresh", isFresh(asked, answered), true);
    bench("a revalidation: fresh", () => do_not_optimize(isFresh(asked, answered)));
  }
});

await run();
