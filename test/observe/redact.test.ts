/**
 * No part of a password of a URL is shown, wherever the line with it is cut; what a server accepts is shown whole; and names of
 * parameters are compared as `decodeURIComponent` has them, without its exceptions.
 */

import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseTarget } from "../../src/http/target.ts";
import { Redactor, SECRET_PARAMETERS } from "../../src/observe/redact.ts";

/** As much of a line as is told of. */
const MOST_OCTETS = 8190;
/** Parts of a password that are shorter may be in what surrounds it. */
const PART_OCTETS = 4;
const REDACTED = "[redacted]";

const redactor = new Redactor(SECRET_PARAMETERS, []);

/** Octets that are nowhere else in a line, and those that mean something in one. */
const octet = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(..."QXZ\xe9") },
  { weight: 2, arbitrary: fc.constantFrom(..."/?#@:&=%;.-[] \t\r\x00\x7f\xff0189", "//", "://", "token=", "a:b@") },
);
const password = fc
  .array(octet, { minLength: 1, maxLength: 24 })
  .map((octets) => octets.join(""))
  // Reads as a port, with which a server accepts it: `http://user:80/path@x`
  .filter((text) => !/^\d{4}|^\d*(?:[/?#\s]|$)/.test(text));

function partOf(secret: string, shown: string): string | null {
  const text = shown.replaceAll(REDACTED, "\n");
  for (let at = 0; at + PART_OCTETS <= secret.length; at++) {
    const part = secret.slice(at, at + PART_OCTETS);
    if (text.includes(part)) return part;
  }
  return null;
}

/** As a server reads them (src/http1/head.ts): the target goes from the first space to the next. */
function targetOf(line: string): string {
  const [, target, version] = line.split(" ");
  return version === undefined ? "" : (target ?? "");
}

describe("user information", () => {
  it("is shown of no line with it, wherever that is cut", () => {
    const names = fc.oneof(
      fc.constantFrom("user", "u", "token"),
      fc.integer({ min: 8_150, max: 8_185 }).map((length) => "w".repeat(length)),
    );
    fc.assert(
      fc.property(names, password, (name, secret) => {
        const whole = `GET http://${name}:${secret}@host.example/way HTTP/1.1`;
        // A part of the password that is there besides says nothing
        fc.pre(partOf(secret, whole.replace(secret, "")) === null);
        const [first = ""] = whole.split("\n");
        // A target that ends at a space of the password, behind an `@` of it, reads as a host and its path
        const endsInUserInformation = /@[^]* /.test(secret);
        for (let end = Math.max(0, whole.indexOf(secret)); end <= first.length; end++) {
          const line = first.slice(0, Math.min(end, MOST_OCTETS));
          expect(partOf(secret, redactor.line(line)), JSON.stringify(line)).toBeNull();
          if (endsInUserInformation) continue;
          expect(partOf(secret, redactor.url(targetOf(first.slice(0, end)))), JSON.stringify(line)).toBeNull();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is shown of no authority-form, wherever that is cut", () => {
    fc.assert(
      fc.property(password, (secret) => {
        const whole = `CONNECT user:${secret}@host.example:443 HTTP/1.1`;
        fc.pre(partOf(secret, whole.replace(secret, "")) === null && !secret.includes("://"));
        for (let end = 0; end <= whole.length; end++) {
          expect(partOf(secret, redactor.line(whole.slice(0, end)))).toBeNull();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is in no target that a server accepts, which is shown whole", () => {
    const text = fc.array(fc.constantFrom(..."a0/?@:&=%;.-[]", "://", ":80")).map((parts) => parts.join(""));
    const target = fc.oneof(
      text.map((rest) => `/${rest}`),
      text.map((rest) => `http://h${rest}`),
      text.map((rest) => `http://[::1]${rest}`),
    );
    fc.assert(
      fc.property(target, (accepted) => {
        fc.pre(parseTarget("GET", accepted) !== null);
        expect(new Redactor([], []).url(accepted)).toBe(accepted);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("names of parameters", () => {
  afterEach(() => vi.restoreAllMocks());

  function decoded(name: string): string {
    const spaced = name.replaceAll("+", " ");
    try {
      return decodeURIComponent(spaced);
    } catch {
      return spaced;
    }
  }

  it("are secret as they are decoded, and as they are where they cannot be", () => {
    const escape = fc.oneof(
      fc.integer({ min: 0, max: 0xff }).map((code) => `%${code.toString(16).padStart(2, "0")}`),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }).map(encodeURIComponent),
      fc.constantFrom(
        "%",
        "%4",
        "%g1",
        "+",
        "%2B",
        "a",
        "%C0%80",
        "%ed%A0%80",
        "%f4%90%80%80",
        "%EF%BF%BD",
        "%f0%9f%94%91",
      ),
    );
    fc.assert(
      fc.property(fc.array(escape, { maxLength: 6 }), (parts) => {
        const name = parts.join("");
        const owned = new Redactor([decoded(name)], []);
        expect(owned.query(`${name}=v`)).toBe(`${name}=${REDACTED}`);
        // One that is decoded is not itself any more
        if (decoded(name).toLowerCase() !== name.toLowerCase()) {
          expect(new Redactor([name], []).query(`${name}=v`)).toBe(`${name}=v`);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("may be of other letters than ASCII", () => {
    const owned = new Redactor(["schlüssel", "🔑"], []);
    expect(owned.query("SCHL%C3%9CSSEL=v&%f0%9f%94%91=v&schl%fcssel=v")).toBe(
      `SCHL%C3%9CSSEL=${REDACTED}&%f0%9f%94%91=${REDACTED}&schl%fcssel=v`,
    );
  });

  it.each(["%4=", "%ff=", "%=", "%c3=", "%ff:", "%ff=&", "%e0%80%80=&"])("throw nothing where they are %s", (part) => {
    const decode = vi.spyOn(globalThis, "decodeURIComponent");
    const many = part.repeat(2_000);
    redactor.line(`GET /\x00?${many}`);
    redactor.url(`/?${many}`);
    expect(decode).not.toHaveBeenCalled();
  });
});
