import { describe, expect, it } from "vitest";
import { ServerError } from "../../src/http/errors.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { allowedBy, editDistance, type OptionMistake } from "../../src/server/option-check.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";
import { resolveOptions, type ServeOptions } from "../../src/server/options.ts";
import { isNeedOfTls } from "../../src/server/tls-options.ts";

const fetch = (): Response => new Response();

/** Options as JavaScript may give them. */
function resolve(options: unknown): ReturnType<typeof resolveOptions> {
  return resolveOptions(options as ServeOptions);
}

function failure(options: unknown): ServerError & { cause: OptionMistake[] } {
  try {
    resolve(options);
  } catch (error) {
    if (error instanceof ServerError) return error as ServerError & { cause: OptionMistake[] };
    throw error;
  }
  return expect.unreachable();
}

/** All but that there is no TLS. */
function mistakesOf(options: unknown): readonly OptionMistake[] {
  try {
    resolve(options);
    return [];
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return (error.cause as OptionMistake[]).filter((mistake) => !isNeedOfTls(mistake));
  }
}

describe("resolveOptions", () => {
  it("fills in every default", () => {
    expect(resolve({ fetch })).toMatchObject({
      targets: [{ kind: "tcp", hostname: "127.0.0.1", port: 8080, backlog: 511 }],
      signal: null,
      limits: {
        ...DEFAULT_LIMITS,
        maxConnections: 10_000,
        maxConnectionsPerAddress: Infinity,
        maxBufferedBytes: 1_048_576,
      },
      timeouts: { ...DEFAULT_TIMEOUTS, drainMs: 30_000 },
      leniencies: DEFAULT_LENIENCIES,
      isExplaining: true,
      hooks: {},
    });
  });

  it("takes undefined for not given", () => {
    const given = Object.fromEntries(
      OPTION_TABLE.filter((row) => !row.path.includes(".")).map((row) => [row.path, undefined]),
    );
    expect(
      resolve({ ...given, fetch, limits: { maxFields: undefined }, timeouts: undefined, hooks: undefined }),
    ).toEqual({
      ...resolve({ fetch }),
      fetch: expect.any(Function) as unknown,
    });
  });

  it("takes what is given", () => {
    const signal = new AbortController().signal;
    const onClose = (): void => {};
    const resolved = resolve({
      fetch,
      port: 0,
      hostname: "[::1]",
      backlog: 5,
      signal,
      limits: { maxFields: 7, maxContentBytes: Infinity },
      timeouts: { headMs: 0, drainMs: Infinity },
      allowBareLf: true,
      allowLowercaseMethods: true,
      additionalMethods: ["PURGE"],
      explainRefusals: false,
      hooks: { onClose },
    });
    expect(resolved.targets).toEqual([{ kind: "tcp", hostname: "::1", port: 0, backlog: 5 }]);
    expect(resolved.signal).toBe(signal);
    expect(resolved.limits).toMatchObject({ maxFields: 7, maxContentBytes: Infinity, maxHeadBytes: 16_384 });
    expect(resolved.timeouts).toMatchObject({ headMs: 0, drainMs: Infinity, keepAliveMs: 75_000 });
    expect(resolved.leniencies).toEqual({
      allowBareLf: true,
      allowLowercaseMethods: true,
      additionalMethods: ["PURGE"],
    });
    expect(resolved.isExplaining).toBe(false);
    expect(resolved.hooks.onClose).toBe(onClose);
  });

  it.each([
    [{ unix: "/run/app.sock" }, { kind: "unix", path: "/run/app.sock", backlog: 511 }],
    [{ fd: 3 }, { kind: "fd", fd: 3, backlog: 511 }],
    [
      { fd: -1, port: 80 },
      { kind: "tcp", hostname: "127.0.0.1", port: 80, backlog: 511 },
    ],
  ])("listens where %o says", (where, target) => {
    expect(resolve({ fetch, ...where }).targets).toEqual([target]);
  });

  it("is frozen all the way down", () => {
    const resolved = resolve({ fetch, additionalMethods: ["A"] });
    const parts = [
      resolved,
      resolved.targets[0],
      resolved.limits,
      resolved.timeouts,
      resolved.leniencies,
      resolved.leniencies.additionalMethods,
      resolved.hooks,
    ];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it("does not notice what is done to the options later", () => {
    const additionalMethods = ["A"];
    const limits = { maxFields: 3 };
    const resolved = resolve({ fetch, additionalMethods, limits });
    additionalMethods.push("B");
    limits.maxFields = 4;
    expect(resolved.leniencies.additionalMethods).toEqual(["A"]);
    expect(resolved.limits.maxFields).toBe(3);
  });

  it("bounds the default target by a smaller head", () => {
    expect(resolve({ fetch, limits: { maxHeadBytes: 1000 } }).limits.maxTargetBytes).toBe(1000);
  });

  it("calls fetch as a method of the object that it was given in", () => {
    class App {
      readonly greeting = new Response();
      fetch(): Response {
        return this.greeting;
      }
    }
    const app = new App();
    expect(Reflect.apply(resolve(app).fetch, undefined, [])).toBe(app.greeting);
  });
});

describe("mistakes", () => {
  it.each([undefined, null, 5, "app", () => {}])("refuses %s in place of options", (options) => {
    expect(failure(options).message).toContain("are an object with a fetch function");
  });

  // One value that is wrong for each option, and what is said about it
  it.each(OPTION_TABLE.map((row) => [row.path, row] as const))(
    "refuses a wrong %s and says what is allowed",
    (path, row) => {
      const wrong: Record<string, unknown> = {
        "integer": 1.5,
        "boolean": "yes",
        "text": "",
        "tokens": "two words",
        "function": {},
        "signal": {},
        "pem": 5,
        "texts": "10.0.0.1",
        "objects": ["a.pem"],
        "path": "healthz",
        "forwarding-header": "x-real-ip",
        "tls-version": "TLSv1.1",
        "ticket-keys": new Uint8Array(47),
      };
      const dot = path.indexOf(".");
      const value = wrong[row.type];
      const options =
        dot === -1 ? { fetch, [path]: value } : { fetch, [path.slice(0, dot)]: { [path.slice(dot + 1)]: value } };
      const error = failure(options);
      expect(error.code).toBe("ERR_OPTIONS");
      // A certificate and its key, or a proxy, is missing besides
      const found = error.cause.filter(({ what, given }) => what !== "is missing" && given !== "nobody");
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ path, allowed: allowedBy(row) });
      expect(error.message).toContain(`  ${path}: `);
      expect(error.message).toContain(` is allowed`);
    },
  );

  it.each(
    OPTION_TABLE.filter((row) => row.type === "integer").flatMap((row) => {
      const beyond = row.max === Infinity ? [] : [row.max + 1, Infinity];
      return [row.min - 1, NaN, null, "1", true, ...beyond].map((value) => [row.path, value] as const);
    }),
  )("refuses %s: %s", (path, value) => {
    const [group, name] = path.includes(".") ? (path.split(".") as [string, string]) : ["", path];
    expect(
      failure(group === "" ? { fetch, [name]: value } : { fetch, [group]: { [name]: value } }).cause[0]?.path,
    ).toBe(path);
  });

  it("accepts the least and the most of each number", () => {
    for (const row of OPTION_TABLE.filter((each) => each.type === "integer" && each.path !== "fd")) {
      for (const value of [row.min, row.max]) {
        const [group, name] = row.path.includes(".") ? (row.path.split(".") as [string, string]) : ["", row.path];
        const options = group === "" ? { fetch, [name]: value } : { fetch, [group]: { [name]: value } };
        const place = name === "mode" ? { unix: "/tmp/socket" } : {};
        expect(mistakesOf({ ...options, ...place }), `${row.path}: ${value}`).toEqual([]);
      }
    }
  });

  it("reports all at once, each with value, what is allowed and the name that was meant", () => {
    const error = failure({
      fetch: "nope",
      port: "8080",
      host: "0.0.0.0",
      limits: { maxHeadByte: 5, maxFields: 0 },
      timeouts: 30,
      hooks: { onrequest() {} },
      additionalMethods: ["A B"],
    });
    expect(error.message).toBe(
      [
        "8 options are invalid:",
        '  fetch: "nope" was given, a function is allowed',
        '  port: "8080" (text; Number() makes it a number) was given, an integer from 0 to 65535 is allowed',
        "  limits.maxFields: 0 was given, an integer from 1 to 10000 is allowed",
        '  additionalMethods: "A B" was given, the name of a method, a token (RFC 9110 §9.1), is allowed',
        "  limits.maxHeadByte: there is no such option, did you mean limits.maxHeadBytes?",
        "  timeouts: 30 was given, an object is allowed",
        "  hooks.onrequest: there is no such option, did you mean hooks.onRequest?",
        "  host: there is no such option, did you mean hostname?",
      ].join("\n"),
    );
  });

  it.each([
    ["missing fetch", {}, "fetch"],
    ["port and unix", { fetch, port: 80, unix: "/x" }, "unix"],
    ["unix and fd", { fetch, unix: "/x", fd: 3 }, "unix"],
    ["fd and hostname", { fetch, fd: 3, hostname: "::" }, "fd"],
    [
      "a target larger than the head",
      { fetch, limits: { maxHeadBytes: 500, maxTargetBytes: 501 } },
      "limits.maxTargetBytes",
    ],
    ["limits that are an array", { fetch, limits: [] }, "limits"],
    ["hooks that are null", { fetch, hooks: null }, "hooks"],
    ["a NUL in a path", { fetch, unix: "/a\0b" }, "unix"],
  ])("refuses %s", (_, options, path) => {
    expect(failure(options).cause.map((mistake) => mistake.path)).toEqual([path]);
  });

  it.each([
    ["limit", { maxFields: 5 }, "limits"],
    ["timeout", 5, "timeouts"],
    ["hook", {}, "hooks"],
    ["prot", 80, "port"],
    ["hostName", "x", "hostname"],
    ["maxFields", 5, "limits.maxFields"],
    ["headersTimeout", 5, "timeouts.headMs"],
    ["allowBareLF", true, "allowBareLf"],
    ["bodyLimit", 5, "limits.maxContentBytes"],
    ["maxContent", 5, "limits.maxContentBytes"],
    ["keepAlive", 5, "timeouts.keepAliveMs"],
    ["maxH", 5, "limits.maxHeadBytes"],
    ["max", 5, ""],
    ["utterlyUnknown", 5, ""],
  ])("guesses what %s was to be", (name, value, nearest) => {
    expect(failure({ fetch, [name]: value }).cause).toEqual([
      expect.objectContaining({ path: name, allowed: "", nearest }),
    ]);
  });

  it("does not show long or secret values whole", () => {
    expect(failure({ fetch, port: "x".repeat(1000) }).message.length).toBeLessThan(200);
  });
});

describe("options that do not go together", () => {
  it.each([
    [{ mode: 0o660 }, "mode: without unix was given, unix besides is allowed"],
    [{ mode: 0o660, fd: 3 }, "mode: without unix was given"],
    [{ health: { livePath: "/up", readyPath: "/up" } }, "health.readyPath: the same as livePath was given"],
    [{ health: { livePath: "/readyz" } }, "health.readyPath: the same as livePath was given"],
    [{ health: { readyPath: "/healthz" } }, "health.readyPath: the same as livePath was given"],
  ])("are refused: %j", (options, message) => {
    const error = failure({ fetch, ...options });
    expect(error.message).toContain(message);
    expect(error.cause).toHaveLength(1);
  });

  it.each([{ mode: -1 }, { mode: 0o660, unix: "/tmp/socket" }, { health: { livePath: "/up" } }])(
    "are no mistake where they do: %j",
    (options) => {
      expect(mistakesOf({ fetch, ...options })).toEqual([]);
    },
  );

  it("are told with what is wrong elsewhere, and nothing is told that only follows", () => {
    const options = { limits: { maxFields: 0 }, hsts: { maxAgeSeconds: 5 }, health: { livePath: "/readyz" } };
    expect(failure({ fetch, ...options }).cause.map(({ path }) => path)).toEqual([
      "limits.maxFields",
      "hsts",
      "health.readyPath",
    ]);
    const slips = { fetch, tls: { certfile: "a.pem", keyFile: 5 }, health: { livePath: "up" }, port: "80" };
    expect(failure(slips).cause.map(({ path }) => path)).toEqual([
      "port",
      "health.livePath",
      "tls.keyFile",
      "tls.certfile",
    ]);
    expect(failure({ tls: true }).cause.map(({ path }) => path)).toEqual(["fetch", "tls"]);
  });
});

describe("several observers", () => {
  it("are told one after the other, and a failure is written down unless one of them takes it", () => {
    const told: string[] = [];
    const { hooks } = resolve({
      fetch,
      hooks: [{ onListen: () => told.push("a"), onFault: () => false }, { onListen: () => told.push("b") }, {}],
    });
    hooks.onListen?.({} as never);
    expect(told).toEqual(["a", "b"]);
    expect(hooks.onFault?.({} as never)).toBe(false);
    expect(hooks.onRequest).toBeUndefined();
    expect(resolve({ fetch, hooks: [] }).hooks).toEqual({});
  });

  it("are each checked, with all else that is wrong", () => {
    const { cause } = failure({ fetch, port: -1, hooks: [{}, { onRequst: () => {} }, null, { onClose: 5 }] });
    expect(cause.map(({ path, nearest }) => [path, nearest])).toEqual([
      ["port", ""],
      ["hooks[1].onRequst", "hooks.onRequest"],
      ["hooks[2]", ""],
      ["hooks[3].onClose", ""],
    ]);
  });
});

describe("strangers of an app that is spread into the options", () => {
  it.each([
    ["a method", { post: () => {}, get: () => {}, use: () => {} }],
    ["an instance", { router: new Map() }],
    ["a list", { routes: [] }],
    ["a plain object", { config: { strict: true } }],
    ["a private text", { _basePath: "/" }],
    ["null and undefined", { server: null, store: undefined }],
  ])("tolerates %s", (_, strangers) => {
    expect(resolve({ ...strangers, fetch, port: 0 }).targets).toMatchObject([{ port: 0 }]);
  });
});

describe("OPTION_TABLE", () => {
  it("names each option once, with a sentence that has no period", () => {
    const paths = OPTION_TABLE.map((row) => row.path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const row of OPTION_TABLE) expect(row.description, row.path).toMatch(/^[^.].*[^.]$/);
  });

  it("has every limit, timeout and leniency of the wire, with its default", () => {
    const inTable = (prefix: string, name: string): unknown =>
      OPTION_TABLE.find((row) => row.path === prefix + name)?.default;
    for (const [name, value] of Object.entries(DEFAULT_LIMITS)) expect(inTable("limits.", name), name).toBe(value);
    for (const [name, value] of Object.entries(DEFAULT_TIMEOUTS)) expect(inTable("timeouts.", name), name).toBe(value);
    for (const [name, value] of Object.entries(DEFAULT_LENIENCIES)) expect(inTable("", name), name).toEqual(value);
  });

  it("has a default within its own range", () => {
    for (const row of OPTION_TABLE.filter((each) => each.type === "integer")) {
      expect(row.default, row.path).toBeGreaterThanOrEqual(row.min);
      expect(row.default, row.path).toBeLessThanOrEqual(row.max);
    }
  });
});

describe("what is wrong with one option", () => {
  const told = (options: object): string[] =>
    failure({ fetch, ...options }).cause.map(({ path, given, what }) => `${path}: ${what ?? given}`);

  it("hides nothing of the others in its group", () => {
    expect(told({ tls: { minVersion: "TLSv1.1", certFile: "/no/a.crt", keyFile: "/no/a.key", watch: 1 } })).toEqual([
      'tls.minVersion: "TLSv1.1"',
      "tls.watch: 1",
      "tls.certFile: /no/a.crt does not exist",
      "tls.keyFile: /no/a.key does not exist",
    ]);
    expect(told({ trustProxy: { from: ["x", 5, "10.0.0.1", "y"], header: "z" } })).toEqual([
      "trustProxy.from: 5",
      'trustProxy.header: "z"',
      'trustProxy.from: "x"',
      'trustProxy.from: "y"',
    ]);
    expect(told({ proxyProtocol: { from: ["x"], allowDirect: 5 } })).toEqual([
      "proxyProtocol.allowDirect: 5",
      'proxyProtocol.from: "x"',
    ]);
    expect(told({ health: { livePath: "/a", readyPath: "/a", ready: "/b" } })).toEqual([
      'health.ready: "/b"',
      "health.readyPath: the same as livePath",
    ]);
    expect(told({ additionalMethods: ["a b", "OK", "c d"] })).toEqual([
      'additionalMethods: "a b"',
      'additionalMethods: "c d"',
    ]);
  });

  it("is told once, and not as what it leaves missing", () => {
    expect(told({ tls: { certFile: 5, keyFile: "/no/a.key" } })).toEqual([
      "tls.certFile: 5",
      "tls.keyFile: /no/a.key does not exist",
    ]);
    expect(told({ tls: { certfile: "a.crt", keyFile: "/no/a.key" } })).toEqual([
      'tls.certfile: "a.crt"',
      "tls.keyFile: /no/a.key does not exist",
    ]);
    expect(told({ trustProxy: { from: [5] } })).toEqual(["trustProxy.from: 5"]);
    expect(told({ trustProxy: { form: ["10.0.0.1"] } })).toEqual(["trustProxy.form: an array of 1"]);
    expect(told({ health: { livePath: 5, readyPath: "/healthz" } })).toEqual(["health.livePath: 5"]);
    expect(told({ hsts: { preload: true, maxAgeSeconds: "x" } })).toEqual(['hsts.maxAgeSeconds: "x"']);
  });
});

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["port", "port", 0],
    ["prot", "port", 1],
    ["healht", "health", 1],
    ["ca", "abc", 3],
    ["kitten", "sitting", 3],
  ])("between %s and %s is %i", (a, b, distance) => {
    expect(Math.ceil(editDistance(a, b))).toBe(distance);
    expect(Math.ceil(editDistance(b, a))).toBe(distance);
  });

  it("is a trifle less where letters changed places than where one was replaced", () => {
    expect(editDistance("lsit", "list")).toBeLessThan(editDistance("lsit", "lsix"));
  });

  it.each([
    ["limtis", "limits"],
    ["healht", "health"],
    ["prot", "port"],
  ])("finds %s meant for %s, also where its value is an object", (typed, meant) => {
    expect(failure({ fetch, [typed]: {} }).cause).toMatchObject([{ path: typed, nearest: meant }]);
  });
});
