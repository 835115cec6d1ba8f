/** What the subjects of the app profiles answer with: the same objects for all. */

const TAGS = ["fiction", "sea"];

/** @param {number} count */
export function items(count) {
  const list = [];
  for (let id = 1; id <= count; id++)
    list.push({ id, title: `Book ${id}`, cents: 950 + id, tags: TAGS, isInStock: true });
  return { items: list };
}
