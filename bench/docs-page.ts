/** Puts generated text between the markers of a page and leaves all else as it is. */

const BEGIN = "<!-- results of the bench: written by `npm run bench -- --write-docs` -->";
const END = "<!-- end of results -->";

/**
 * @returns the page with the text in the place of what stood there
 * @throws if the page has not both markers, once each and in order
 */
export function replaceResults(page: string, text: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  const isOnce = begin === page.lastIndexOf(BEGIN) && end === page.lastIndexOf(END);
  if (begin < 0 || end < begin || !isOnce) throw new Error(`the page needs "${BEGIN}" and "${END}", once each`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text.trim()}\n\n${page.slice(end)}`;
}
