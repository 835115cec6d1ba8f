import { describe, expect, it } from "vitest";
import { inheritLazily } from "../../src/web/inherit.ts";

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
let loaded = 0;
class Between {
  readonly isBetween = true;
}
inheritLazily({
  prototype: Ours.prototype,
  platform: () => {
    loaded++;
    return Platform.prototype;
  },
  materialise: Ours.platformOf,
  between: Between.prototype,
  sample: () => new Platform(),
});

describe("before somebody looks", () => {
  it("does not load the platform's class for own members and for promises", async () => {
    const ours = await Promise.resolve(new Ours());
    expect(ours.known()).toBe("ours");
    expect(loaded).toBe(0);
  });

  it("lets properties be set", () => {
    const ours: Record<string, unknown> = new Ours() as unknown as Record<string, unknown>;
    ours["extra"] = 1;
    expect(Object.keys(ours)).toEqual(["extra"]);
    expect(loaded).toBe(0);
  });

  it("loads it once when a member is missed, and gives that member", () => {
    const ours = new Ours() as Platform & Ours;
    expect(ours.add(1, 2)).toBe(4);
    expect("level" in ours).toBe(true);
    expect(ours).toBeInstanceOf(Platform);
    expect(ours).toBeInstanceOf(Between);
    expect("then" in ours).toBe(false);
    expect(loaded).toBe(1);
  });
});

describe("members", () => {
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
