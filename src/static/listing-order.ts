/**
 * The order of a listing: what `?sort=name|size|time&order=asc|desc` asks for, and how two entries compare.
 *
 * Folders come first in every order, as people know it, and names compare as people count (`file2` before `file10`). The
 * page's script sorts by the same rule. Pure: it must never look at the disk.
 */

/** Columns that a listing can be sorted by. */
export type ListingColumn = "name" | "size" | "time";

/** The order of a listing. */
export interface ListingOrder {
  readonly column: ListingColumn;
  readonly isDescending: boolean;
}

/** What there is to compare. */
interface Comparable {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

export const COLUMNS: readonly ListingColumn[] = ["name", "size", "time"];

/** Made when first needed: the language data is not small, and most servers never list a folder. */
let collator: Intl.Collator | null = null;

/**
 * Reads the order that a query asks for; what it does not say, or says wrongly, is the default.
 *
 * @param search with its `?`, or `""`
 */
export function parseOrder(search: string): ListingOrder {
  if (search === "") return { column: "name", isDescending: false };
  const parameters = new URLSearchParams(search);
  const asked = parameters.get("sort");
  const column = COLUMNS.find((name) => name === asked) ?? "name";
  const order = parameters.get("order");
  const isDescending = order === "asc" || order === "desc" ? order === "desc" : startsDescending(column);
  return { column, isDescending };
}

/** Names begin with A, sizes with the largest, times with the newest. */
export function startsDescending(column: ListingColumn): boolean {
  return column !== "name";
}

/** The query for an order, as {@link parseOrder} reads it. */
export function formatOrder({ column, isDescending }: ListingOrder): string {
  return `?sort=${column}&order=${isDescending ? "desc" : "asc"}`;
}

/** Whether sizes and times must be known before anything can be put in order. */
export function needsStats(order: ListingOrder): boolean {
  return order.column !== "name";
}

/** Which of two entries comes first: folders, then the column, then the name. */
export function compareEntries(a: Comparable, b: Comparable, order: ListingOrder): number {
  if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1;
  const byColumn = compareColumn(a, b, order.column);
  if (byColumn !== 0) return order.isDescending ? -byColumn : byColumn;
  return order.column === "name" ? 0 : compareNames(a.name, b.name);
}

/** The order of names from A to Z, for which nothing else need be known. */
export function compareByName(
  a: { readonly name: string; readonly isFolder: boolean },
  b: { readonly name: string; readonly isFolder: boolean },
): number {
  if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1;
  return compareNames(a.name, b.name);
}

function compareColumn(a: Comparable, b: Comparable, column: ListingColumn): number {
  switch (column) {
    case "name":
      return compareNames(a.name, b.name);
    case "size":
      return a.sizeBytes - b.sizeBytes;
    case "time":
      return compareTimes(a.mtimeMs, b.mtimeMs);
  }
}

/** By whole seconds, which are what the page's script knows. What has no time is older than all that has. */
function compareTimes(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return Math.floor(a / 1000) - Math.floor(b / 1000);
}

function compareNames(a: string, b: string): number {
  collator ??= new Intl.Collator("en", { numeric: true });
  const order = collator.compare(a, b);
  if (order !== 0) return order;
  // Names that only a machine can tell apart have an order all the same
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
