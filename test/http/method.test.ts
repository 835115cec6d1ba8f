import { METHODS } from "node:http";
import { describe, expect, it } from "vitest";
import { isToken } from "../../src/http/fields.ts";
import { isIdempotentMethod, isRegisteredMethod, isSafeMethod, registeredMethods } from "../../src/http/method.ts";

describe("methods", () => {
  it.each([
    // method, safe, idempotent (RFC 9110 §9.2, §18.2; RFC 5789 §5; RFC 4918 §9)
    ["GET", true, true],
    ["HEAD", true, true],
    ["OPTIONS", true, true],
    ["TRACE", true, true],
    ["PUT", false, true],
    ["DELETE", false, true],
    ["POST", false, false],
    ["CONNECT", false, false],
    ["PATCH", false, false],
    ["LOCK", false, false],
    ["UNLOCK", false, true],
    ["PROPFIND", true, true],
    ["REPORT", true, true],
    ["SEARCH", true, true],
    ["QUERY", true, true],
    ["MKCOL", false, true],
    ["MOVE", false, true],
  ])("%s is registered; safe: %s, idempotent: %s", (method, safe, idempotent) => {
    expect([isRegisteredMethod(method), isSafeMethod(method), isIdempotentMethod(method)]).toEqual([
      true,
      safe,
      idempotent,
    ]);
  });

  it.each([
    "",
    "get",
    "Get",
    "GET ",
    "GETT",
    "BREW",
    "PURGE",
    "M-SEARCH",
    "PRI",
    "*",
    "toString",
    "__proto__",
    "constructor",
  ])("%j is none", (method) => {
    expect([isRegisteredMethod(method), isSafeMethod(method), isIdempotentMethod(method)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("are tokens, each listed once", () => {
    const methods = registeredMethods();
    expect(new Set(methods).size).toBe(methods.length);
    for (const method of methods) expect(isToken(method)).toBe(true);
  });

  it("include all that Node knows, but for those that no registry has", () => {
    const unregistered = ["M-SEARCH", "NOTIFY", "PURGE", "SOURCE", "SUBSCRIBE", "UNSUBSCRIBE"];
    expect(METHODS.filter((method) => !isRegisteredMethod(method))).toEqual(unregistered);
  });

  it("are idempotent where they are safe", () => {
    expect(registeredMethods().filter((method) => isSafeMethod(method) && !isIdempotentMethod(method))).toEqual([]);
  });
});
