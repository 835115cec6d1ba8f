import { STATUS_CODES } from "node:http";
import { describe, expect, it } from "vitest";
import {
  forbidsContent,
  forbidsContentLength,
  isFinalStatus,
  reasonPhrase,
  registeredStatuses,
  requiresEmptyContent,
} from "../../src/http/status.ts";

describe("reasonPhrase", () => {
  it.each([
    [100, "Continue"],
    [103, "Early Hints"],
    [200, "OK"],
    [308, "Permanent Redirect"],
    [413, "Content Too Large"],
    [414, "URI Too Long"],
    [416, "Range Not Satisfiable"],
    [422, "Unprocessable Content"],
    [431, "Request Header Fields Too Large"],
    [451, "Unavailable For Legal Reasons"],
    [505, "HTTP Version Not Supported"],
  ])("%i: %s", (status, phrase) => {
    expect(reasonPhrase(status)).toBe(phrase);
  });

  it.each([0, 99, 104, 199, 299, 306, 418, 499, 509, 599, 600, 999, -1, 200.5, Number.NaN])(
    "%d is not registered: empty",
    (status) => {
      expect(reasonPhrase(status)).toBe("");
    },
  );

  it("agrees with Node's table but for phrases that RFC 9110 has renamed", () => {
    const renamed = [413, 422];
    const notRegistered = [418, 509];
    for (const [code, phrase] of Object.entries(STATUS_CODES)) {
      const status = Number(code);
      if (renamed.includes(status) || notRegistered.includes(status)) continue;
      expect([status, reasonPhrase(status)]).toEqual([status, phrase]);
    }
  });

  it("knows a phrase for each registered status, fit for a status line", () => {
    const statuses = registeredStatuses();
    expect(statuses.length).toBeGreaterThan(60);
    for (const status of statuses) expect(reasonPhrase(status)).toMatch(/^[A-Z][A-Za-z -]+$/);
  });
});

describe("content", () => {
  it("is forbidden for 1xx, 204 and 304 alone", () => {
    const forbidding = registeredStatuses().filter(forbidsContent);
    expect(forbidding).toEqual([100, 101, 102, 103, 204, 304]);
  });

  it("has no Content-Length for 1xx and 204 alone", () => {
    expect(registeredStatuses().filter(forbidsContentLength)).toEqual([100, 101, 102, 103, 204]);
  });

  it("is empty for 205 alone", () => {
    expect(registeredStatuses().filter(requiresEmptyContent)).toEqual([205]);
  });
});

describe("isFinalStatus", () => {
  it.each([
    [199, false],
    [200, true],
    [299, true],
    [599, true],
    [600, false],
    [100, false],
    [0, false],
    [-200, false],
    [200.5, false],
    [Number.NaN, false],
    [Infinity, false],
  ])("%d: %s", (status, expected) => {
    expect(isFinalStatus(status)).toBe(expected);
  });
});
