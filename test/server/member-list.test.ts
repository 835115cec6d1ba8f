/** What is open now: nobody is forgotten, whoever comes and leaves in the meantime. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Member, MemberList } from "../../src/server/member-list.ts";

class One implements Member {
  place = -1;
}

const all = (list: MemberList<One>): One[] => {
  const found: One[] = [];
  list.each((one) => found.push(one));
  return found;
};

describe("a list of members", () => {
  it("has in it what a set would have", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(11), { maxLength: 60 }), (choices) => {
        const ones = Array.from({ length: 12 }, () => new One());
        const list = new MemberList<One>();
        const model = new Set<One>();
        for (const choice of choices) {
          const one = ones[choice] as One;
          if (model.delete(one)) list.delete(one);
          else {
            model.add(one);
            list.add(one);
          }
          expect(list.size).toBe(model.size);
          expect(new Set(all(list))).toEqual(model);
          expect(all(list)).toHaveLength(model.size);
        }
        expect(ones.filter(({ place }) => place !== -1)).toHaveLength(model.size);
      }),
    );
  });

  it("lets go of nobody for one who is not in it", () => {
    const list = new MemberList<One>();
    const here = new One();
    list.add(here);
    list.delete(new One());
    expect(all(list)).toEqual([here]);
    list.delete(here);
    list.delete(here);
    expect(list.size).toBe(0);
  });

  it("calls everybody who stays, and nobody who has left, while members leave and come", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 10, maxLength: 10 }), (leavings) => {
        const ones = Array.from({ length: 10 }, () => new One());
        const list = new MemberList<One>();
        for (const one of ones) list.add(one);
        const called = new Set<One>();
        const gone = new Set<One>();
        list.each((one) => {
          expect(gone.has(one)).toBe(false);
          called.add(one);
          for (const index of leavings[ones.indexOf(one)] ?? []) {
            const leaving = ones[index] as One;
            gone.add(leaving);
            list.delete(leaving);
          }
          if (ones.includes(one)) list.add(new One());
        });
        for (const one of ones) expect(called.has(one) || gone.has(one)).toBe(true);
      }),
    );
  });
});
