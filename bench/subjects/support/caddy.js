/** Caddy with a Caddyfile: no administration, no log but of errors, certificates as given. Go takes as many cores as it is let. */

/** @param {{ home: string, port: number, folder: string | null, tls: { cert: string, key: string } | null }} setting */
export function caddy({ home, port, folder, tls }) {
  const hello = `
	header Content-Type text/plain
	respond "Hello, World!"`;
  const files = `
	root * ${folder}
	header Cache-Control no-cache
	header X-Content-Type-Options nosniff
	file_server {
		precompressed br gzip
	}`;
  const caddyfile = `{
	admin off
	auto_https off
	storage file_system ${home}/storage
	log {
		level ERROR
	}
	servers {
		protocols h1 h2
		timeouts {
			idle 75s
		}
	}
}
${tls === null ? "http" : "https"}://127.0.0.1:${port} {
	bind 127.0.0.1${tls === null ? "" : `\n\ttls ${tls.cert} ${tls.key}`}${folder === null ? hello : files}
}
`;
  const words = ["env", `XDG_CONFIG_HOME=${home}`, `XDG_DATA_HOME=${home}`, "caddy", "run"];
  return {
    files: { Caddyfile: caddyfile },
    words: [...words, "--adapter", "caddyfile", "--config", `${home}/Caddyfile`],
  };
}
