/**
 * Proxies in front of us, each told to keep its connections to us and to mark what it forwards: `X-Front` with a word that no
 * client knows, or a field that it writes anyway.
 *
 * Where a proxy has a switch that makes it more lenient, it is on: what it would refuse by itself tests nothing. Names that end
 * in `1.0` speak HTTP/1.0 to us.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apacheBase, CADDY_BASE, h2oBase, nginxArguments, versionOf } from "./origins.ts";
import { findProgram, launch, type Running } from "./program.ts";

/** A proxy that can stand before a server. */
export interface Proxy {
  readonly name: string;
  /** Null where it is not installed. */
  readonly version: string | null;
  /** Which field marks what it has forwarded, in lower case, and how. */
  readonly mark: readonly [name: string, pattern: RegExp];
  start(originPort: number): Promise<Running>;
}

type Prepare = (folder: string, port: number, originPort: number) => readonly string[];

/** What no client sends. */
const SECRET = "front-5f1d9a";
const SECRET_MARK = ["x-front", new RegExp(`^${SECRET}$`)] as const;

function proxy(
  name: string,
  [file, ...versionArgs]: readonly [string, ...string[]],
  prepare: Prepare,
  mark: Proxy["mark"] = SECRET_MARK,
): Proxy {
  const path = findProgram(file);
  return {
    name,
    version: path === null ? null : versionOf(path, versionArgs, /\d+\.\d+\.\d+/),
    mark,
    start: async (originPort) =>
      launch({ program: path ?? file, prepare: (folder, port) => prepare(folder, port, originPort) }),
  };
}

/** All of them. */
export const PROXIES: readonly Proxy[] = [
  proxy("nginx", ["nginx", "-v"], (folder, port, origin) =>
    nginx(
      folder,
      port,
      origin,
      `proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_request_buffering off;`,
    ),
  ),
  proxy("nginx 1.0", ["nginx", "-v"], (folder, port, origin) => nginx(folder, port, origin, "")),
  proxy("HAProxy", ["haproxy", "-v"], haproxy),
  proxy("Caddy", ["caddy", "version"], caddy),
  proxy("Varnish", ["varnishd", "-V"], varnish),
  proxy("Apache", ["apache2", "-v"], apache),
  // It has no way to set a field of requests, but writes this one
  proxy("h2o", ["h2o", "--version"], h2o, ["x-forwarded-for", /127\.0\.0\.1$/]),
  proxy("lighttpd", ["lighttpd", "-v"], lighttpd),
];

function nginx(folder: string, port: number, origin: number, more: string): string[] {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
    .join("");
  writeFileSync(
    join(folder, "nginx.conf"),
    `events {}
http {
  access_log off;
${temporary}  upstream app {
    server 127.0.0.1:${origin} max_fails=0;
    keepalive 1;
  }
  server {
    listen 127.0.0.1:${port};
    ignore_invalid_headers off;
    underscores_in_headers on;
    keepalive_requests 100000;
    location / {
      proxy_pass http://app;
      proxy_set_header Host $http_host;
      proxy_set_header X-Front ${SECRET};
      ${more}
    }
  }
}
`,
  );
  return nginxArguments(folder);
}

function haproxy(folder: string, port: number, origin: number): string[] {
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:${port}
  option accept-invalid-http-request
  http-request set-header X-Front ${SECRET}
  default_backend app
backend app
  http-reuse always
  option accept-invalid-http-response
  server app1 127.0.0.1:${origin}
`,
  );
  return ["-db", "-q", "-f", join(folder, "haproxy.cfg")];
}

function caddy(folder: string, port: number, origin: number): string[] {
  writeFileSync(
    join(folder, "Caddyfile"),
    `${CADDY_BASE}http://:${port} {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:${origin} {
		header_up X-Front ${SECRET}
		flush_interval -1
		transport http {
			keepalive 60s
		}
	}
}
`,
  );
  return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
}

function varnish(folder: string, port: number, origin: number): string[] {
  writeFileSync(
    join(folder, "front.vcl"),
    `vcl 4.1;
backend app { .host = "127.0.0.1"; .port = "${origin}"; }
sub vcl_recv {
  set req.http.X-Front = "${SECRET}";
  return (pass);
}
`,
  );
  const parameters = ["-p", "thread_pools=1", "-p", "thread_pool_min=10", "-p", "http_req_size=64k"];
  const places = ["-n", join(folder, "work"), "-a", `127.0.0.1:${port}`, "-f", join(folder, "front.vcl")];
  return ["-F", "-j", "none", "-T", "none", "-S", "none", "-s", "malloc,16m", ...parameters, ...places];
}

function apache(folder: string, port: number, origin: number): string[] {
  writeFileSync(
    join(folder, "apache.conf"),
    `${apacheBase(folder, port, ["proxy", "proxy_http", "headers"])}HttpProtocolOptions Unsafe LenientMethods Allow0.9
AllowEncodedSlashes NoDecode
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${origin}/ enablereuse=on max=4 nocanon
RequestHeader set X-Front ${SECRET}
`,
  );
  return ["-f", join(folder, "apache.conf"), "-X"];
}

function h2o(folder: string, port: number, origin: number): string[] {
  writeFileSync(
    join(folder, "h2o.conf"),
    `${h2oBase(folder, port)}hosts:
  default:
    paths:
      "/":
        proxy.reverse.url: http://127.0.0.1:${origin}/
        proxy.preserve-host: ON
        proxy.timeout.keepalive: 60000
`,
  );
  return ["-c", join(folder, "h2o.conf")];
}

function lighttpd(folder: string, port: number, origin: number): string[] {
  mkdirSync(join(folder, "www"));
  writeFileSync(
    join(folder, "lighttpd.conf"),
    `server.document-root = "${folder}/www"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${folder}/error.log"
server.upload-dirs = ( "${folder}" )
server.max-keep-alive-requests = 100000
server.http-parseopts = ( "header-strict" => "disable", "host-strict" => "disable", "url-normalize" => "disable" )
server.stream-request-body = 1
server.stream-response-body = 1
server.modules = ( "mod_proxy", "mod_setenv" )
setenv.set-request-header = ( "X-Front" => "${SECRET}" )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => ${origin} ) ) )
`,
  );
  return ["-D", "-f", join(folder, "lighttpd.conf")];
}
