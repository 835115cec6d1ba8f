/** Path of a Node of that version (`26`, or all of it) from the npm package `node`, null where it cannot be had. */
export declare function nodeOf(version: string): string | null;
