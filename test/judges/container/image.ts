/**
 * The image that the judge of containers looks at: examples/deploy/Dockerfile, unchanged, with examples/deploy/server.js and this
 * package as it would be published.
 *
 * Its base can be a stand-in made of this machine's files, where node:22-slim cannot be had. What npm fetches inside of the build
 * comes through a relay on loopback, so that the build needs neither certificates nor settings of this machine.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Engine } from "./engine.ts";

const ROOT = join(import.meta.dirname, "../../..");
export const BASE = "docker.io/library/node:22-slim";

/** A root of libraries, shell, Node and npm, enough for what the Dockerfile asks of its base. */
export function importStandIn(engine: Engine, folder: string, program: string): void {
  const root = join(folder, "root");
  const node = realpathSync(program);
  const libraries = execFileSync("ldd", [node, "/bin/sh", "/usr/bin/env"], { encoding: "utf8" }).match(
    /\/\S*lib\S*(?= \()/g,
  );
  const copies = [...new Set(libraries), "/usr/bin/env"].map((path) => [path, path] as const);
  const npm = join(
    dirname(realpathSync(execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim())),
    "..",
  );
  for (const [from, to] of [
    ...copies,
    ["/bin/sh", "/bin/sh"],
    [node, "/usr/local/bin/node"],
    [npm, "/usr/local/lib/npm"],
  ] as const)
    cpSync(realpathSync(from), join(root, to), { recursive: true, dereference: true });
  for (const path of ["tmp", "root", "etc", "proc", "sys", "dev", "home/node"])
    mkdirSync(join(root, path), { recursive: true });
  symlinkSync("../lib/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnode:x:1000:\n");
  const archive = join(folder, "root.tar");
  // Whoever runs the judge, with whatever mask: root owns it all and others may read
  const modes = ["--owner=0", "--group=0", "--mode=u+rwX,go+rX,go-w"];
  execFileSync("tar", ["-C", root, ...modes, "-cf", archive, "."]);
  engine.run("import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin", archive, BASE);
}

/** The app beside its manifest and lock, all that it depends on fetched by way of us. @returns ends the relay */
export async function prepareApp(folder: string): Promise<() => void> {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const places = [join(folder, packed.trim().split("\n").at(-1) as string)];
  const relay = createServer((request, response) => {
    const place = places[Number(request.url?.slice(1, -4))] ?? "";
    const octets = place.startsWith("/")
      ? readFileSync(place)
      : fetch(place).then(async (answer) => new Uint8Array(await answer.arrayBuffer()));
    Promise.resolve(octets).then(
      (all) => response.end(all),
      () => response.writeHead(502).end(),
    );
  })
    .unref()
    .listen(0, "127.0.0.1");
  await once(relay, "listening");
  const at = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const app = join(folder, "app");
  mkdirSync(app);
  cpSync(join(ROOT, "examples/deploy/server.js"), join(app, "server.js"));
  const manifest = { name: "app", version: "1.0.0", type: "module", dependencies: { fairlead: `${at}/0.tgz` } };
  writeFileSync(join(app, "package.json"), JSON.stringify(manifest));
  // Not execFileSync: it is we who answer
  const npm = spawn("npm", ["install", "--package-lock-only", "--silent", "--omit-lockfile-registry-resolved=false"], {
    cwd: app,
    stdio: "inherit",
  });
  await once(npm, "exit");
  const lock = join(app, "package-lock.json");
  const rewritten = readFileSync(lock, "utf8").replaceAll(
    /("resolved": ")(https[^"]+)/g,
    (_, key: string, url: string) => `${key}${at}/${places.push(url) - 1}.tgz`,
  );
  writeFileSync(lock, rewritten);
  return () => relay.close().closeAllConnections();
}

/** @returns how long it took and how large it is, in words; throws with all that was said if it fails */
export async function buildImage(engine: Engine, folder: string, image: string): Promise<string> {
  const begunMs = performance.now();
  // Only in its own format it keeps a HEALTHCHECK
  const format = engine.name === "podman" ? ["--format", "docker", "--layers=false"] : [];
  const args = [
    "build",
    ...format,
    "--network",
    "host",
    "-t",
    image,
    "-f",
    join(ROOT, "examples/deploy/Dockerfile"),
    join(folder, "app"),
  ];
  const child = spawn(engine.name, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += String(chunk)));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the image does not build:\n${text}`);
  const mib = (Number(engine.run("image", "inspect", "--format", "{{.Size}}", image)) / 2 ** 20).toFixed(0);
  return `${((performance.now() - begunMs) / 1000).toFixed(1)} s, ${mib} MiB with its base`;
}
