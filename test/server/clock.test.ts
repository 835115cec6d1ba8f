import { describe, expect, it } from "vitest";
import { CoarseClock, type Expirable, SYSTEM_TIME, TICK_MS } from "../../src/server/clock.ts";
import { type Member, MemberList } from "../../src/server/member-list.ts";
import { ManualTime } from "./support/manual-time.ts";

class Timed implements Expirable, Member {
  place = -1;
  calls = 0;
  deadlineMs: number;
  onExpire: () => void = () => {};

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  expire(): void {
    this.calls++;
    this.deadlineMs = Infinity;
    this.onExpire();
  }
}

function setUp() {
  const time = new ManualTime();
  const members = new MemberList<Timed>();
  let idles = 0;
  const clock = new CoarseClock(time, members, () => idles++);
  return { time, members, clock, idles: () => idles };
}

describe("CoarseClock", () => {
  it("has no timer before there are members", () => {
    const { time, clock } = setUp();
    expect(time.timers).toBe(0);
    expect(clock.isTicking).toBe(false);
  });

  it("calls a deadline within a tick of its moment, once, and not before", () => {
    const { time, members, clock } = setUp();
    const member = new Timed(clock.nowMs + 1200);
    members.add(member);
    clock.start();
    time.advance(1100);
    expect(member.calls).toBe(0);
    time.advance(100 + TICK_MS);
    expect(member.calls).toBe(1);
    time.advance(10_000);
    expect(member.calls).toBe(1);
  });

  it("stops ticking when it finds nobody, says so, and starts again", () => {
    const { time, members, clock, idles } = setUp();
    const member = new Timed(Infinity);
    members.add(member);
    clock.start();
    clock.start();
    expect(time.timers).toBe(1);
    members.delete(member);
    time.advance(TICK_MS);
    expect(time.timers).toBe(0);
    expect(idles()).toBe(1);
    clock.start();
    expect(time.timers).toBe(1);
  });

  it("never asks for a timer that keeps the process alive", () => {
    const { time, clock } = setUp();
    clock.start();
    expect(time.holdingTimers).toBe(0);
  });

  it("survives members that leave and come while it sweeps", () => {
    const { time, members, clock } = setUp();
    const all = Array.from({ length: 10 }, () => new Timed(clock.nowMs));
    for (const member of all) members.add(member);
    (all[9] as Timed).onExpire = () => {
      members.delete(all[9] as Timed);
      members.delete(all[5] as Timed);
    };
    clock.start();
    time.advance(TICK_MS);
    expect(all.map((member) => member.calls)).toEqual([1, 1, 1, 1, 1, 0, 1, 1, 1, 1]);
  });

  it("does not let time pass for peers while the event loop stands still", () => {
    const { time, members, clock } = setUp();
    const member = new Timed(clock.nowMs + 30_000);
    members.add(member);
    clock.start();
    time.stall(60_000);
    expect(member.calls).toBe(0);
    time.advance(30_000);
    expect(member.calls).toBe(1);
  });

  it.each([
    ["forward", 86_400_000],
    ["back", -86_400_000],
  ])("does not let deadlines notice that the time of day is set %s", (_, stepMs) => {
    const { time, members, clock } = setUp();
    const member = new Timed(clock.nowMs + 30_000);
    members.add(member);
    clock.start();
    time.wall += stepMs;
    time.advance(25_000);
    expect(member.calls).toBe(0);
    time.advance(10_000);
    expect(member.calls).toBe(1);
  });

  it("has the Date of the moment it is touched, timer or not", () => {
    const { time, clock } = setUp();
    expect(clock.dateText).toBe("Sat, 21 Nov 2026 08:00:00 GMT");
    time.advance(3_599_999);
    clock.touch();
    expect(clock.dateText).toBe("Sat, 21 Nov 2026 08:59:59 GMT");
    time.advance(1);
    clock.touch();
    expect(clock.dateText).toBe("Sat, 21 Nov 2026 09:00:00 GMT");
  });

  it("keeps Date at most a second old by ticking", () => {
    const { time, members, clock } = setUp();
    members.add(new Timed(Infinity));
    clock.start();
    for (let i = 0; i < 50; i++) {
      time.advance(137);
      expect(time.wallMs() - Date.parse(clock.dateText)).toBeLessThan(1000 + TICK_MS);
    }
  });

  it("sweeps 10,000 members and calls only those whose time has come", () => {
    const { time, members, clock } = setUp();
    for (let i = 0; i < 10_000; i++) members.add(new Timed(i < 10 ? clock.nowMs + 1000 : Infinity));
    clock.start();
    time.advance(2000);
    const called: Timed[] = [];
    members.each((member) => {
      if (member.calls === 1) called.push(member);
    });
    expect(called).toHaveLength(10);
  });
});

describe("SYSTEM_TIME", () => {
  it("takes delays that are longer than a timer can be", () => {
    const cancel = SYSTEM_TIME.after(1e15, () => expect.unreachable(), false);
    cancel();
  });

  it("gives durations that grow", () => {
    const before = SYSTEM_TIME.monotonicMs();
    expect(SYSTEM_TIME.monotonicMs()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(SYSTEM_TIME.wallMs() - new Date().getTime())).toBeLessThan(1000);
  });
});
