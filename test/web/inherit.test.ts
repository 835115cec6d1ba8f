import { describe, expect, it } from "vitest";
import { inheritMembers, inheritState } from "../../src/web/inherit.ts";

const STATE = Symbol("state");

/** Stands for a platform class of a later version. */
class Platform {
  [STATE] = "kept";
  #level = 1;
  get level(): number {
    return this.#level;
  }
  set level(value: number) {
    this.#level = value;
  }
  add(a: number, b: number): number {
    return a + b + this.#level;
  }
  known(): string {
    return "platform's";
  }
}
Object.defineProperty(Platform.prototype, Symbol.toStringTag, { value: "Platform" });
Object.defineProperty(Platform.prototype, "known", { enumerable: true });

class Ours {
  static made = 0;
  #platform: Platform | null = null;
  static platformOf(ours: Ours): Platform {
    if (ours.#platform === null) Ours.made++;
    ours.#platform ??= new Platform();
    return ours.#platform;
  }
  known(): string {
    return "ours";
  }
}
inheritMembers(Ours.prototype, Platform.prototype, Platform.prototype, Ours.platformOf);
inheritState(Ours.prototype, new Platform(), Ours.platformOf);

describe("inheritMembers", () => {
  const make = (): Platform & Ours => new Ours() as Platform & Ours;

  it("keeps what the class has, with the platform's flags", () => {
    const ours = make();
    const before = Ours.made;
    expect(ours.known()).toBe("ours");
    expect(Ours.made).toBe(before);
    expect(Object.getOwnPropertyDescriptor(Ours.prototype, "known")?.enumerable).toBe(true);
    expect(ours.constructor).toBe(Ours);
  });

  it("forwards accessors and methods to one platform object", () => {
    const ours = make();
    const before = Ours.made;
    expect(ours.level).toBe(1);
    ours.level = 5;
    expect(ours.add(1, 2)).toBe(8);
    expect(Ours.made).toBe(before + 1);
  });

  it("makes ours an instance of the platform's class", () => {
    expect(make()).toBeInstanceOf(Platform);
    expect(Object.prototype.toString.call(make())).toBe("[object Platform]");
  });

  it("forwards state that the platform keeps in properties", () => {
    const ours = make();
    expect(ours[STATE]).toBe("kept");
    ours[STATE] = "changed";
    expect(Ours.platformOf(ours)[STATE]).toBe("changed");
  });
});
