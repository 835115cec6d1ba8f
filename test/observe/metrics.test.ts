import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { AggregatorRegistry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HandlerError } from "../../src/http/errors.ts";
import { adminServer } from "../../src/observe/admin-server.ts";
import { joinHooks } from "../../src/server/join-hooks.ts";
import { METRICS, PROCESS_METRICS } from "../../src/observe/metric-table.ts";
import { metrics, type Metrics } from "../../src/observe/metrics.ts";
import type { Hooks } from "../../src/server/hooks.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { readText } from "../architecture/source.ts";
import { exchangeOf, refusalOf, responseOf } from "./support/exchanges.ts";

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ drainMs: 0 })));
});

/** A metric without those of the process. */
function plain(options: Parameters<typeof metrics>[0] = {}): Metrics {
  return metrics({ process: false, ...options });
}

/** Values by `name{labels}`. */
async function valuesOf(observed: Metrics): Promise<Map<string, number>> {
  const text = await observed.render();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

function tell(observed: Metrics, ...facts: Parameters<typeof responseOf>): void {
  const response = responseOf(...facts);
  observed.hooks.onRequest?.(response.exchange);
  observed.hooks.onResponse?.(response);
}

describe("requests", () => {
  it("are counted by method, class of status and route", async () => {
    const observed = plain();
    tell(observed, { route: "/users/:id" });
    tell(observed, { route: "/users/:id", target: "/users/2", status: 204 });
    tell(observed, { method: "BREW", status: 405 });
    tell(observed, { method: "POST", status: 0, outcome: "aborted" });
    const values = await valuesOf(observed);
    expect(values.get('fairlead_http_requests_total{method="GET",status="2xx",route="/users/:id"}')).toBe(2);
    expect(values.get('fairlead_http_requests_total{method="other",status="4xx",route="none"}')).toBe(1);
    expect(values.get('fairlead_http_requests_total{method="POST",status="none",route="none"}')).toBe(1);
    expect(values.get('fairlead_http_responses_cut_off_total{outcome="aborted"}')).toBe(1);
    expect(values.get("fairlead_http_requests_in_flight")).toBe(0);
  });

  it("have durations in cumulative ranges, whose bounds belong to them", async () => {
    const observed = plain({ buckets: [0.001, 0.01] });
    for (const durationMs of [0.5, 1, 5, 50]) tell(observed, { durationMs, firstByteMs: 0.2 });
    const values = await valuesOf(observed);
    const of = (le: string): number | undefined =>
      values.get(`fairlead_http_request_duration_seconds_bucket{route="none",le="${le}"}`);
    expect([of("0.001"), of("0.01"), of("+Inf")]).toEqual([2, 3, 4]);
    expect(values.get('fairlead_http_request_duration_seconds_sum{route="none"}')).toBeCloseTo(0.0565);
    expect(values.get('fairlead_http_request_duration_seconds_count{route="none"}')).toBe(4);
    expect(values.get('fairlead_http_first_byte_seconds_bucket{route="none",le="0.001"}')).toBe(4);
  });

  it("have bounded routes, however many there are", async () => {
    const observed = plain({ maxRoutes: 2 });
    for (let i = 0; i < 50; i++) tell(observed, { route: `/${i}`, contentBytes: 2, requestContentBytes: 3 });
    tell(observed);
    const values = await valuesOf(observed);
    const routes = [...values.keys()].filter((key) => key.startsWith("fairlead_http_response_content_bytes_total"));
    expect(routes.map((key) => /route="(.*?)"/.exec(key)?.[1])).toEqual(["/0", "/1", "other", "none"]);
    expect(values.get('fairlead_http_response_content_bytes_total{route="other"}')).toBe(96);
    expect(values.get('fairlead_http_request_content_bytes_total{route="other"}')).toBe(144);
  });
});

describe("trouble", () => {
  it("is counted by code, and by the option that would have prevented it", async () => {
    const observed = plain();
    observed.hooks.onRefusal?.(refusalOf("ERR_BARE_LF"));
    observed.hooks.onRefusal?.(refusalOf("ERR_HEAD_TOO_LARGE"));
    observed.hooks.onRefusal?.(refusalOf("ERR_TOO_MANY_CONNECTIONS"));
    const faults = [
      new Error("x"),
      new HandlerError("ERR_RESPONSE_LENGTH"),
      Object.assign(new Error("y"), { code: "EIO" }),
    ];
    const taken = faults.map((error) => observed.hooks.onFault?.({ id: "", error, exchange: null }));
    // Counting is not writing down: the server does that
    expect(taken).toEqual([false, false, false]);
    const values = await valuesOf(observed);
    expect(values.get('fairlead_refusals_total{code="ERR_BARE_LF"}')).toBe(1);
    expect(values.get('fairlead_limits_hit_total{option="limits.maxHeadBytes"}')).toBe(1);
    expect(values.get("fairlead_connections_refused_total")).toBe(1);
    expect(values.get('fairlead_faults_total{code="exception"}')).toBe(2);
    expect(values.get('fairlead_faults_total{code="ERR_RESPONSE_LENGTH"}')).toBe(1);
  });

  it("has lines that a log has dropped, and what pools of threads do", async () => {
    const observed = plain();
    observed.watchLog({ droppedLines: 2 });
    observed.watchLog({ droppedLines: 3 });
    observed.watchPool("images", () => ({ threads: 3, running: 2, queued: 7, completed: 9, refused: 1, crashed: 0 }));
    const values = await valuesOf(observed);
    expect(values.get("fairlead_log_lines_dropped_total")).toBe(5);
    expect(values.get('fairlead_worker_requests_queued{pool="images"}')).toBe(7);
    expect(values.get('fairlead_worker_requests_completed_total{pool="images"}')).toBe(9);
  });
});

describe("a server", () => {
  it("is told as it is, with connections, bytes and refusals", async () => {
    const observed = plain();
    const app = new App().post("/echo/:n", (request) => request.text().then((text) => new Response(text)));
    const server = await serve({ port: 0, fetch: app.fetch, hooks: observed.hooks });
    servers.push(server);
    for (const path of ["echo/1", "echo/2", "nowhere"]) {
      await (await fetch(`${server.url.href}${path}`, { method: "POST", body: "12345" })).text();
    }
    const socket = connect(server.port, "127.0.0.1");
    socket.end("GET / HTTP/1.1\n\n").resume();
    await once(socket, "close");
    const values = await valuesOf(observed);
    expect(values.get('fairlead_http_requests_total{method="POST",status="2xx",route="/echo/:n"}')).toBe(2);
    expect(values.get('fairlead_http_requests_total{method="POST",status="4xx",route="none"}')).toBe(1);
    expect(values.get('fairlead_http_request_content_bytes_total{route="/echo/:n"}')).toBe(10);
    expect(values.get('fairlead_http_response_content_bytes_total{route="/echo/:n"}')).toBe(10);
    expect(values.get('fairlead_refusals_total{code="ERR_BARE_LF"}')).toBe(1);
    expect(values.get("fairlead_connections_accepted_total")).toBeGreaterThanOrEqual(2);
  });

  it("adds up with others of its kind", async () => {
    const all = [plain(), plain()];
    for (const one of all) tell(one, { durationMs: 5 });
    const json = await Promise.all(all.map(({ registry }) => registry.getMetricsAsJSON()));
    const text = await AggregatorRegistry.aggregate(json).metrics();
    expect(text).toContain('fairlead_http_requests_total{method="GET",status="2xx",route="none"} 2');
    expect(text).toContain('fairlead_http_request_duration_seconds_bucket{route="none",le="0.005"} 2');
    expect(text).toContain('fairlead_http_request_duration_seconds_count{route="none"} 2');
  });
});

describe("the admin server", () => {
  async function get(server: Server, path: string, host = "localhost"): Promise<{ status: number; text: string }> {
    const socket = connect(server.port, "127.0.0.1");
    socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    let answer = "";
    socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
    await once(socket, "close");
    return { status: Number(answer.slice(9, 12)), text: answer.slice(answer.indexOf("\r\n\r\n") + 4) };
  }

  it("tells metrics, liveness and readiness on the loopback interface alone", async () => {
    const observed = metrics();
    const server = await serve({ port: 0, fetch: () => new Response("x"), hooks: observed.hooks });
    const admin = await adminServer({ port: 0, metrics: observed, server });
    servers.push(server, admin);
    expect(admin.hostname).toBe("127.0.0.1");
    expect((await get(admin, "/metrics")).text).toContain("process_cpu_seconds_total");
    expect(await get(admin, "/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    expect(await get(admin, "/readyz")).toMatchObject({ status: 200 });
    expect(await get(admin, "/")).toMatchObject({ status: 404 });
    const closing = server.close();
    expect(await get(admin, "/readyz")).toMatchObject({ status: 503 });
    expect(await get(admin, "/healthz")).toMatchObject({ status: 200 });
    await closing;
  });

  it.each([
    ["evil.example", 421],
    ["localhost:9180", 200],
    ["127.0.0.1", 200],
    ["[::1]:9180", 200],
    ["127.0.0.1.evil.example", 421],
  ])("answers a request for %s with %i", async (host, status) => {
    const admin = await adminServer({ port: 0 });
    servers.push(admin);
    expect(await get(admin, "/healthz", host)).toMatchObject({ status });
  });

  it("takes no other method, and has room for handlers of the user's", async () => {
    const admin = await adminServer({ port: 0, fetch: () => new Response("mine") });
    servers.push(admin);
    expect((await fetch(`${admin.url.href}healthz`, { method: "POST" })).status).toBe(405);
    expect(await (await fetch(`${admin.url.href}else`)).text()).toBe("mine");
  });
});

describe("several observers", () => {
  it("are all told, whatever one of them does", () => {
    const told: string[] = [];
    const bad: Hooks = {
      onResponse: () => {
        throw new Error("bad");
      },
      onFault: () => false,
    };
    const good: Hooks = { onResponse: () => told.push("response"), onRequest: () => told.push("request") };
    const joined = joinHooks(bad, good, {});
    expect(() => joined.onResponse?.(responseOf())).toThrow("bad");
    joined.onRequest?.(exchangeOf());
    expect(told).toEqual(["response", "request"]);
    expect(joined.onConnection).toBeUndefined();
    const fault = { id: "", error: null, exchange: null };
    expect(joined.onFault?.(fault)).toBe(false);
    expect(joinHooks(bad, { onFault: () => {} }).onFault?.(fault)).toBeUndefined();
  });

  it("are objects, and whoever gives something else is told which", () => {
    for (const wrong of [undefined, null, "log", () => {}]) {
      expect(() => joinHooks({}, wrong as unknown as Hooks)).toThrow(
        /^observer 2 of joinHooks\(\) is .*: hooks are an object/,
      );
    }
  });

  it("may take their time", async () => {
    const joined = joinHooks({ onClose: async () => "a" }, { onClose: () => Promise.reject(new Error("late")) });
    const summary = { durationMs: 0, destroyedConnections: 0, abandonedPromises: 0 };
    await expect(joined.onClose?.(summary)).rejects.toThrow("late");
  });

  it("leave no rejection unheard where another throws at once", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown): void => void unheard.push(reason);
    const atOnce: Hooks = {
      onRequest: () => {
        throw new Error("at once");
      },
    };
    const late: Hooks = { onRequest: () => Promise.reject(new Error("late")) };
    process.on("unhandledRejection", note);
    try {
      expect(() => joinHooks(atOnce, late).onRequest?.(exchangeOf())).toThrow("at once");
      expect(() => joinHooks(late, atOnce).onRequest?.(exchangeOf())).toThrow("at once");
      await turn();
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(unheard).toEqual([]);
  });
});

describe("the pages", () => {
  it("of reference has every metric, once, with type and labels", async () => {
    const page = readText("docs/reference/metrics.md");
    const rows = [...page.matchAll(/^\| `(fairlead_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$/gm)].map((match) =>
      match.slice(1),
    );
    const expected = Object.values({ ...METRICS, ...PROCESS_METRICS }).map(({ name, type, labels, help }) => [
      name,
      type,
      labels.map((label) => `\`${label}\``).join(", "),
      help,
    ]);
    expect(rows).toEqual(expected);
    const ours = new Set(expected.map(([name]) => name));
    const others = (await metrics().registry.getMetricsAsJSON())
      .map(({ name }) => name)
      .filter((name) => !ours.has(name));
    expect(others.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it("of Grafana asks for metrics and labels that there are", async () => {
    const text = readText("examples/deploy/grafana-dashboard.json");
    const queries: string[] = [];
    JSON.parse(text, (name, value: unknown) => {
      if (name === "expr") queries.push(String(value));
      return value;
    });
    const ofProcesses = Object.values(PROCESS_METRICS);
    const known = new Set([
      ...(await metrics().registry.getMetricsAsJSON()).map(({ name }) => name),
      ...ofProcesses.map(({ name }) => name),
    ]);
    const asked = queries.flatMap((query) => query.match(/\b(?:fairlead|process|nodejs)_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(15);
    expect(asked.filter((name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, "")))).toEqual(
      [],
    );
    const labels = new Set([
      "le",
      "job",
      "instance",
      ...[...Object.values(METRICS), ...ofProcesses].flatMap((row) => row.labels),
    ]);
    const used = queries.flatMap((query) =>
      [...query.matchAll(/(?:by \(|[{,]\s*)(\w+)(?=[,)]|=|!)/g)].map((match) => match[1] ?? ""),
    );
    expect(used.filter((label) => !labels.has(label))).toEqual([]);
  });
});

describe("options", () => {
  it("are checked whole", () => {
    const wrong = { buckets: [1, 1], maxRoute: 3, labels: { "a-b": "x" } } as never;
    expect(() => metrics(wrong)).toThrow(/3 options are invalid[^]*did you mean maxRoutes/);
  });

  it("of the admin server are checked whole", async () => {
    await expect(adminServer({ port: -1, hostname: "" })).rejects.toThrow(/2 options are invalid/);
  });
});
