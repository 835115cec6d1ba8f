import { describe, expect, it } from "vitest";
import { REQUEST_ID, requestId, type RequestIdOptions } from "../../src/middleware/request-id.ts";
import { Response } from "../../src/web/response.ts";
import { arrive, ask } from "./support/ask.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What the handler saw and what the answer says: the same, always. */
async function named(options: RequestIdOptions, incoming?: string): Promise<string> {
  const { request, context } = arrive({ headers: incoming === undefined ? {} : { "x-request-id": incoming } });
  let seen = "";
  const response = (await requestId(options)(request, context, (_request, here) => {
    seen = here.get(REQUEST_ID);
    return new Response(null, { headers: { "x-request-id": "the handler's own" } });
  })) as Response;
  expect(response.headers.get(options.field ?? "x-request-id")).toBe(seen);
  return seen;
}

describe("the name of a request", () => {
  it("is random, and another for each", async () => {
    const [one, two] = [await named({}), await named({})];
    expect(one).toMatch(UUID);
    expect(one).not.toBe(two);
  });

  it("is not the client's to choose, unless the option says so", async () => {
    expect(await named({}, "abc")).toMatch(UUID);
    expect(await named({ trustIncoming: true }, "abc.DEF-1_2~3+4/5=6:7")).toBe("abc.DEF-1_2~3+4/5=6:7");
    expect(
      await named({ trustIncoming: (_request, context) => context.remoteAddress.address === "::9" }, "abc"),
    ).toMatch(UUID);
    expect(await named({ trustIncoming: true })).toMatch(UUID);
  });

  it.each(["", " ", "a b", "a\tb", "é", "a\u0085b", "x".repeat(129), '"a"', "{}", "a,b"])(
    "is never %j, though it is trusted",
    async (incoming) => {
      expect(await named({ trustIncoming: true }, incoming)).toMatch(UUID);
    },
  );

  it("may be made otherwise, but only well", async () => {
    expect(await named({ generate: () => "n-1", field: "x-trace" })).toBe("n-1");
    await expect(ask(requestId({ generate: () => "a\r\nb: c" }), () => new Response("ok"))).rejects.toThrow(
      "generate()",
    );
  });

  it("is empty where nobody gave one", () => {
    expect(arrive().context.get(REQUEST_ID)).toBe("");
  });

  it.each([{ field: "a b" }, { trustIncoming: "yes" }, { genrate: () => "" }])("refuses %j", (options) => {
    expect(() => requestId(options as RequestIdOptions)).toThrow(TypeError);
  });
});
