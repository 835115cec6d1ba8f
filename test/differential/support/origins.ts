/**
 * Servers that read the same octets as we do: each answers every request with a field that says what it has understood,
 * `X-Seen: METHOD TARGET HOST LENGTH`, with `?` where it cannot tell.
 *
 * Each is configured as it comes, but for places, ports and rights. node:http and our own run in this process, the others as
 * programs (program.ts).
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { Response, serve } from "../../../src/index.ts";
import { findProgram, type Launch, launch, type Running } from "./program.ts";

/** A server to be asked. */
export interface Origin {
  readonly name: string;
  /** Null where it is not installed. */
  readonly version: string | null;
  start(): Promise<Running>;
}

const isRoot = process.getuid?.() === 0;

/** Our own, by its defaults. */
export const OURS: Origin = {
  name: "Fairlead",
  version: "",
  start: async () => {
    const server = await serve({
      port: 0,
      fetch: async (request) => {
        const { method, url } = request;
        const { host, pathname, search } = new URL(url);
        const bytes = await request.arrayBuffer();
        // A Request of GET has no content that could be read
        const length = method === "GET" || method === "HEAD" ? "?" : bytes.byteLength;
        return new Response("seen", { headers: { "x-seen": `${method} ${pathname}${search} ${host} ${length}` } });
      },
    });
    return { port: server.port, stop: async () => server.closeNow() };
  },
};

/** Everybody else, in the order of the page. */
export const ORIGINS: readonly Origin[] = [
  { name: "node:http", version: process.versions.node, start: startNode },
  program("Bun", "bun", ["--version"], /[\d.]+/, (folder, port) => {
    writeFileSync(join(folder, "seen.js"), script(`Bun.serve({ hostname: "127.0.0.1", port: ${port}, fetch: seen });`));
    return ["run", join(folder, "seen.js")];
  }),
  program("Deno", "deno", ["--version"], /[\d.]+/, (folder, port) => {
    writeFileSync(join(folder, "seen.js"), script(`Deno.serve({ hostname: "127.0.0.1", port: ${port} }, seen);`));
    return ["run", "--allow-net", "--no-remote", join(folder, "seen.js")];
  }),
  program("nginx", "nginx", ["-v"], /[\d.]+/, nginx),
  program("Apache", "apache2", ["-v"], /[\d.]+/, apache),
  program("lighttpd", "lighttpd", ["-v"], /[\d.]+/, lighttpd),
  program("h2o", "h2o", ["--version"], /[\d.]+(?=\n)/, h2o),
  program("Caddy", "caddy", ["version"], /[\d.]+/, caddy),
];

function program(
  name: string,
  file: string,
  versionArgs: readonly string[],
  pattern: RegExp,
  prepare: Launch["prepare"],
): Origin {
  const path = findProgram(file);
  return {
    name,
    version: path === null ? null : versionOf(path, versionArgs, pattern),
    start: async () => launch({ program: path ?? file, prepare }),
  };
}

/** The first number that a program says of itself, on whichever stream. */
export function versionOf(path: string, args: readonly string[], pattern: RegExp): string {
  const said = execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1', path, ...args], { encoding: "utf8" });
  return pattern.exec(said)?.[0] ?? "?";
}

async function startNode(): Promise<Running> {
  const server = createServer({ insecureHTTPParser: false });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    let length = 0;
    request.on("data", (chunk: Buffer) => (length += chunk.length));
    request.on("error", () => {});
    request.on("end", () => {
      const { method, url, headers } = request;
      const seen = `${method} ${url} ${headers.host ?? "?"} ${length}`;
      response.setHeader("x-seen", seen.replaceAll(/[^ -~]/g, "?"));
      response.end("seen");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as { port: number }).port, stop };
}

/** A module for the servers of runtimes. */
function script(start: string): string {
  return `async function seen(request) {
  const { method, url } = request;
  const { host, pathname, search } = new URL(url);
  const bytes = await request.arrayBuffer();
  const length = method === "GET" || method === "HEAD" ? "?" : bytes.byteLength;
  return new Response("seen", { headers: { "x-seen": \`\${method} \${pathname}\${search} \${host} \${length}\` } });
}
${start}
`;
}

function nginx(folder: string, port: number): string[] {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
    .join("");
  writeFileSync(
    join(folder, "nginx.conf"),
    `events {}
http {
  access_log off;
${temporary}  server {
    listen 127.0.0.1:${port};
    location / {
      add_header X-Seen "$request_method $request_uri $host ?";
      return 200 "seen";
    }
  }
}
`,
  );
  return nginxArguments(folder);
}

/** One process in the foreground. */
export function nginxArguments(folder: string): string[] {
  const log = join(folder, "error.log");
  const rest = `daemon off; master_process off; pid ${folder}/pid; error_log ${log};`;
  return ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", log, "-g", rest];
}

function apache(folder: string, port: number): string[] {
  writeFileSync(
    join(folder, "seen.lua"),
    `function handle(r)
  local body = r:requestbody()
  local length = r.method == "POST" and not r.headers_in["Transfer-Encoding"] and #(body or "") or "?"
  r.headers_out["X-Seen"] = r.method .. " " .. r.unparsed_uri .. " " .. (r.hostname or "?") .. " " .. length
  r:puts("seen")
  return apache2.OK
end
`,
  );
  writeFileSync(
    join(folder, "apache.conf"),
    `${apacheBase(folder, port, ["lua"])}LuaMapHandler ^/ ${folder}/seen.lua handle
`,
  );
  return ["-f", join(folder, "apache.conf"), "-X"];
}

/** What Apache needs before it listens. */
export function apacheBase(folder: string, port: number, modules: readonly string[]): string {
  const loads = ["mpm_event", "authz_core", ...modules]
    .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so\n`)
    .join("");
  return `ServerRoot ${folder}
ServerName origin.example
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
MaxKeepAliveRequests 0
${loads}${isRoot ? "User nobody\nGroup nogroup\n" : ""}`;
}

function lighttpd(folder: string, port: number): string[] {
  mkdirSync(join(folder, "www"));
  const file = join(folder, "www/seen");
  writeFileSync(
    file,
    `#!/bin/sh
printf 'X-Seen: %s %s %s %s\\r\\nContent-Type: text/plain\\r\\n\\r\\nseen' \\
  "$REQUEST_METHOD" "$REQUEST_URI" "$HTTP_HOST" "\${CONTENT_LENGTH:-0}"
`,
  );
  chmodSync(file, 0o755);
  writeFileSync(
    join(folder, "lighttpd.conf"),
    `server.document-root = "${folder}/www"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${folder}/error.log"
server.upload-dirs = ( "${folder}" )
server.max-keep-alive-requests = 1000
server.modules = ( "mod_rewrite", "mod_cgi" )
url.rewrite-once = ( "" => "/seen" )
cgi.assign = ( "/seen" => "" )
`,
  );
  return ["-D", "-f", join(folder, "lighttpd.conf")];
}

function h2o(folder: string, port: number): string[] {
  writeFileSync(
    join(folder, "h2o.conf"),
    `${h2oBase(folder, port)}hosts:
  default:
    paths:
      "/":
        mruby.handler: |
          Proc.new do |env|
            input = env["rack.input"]
            length = input ? input.read.to_s.bytesize : 0
            target = env["PATH_INFO"]
            host = env["HTTP_HOST"] || env["SERVER_NAME"]
            seen = env["REQUEST_METHOD"] + " " + target + " " + host + " " + length.to_s
            [200, { "x-seen" => seen }, ["seen"]]
          end
`,
  );
  return ["-c", join(folder, "h2o.conf")];
}

/** What h2o needs before it listens. */
export function h2oBase(folder: string, port: number): string {
  return `listen:
  host: 127.0.0.1
  port: ${port}
${isRoot ? "user: root\n" : ""}num-threads: 1
pid-file: ${folder}/pid
error-log: ${folder}/error.log
`;
}

function caddy(folder: string, port: number): string[] {
  writeFileSync(
    join(folder, "Caddyfile"),
    `${CADDY_BASE}http://:${port} {
	bind 127.0.0.1
	header X-Seen "{http.request.method} {http.request.uri} {http.request.host} ?"
	respond "seen {http.request.body}"
}
`,
  );
  return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
}

/** No certificates, no administration. */
export const CADDY_BASE = `{
	admin off
	auto_https off
}
`;
