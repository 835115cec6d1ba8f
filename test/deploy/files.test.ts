/** The files of examples/deploy: their numbers agree with our defaults and with one another, and the tools they are for take them. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { readUsage } from "../../src/cli/usage.ts";
import { NOTIFY_NAME } from "../../src/server/inherited-sockets.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";
import { listFiles, readText, ROOT } from "../architecture/source.ts";

const FOLDER = join(ROOT, "examples/deploy");

function read(name: string): string {
  return readText(`examples/deploy/${name}`);
}

function defaultOf(path: string): unknown {
  return OPTION_TABLE.find((row) => row.path === path)?.default;
}

/** The number behind `key`, once in the text. */
function numberIn(text: string, key: RegExp): number {
  const found = [...text.matchAll(new RegExp(`${key.source}(\\d+)`, "g"))].map(([, number]) => Number(number));
  expect(found).toHaveLength(1);
  return found[0] as number;
}

/** The block of a probe, to the next line that is not deeper. */
function probe(text: string, name: string): string {
  return new RegExp(`^ {10}${name}Probe:\\n((?: {12}.*\\n)+)`, "m").exec(text)?.[1] ?? "";
}

/**
 * What is wrong with a document of the kind of YAML that the manifest is: mappings and lists in blocks of two, and values in one
 * line. It is no parser of YAML; whatever it does not know is wrong.
 */
function mistakesInYaml(text: string): string[] {
  const wrong: string[] = [];
  /** Names by the indent of their mapping; what is deeper is forgotten when a mapping ends. */
  const names = new Map<number, Set<string>>();
  let depth = 0;
  for (const line of text.split("\n")) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const match = /^((?:  )*)(- )?(?:([A-Za-z]+):(?: (.+))?|(\{.*\}))$/.exec(line);
    if (match === null) {
      wrong.push(line);
      continue;
    }
    const [, indent = "", dash = "", name = "", value = ""] = match;
    const at = indent.length + dash.length;
    // Deeper only below a name without a value, and by one step
    if (at > depth + 2) wrong.push(line);
    for (const known of names.keys()) if (known > at || (dash !== "" && known === at)) names.delete(known);
    const siblings = names.get(at) ?? new Set();
    if (name !== "" && siblings.has(name)) wrong.push(line);
    names.set(at, siblings.add(name));
    depth = at + (value === "" && name !== "" ? 2 : 0);
    if (!isYamlValue(value === "" ? (match[5] ?? "x") : value)) wrong.push(line);
  }
  return wrong;
}

function isYamlValue(value: string): boolean {
  if (/^"[^"]*"$|^[\w./:-]+$/.test(value)) return true;
  const list = /^\[ ?(.*?) ?\]$/.exec(value)?.[1];
  if (list !== undefined) return list.split(", ").every(isYamlValue);
  const members = /^\{ (.*) \}$/.exec(value)?.[1];
  return (
    members !== undefined &&
    /^\w+: [^,{}]+(?:, \w+: [^,{}]+)*$/.test(members) &&
    members.split(", ").every((one) => isYamlValue(one.replace(/^\w+: /, "")))
  );
}

const drainMs = defaultOf("timeouts.drainMs") as number;
const keepAliveMs = defaultOf("timeouts.keepAliveMs") as number;

describe("kubernetes.yaml", () => {
  const text = read("kubernetes.yaml");
  const lameDuckMs = numberIn(text, /LAME_DUCK_MS, value: "/);

  it("gives more time than serving on and draining take", () => {
    expect(numberIn(text, /terminationGracePeriodSeconds: /) * 1000).toBeGreaterThan(lameDuckMs + drainMs);
  });

  it("serves on until the readiness probe has failed often enough, and some seconds more", () => {
    const block = probe(text, "readiness");
    expect(block).toContain(`path: ${String(defaultOf("health.readyPath"))},`);
    const noticedMs = numberIn(block, /periodSeconds: /) * numberIn(block, /failureThreshold: /) * 1000;
    expect(lameDuckMs).toBeGreaterThan(noticedMs + 5000);
  });

  it.each(["liveness", "startup"])("asks by the %s probe whether it is alive, not whether it is ready", (name) => {
    expect(probe(text, name)).toContain(`path: ${String(defaultOf("health.livePath"))},`);
  });

  it("asks at the port that the app is told", () => {
    expect(numberIn(text, /containerPort: /)).toBe(numberIn(text, /name: PORT, value: "/));
    expect(text.match(/port: http /g)).toHaveLength(3);
  });

  it("is YAML: blocks indented by two, quotes and brackets closed, no tab and no name twice", () => {
    for (const document of text.split(/^---$/m)) expect(mistakesInYaml(document)).toEqual([]);
    expect(mistakesInYaml("a:\n   b: 1\n")).not.toEqual([]);
    expect(mistakesInYaml("a: { b: 1\n")).not.toEqual([]);
    expect(mistakesInYaml("a: 1\na: 2\n")).not.toEqual([]);
    expect(mistakesInYaml("a 1\n")).not.toEqual([]);
  });

  it("lets probes wait no longer than they come, and an update take nobody away", () => {
    for (const name of ["liveness", "readiness"]) {
      expect(numberIn(probe(text, name), /timeoutSeconds: /)).toBeLessThanOrEqual(
        numberIn(probe(text, name), /periodSeconds: /),
      );
    }
    expect(numberIn(text, /maxUnavailable: /)).toBe(0);
  });

  it("names only variables that the app knows", () => {
    const names = [...text.matchAll(/name: ([A-Z_]+), value/g)].map(([, name]) => name as string);
    expect(names.filter((name) => !read("server.js").includes(`${name} = `))).toEqual([]);
  });
});

describe("Dockerfile", () => {
  const text = read("Dockerfile");

  it("ends the app by the signal that it waits for, and starts it without anything in between", () => {
    expect(text).toMatch(/^STOPSIGNAL SIGTERM$/m);
    expect(text).toMatch(/^CMD \["node", "server.js"\]$/m);
    expect(read("server.js")).toContain('"SIGTERM"');
  });

  it("starts the app by the words of its CMD, which then answers the words of its HEALTHCHECK", async () => {
    const words = (key: RegExp): string[] => JSON.parse(key.exec(text)?.[1] ?? "") as string[];
    const [program = "", ...args] = words(/^CMD (\[.*\])$/m);
    const [asking = "", ...question] = words(/^ +CMD (\[.*\])$/m);
    expect([program, asking]).toEqual(["node", "node"]);
    // As the image has it, but for the port
    const env = { ...process.env, HOST: "0.0.0.0", PORT: "0" };
    const app = spawn(process.execPath, args, { cwd: FOLDER, env, stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = (await once(createInterface(app.stdout), "line")) as [string];
      const port = /:(\d+)\//.exec(line)?.[1] ?? "";
      const ask = (at: string): number | null =>
        spawnSync(process.execPath, question, { env: { ...process.env, PORT: at } }).status;
      expect(ask(port)).toBe(0);
      const exited = once(app, "exit");
      app.kill("SIGTERM");
      expect((await exited)[0]).toBe(0);
      expect(ask(port)).toBe(1);
    } finally {
      app.kill("SIGKILL");
    }
  });

  it("copies what there is, by names that the folder has", () => {
    const copied = [...text.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = ""]) => names.split(" "));
    // The first are the app's own
    expect([...new Set(copied)].toSorted()).toEqual(["package-lock.json", "package.json", "server.js"]);
    expect(existsSync(join(FOLDER, "server.js"))).toBe(true);
  });

  it("sets only variables that the app, or Node's world, knows", () => {
    const names = [...text.matchAll(/\b([A-Z_]+)=/g)].map(([, name]) => name as string);
    expect(names.filter((name) => name !== "NODE_ENV" && !read("server.js").includes(`${name} = `))).toEqual([]);
  });

  it("runs as nobody special, on a Node that is supported", () => {
    expect(text).toMatch(/^USER node$/m);
    const versions = [...text.matchAll(/^FROM node:(\d+)-slim/gm)].map(([, major]) => Number(major));
    expect(versions).toHaveLength(2);
    expect(Math.min(...versions)).toBeGreaterThanOrEqual(20);
  });

  it("asks whether the app is alive, where it listens", () => {
    expect(text).toContain(`'${String(defaultOf("health.livePath"))}'`);
    expect(numberIn(text, /EXPOSE /)).toBe(numberIn(text, / PORT=/));
  });

  it("tells of a time to stop that is longer than draining", () => {
    expect(numberIn(text, /--stop-timeout /) * 1000).toBeGreaterThan(drainMs);
  });
});

describe.each(["app", "fairlead"])("the units of %s", (name) => {
  const service = read(`${name}.service`);
  const socket = read(`${name}.socket`);

  it("leave more time than draining takes", () => {
    expect(numberIn(service, /TimeoutStopSec=/) * 1000).toBeGreaterThan(drainMs);
  });

  it("queue as many connections as our default does", () => {
    expect(numberIn(socket, /Backlog=/)).toBe(defaultOf("backlog"));
  });

  it("let the app have descriptors for all connections that it takes", () => {
    expect(numberIn(service, /LimitNOFILE=/)).toBeGreaterThan(defaultOf("limits.maxConnections") as number);
  });

  it.each([
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    "DynamicUser=yes",
    "KillMode=mixed",
    "ProtectProc=invisible",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
  ])("say %s", (line) => {
    expect(service.split("\n")).toContain(line);
  });

  it("belong together", () => {
    expect(service).toContain(`Requires=${name}.socket\n`);
    expect(socket).toContain("WantedBy=sockets.target\n");
  });

  const analyze = "systemd-analyze";
  const version = Number(
    /^systemd (\d+)/.exec(spawnSync(analyze, ["--version"], { encoding: "utf8" }).stdout ?? "")?.[1],
  );
  if (!(version > 0)) process.emitWarning("SKIPPED: systemd-analyze is not installed: apt-get install systemd");

  it.skipIf(!(version > 0))("are understood by systemd, but for what older versions do not know", () => {
    const paths = ["service", "socket"].map((kind) => join(FOLDER, `${name}.${kind}`));
    const { stderr } = spawnSync(analyze, ["verify", "--man=no", ...paths], { encoding: "utf8" });
    const isTooNew = (line: string): boolean => version < 253 && line.includes("Unknown key 'OpenFile'");
    // Programs of the example need not be on this machine
    const wrong = stderr
      .split("\n")
      .filter((line) => line.includes(name) && !isTooNew(line) && !/is not executable/.test(line));
    expect(wrong).toEqual([]);
  });
});

describe("app.service", () => {
  it("tells the app to take the sockets of systemd", () => {
    expect(read("app.service")).toContain("Environment=NODE_ENV=production LISTEN=systemd\n");
    expect(read("server.js")).toContain('LISTEN === "systemd"');
  });
});

describe("fairlead.service", () => {
  const service = read("fairlead.service");

  it("starts the command with flags that it has, on the socket of its unit, and nothing in between", () => {
    const [, words = ""] = /^ExecStart=\/usr\/bin\/node \S+\/dist\/cli\/start\.cjs (.*)$/m.exec(service) ?? [];
    const usage = readUsage(words.split(" "));
    expect(usage).toMatchObject({ verb: "serve", words: ["/srv/site/htdocs"] });
    const [, socketName] = /^FileDescriptorName=(.*)$/m.exec(read("fairlead.socket")) ?? [];
    expect(usage.flags.get("listen")).toEqual([`systemd:${socketName}`]);
    const { listen: _listen, ...others } = Object.fromEntries(usage.flags);
    expect(others).toEqual({ workers: ["auto"], admin: [true], log: ["json"] });
    expect(existsSync(join(ROOT, "dist/cli/start.cjs")) || !existsSync(join(ROOT, "dist"))).toBe(true);
  });

  it("lets the primary process alone speak for it, over what systemd opens for it", () => {
    const lines = service.split("\n");
    expect(lines).toContain("Type=notify");
    expect(lines).toContain("NotifyAccess=main");
    expect(lines).toContain(`OpenFile=/run/systemd/notify:${NOTIFY_NAME}`);
    expect(lines).toContain("ExecReload=/bin/kill -HUP $MAINPID");
  });
});

describe("the proxies", () => {
  it.each([
    ["nginx.conf", /keepalive_timeout /],
    ["Caddyfile", /keepalive /],
    ["haproxy.cfg", /timeout http-keep-alive /],
  ])("%s closes idle connections before we do", (name, key) => {
    expect(numberIn(read(name), key) * 1000).toBeLessThan(keepAliveMs);
  });

  it.each(["nginx.conf", "haproxy.cfg"])("%s lets nothing through that clients say of themselves", (name) => {
    for (const field of ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"]) {
      expect(read(name)).toMatch(new RegExp(`(?:proxy_set_header|(?:set|del)-header) ${field}\\b`));
    }
  });

  it("take in as much content as we do", () => {
    expect(numberIn(read("nginx.conf"), /client_max_body_size /) * 1024 * 1024).toBe(
      defaultOf("limits.maxContentBytes"),
    );
  });
});

describe("all of them", () => {
  it("are on the page of the folder", () => {
    const linked = [...read("README.md").matchAll(/\[([\w.-]+)\]\(\1\)/g)].map(([, name]) => `examples/deploy/${name}`);
    const there = listFiles("examples/deploy", [""]).filter((path) => !path.endsWith("README.md"));
    expect([...new Set(linked)].toSorted()).toEqual(there.toSorted());
  });

  describe.each([
    ["nginx", "/usr/sbin/nginx", ["-t", "-q", "-c", join(FOLDER, "nginx.conf")]],
    ["haproxy", "/usr/sbin/haproxy", ["-c", "-q", "-f", join(FOLDER, "haproxy.cfg")]],
    ["Caddy", "/usr/bin/caddy", ["validate", "--adapter", "caddyfile", "--config", join(FOLDER, "Caddyfile")]],
  ])("for %s", (name, program, args) => {
    if (!existsSync(program))
      process.emitWarning(`SKIPPED: ${name} is not installed: apt-get install ${name.toLowerCase()}`);

    it.skipIf(!existsSync(program))(`are taken by ${program}`, () => {
      expect(() => execFileSync(program, args, { stdio: "pipe" })).not.toThrow();
    });
  });
});
