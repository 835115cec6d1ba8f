/**
 * What is open now, in no order: connections come and go by the ten thousand in a second.
 *
 * A Set would do, were it not for its garbage. It makes its table anew whenever that is full of removals, and a table that was
 * moved to V8's old generation before keeps all that stands in it, with whatever that refers to, until the next full collection:
 * of each young collection under short connections twice as much survived. Here members know their places, and the last one
 * takes the place of one that leaves. A member must not be in two lists.
 */

/** What may stand in a list. */
export interface Member {
  /** Where; written by the list alone, -1 in none. */
  place: number;
}

/** A set of members. */
export class MemberList<T extends Member> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Adds what is in no list. */
  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Removes what is in this list; what is in none stays so. */
  delete(member: T): void {
    const { place } = member;
    if (place === -1) return;
    member.place = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[place] = last;
    last.place = place;
  }

  /**
   * Calls back with each. Members may leave and come from inside: who stays is called at least once, who leaves before it was
   * called is not, who comes may be.
   */
  each(callback: (member: T) => void): void {
    // From behind: the place of one that leaves is taken by one that was called already
    for (let place = this.#members.length - 1; place >= 0; place--) {
      const member = this.#members[place];
      if (member !== undefined) callback(member);
    }
  }
}
