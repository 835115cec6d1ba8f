import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { securityHeaders, type SecurityHeadersOptions } from "../../src/middleware/security-headers.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";
import { ask, type AskOptions, fieldsOf, refused } from "./support/ask.ts";

async function added(options: SecurityHeadersOptions, asked: AskOptions = {}): Promise<Record<string, string>> {
  return fieldsOf(await ask(securityHeaders(options), () => new Response(null), asked));
}

const NONE: SecurityHeadersOptions = {
  contentSecurityPolicy: null,
  frameAncestors: null,
  strictTransportSecurity: null,
  contentTypeOptions: null,
  referrerPolicy: null,
  crossOriginOpenerPolicy: null,
  crossOriginResourcePolicy: null,
  permissionsPolicy: null,
};

describe("security headers", () => {
  it("are strict unless told otherwise", async () => {
    const fields = await added({});
    expect(fields).toMatchObject({
      "content-security-policy":
        "default-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; script-src-attr 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(fields["permissions-policy"]).toContain("camera=()");
  });

  it("ask for HTTPS only over TLS", async () => {
    expect((await added({}))["strict-transport-security"]).toBeUndefined();
    expect((await added({}, { isEncrypted: true }))["strict-transport-security"]).toBe("max-age=31536000");
  });

  it("can each be left out", async () => {
    expect(await added(NONE, { isEncrypted: true })).toEqual({});
  });

  it.each<[SecurityHeadersOptions, string | undefined]>([
    [{ contentSecurityPolicy: "default-src 'none'" }, "default-src 'none'; frame-ancestors 'none'"],
    [{ contentSecurityPolicy: null, frameAncestors: "'self'" }, "frame-ancestors 'self'"],
    [
      { contentSecurityPolicy: "frame-ancestors https://a.example; img-src *" },
      "frame-ancestors https://a.example; img-src *",
    ],
  ])("put the policy of %j together", async (options, policy) => {
    expect((await added(options))["content-security-policy"]).toBe(policy);
  });

  it("leave alone what the handler says itself", async () => {
    const make = (): Response => new Response(null, { headers: { "Content-Security-Policy": "img-src *" } });
    expect(fieldsOf(await ask(securityHeaders(), make))["content-security-policy"]).toBe("img-src *");
  });

  it("are on the answer to an error too, each once", async () => {
    const own = { "Content-Security-Policy": "img-src *" };
    expect(await refused(securityHeaders(), new HttpError(404, "", { headers: own }))).toMatchObject({
      "referrer-policy": "same-origin",
      "content-security-policy": "img-src *",
      "x-content-type-options": "nosniff",
    });
  });

  it("are shared where the handler's are", async () => {
    const middleware = securityHeaders();
    const one = takeAnswer(await ask(middleware, () => new Response("a"))).head.fields;
    expect(takeAnswer(await ask(middleware, () => new Response("b"))).head.fields).toBe(one);
  });

  it("are checked", () => {
    expect(() => securityHeaders({ referrerPolicy: "a\r\nb: c", contentSecurityPolic: "" } as object)).toThrow(
      /referrerPolicy[^]*contentSecurityPolic: [^]*contentSecurityPolicy\?/,
    );
  });
});
