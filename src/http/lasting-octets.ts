/**
 * Octets that never change: the content of one version of a file, for instance. A wire may keep what it has made of them.
 *
 * The mark is a promise of whoever made them, that nobody will write to that memory. It is kept beside the octets and not in
 * them: what handlers give is theirs to change, and is never marked. Nothing here looks at the octets.
 */

const lasting: WeakSet<Uint8Array> = new WeakSet();

/** Promises that nobody will write to these octets, however long somebody holds them. */
export function markLasting(octets: Uint8Array): void {
  lasting.add(octets);
}

/** Whether it was promised that they never change. */
export function isLasting(octets: Uint8Array): boolean {
  return lasting.has(octets);
}
