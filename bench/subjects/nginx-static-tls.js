/**
 * Subject: nginx as its operators tune it for files under TLS: one worker, open_file_cache, no access log, the versions and
 * ciphers that ours speaks. This launcher only starts it, unprivileged and with a configuration of its own, and sleeps.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { certFile, keyFile } from "./tls-certificate.js";

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = probe.address();
    probe.close(() => resolve(free));
  });
});
// Beside the folder, and removed with it
const home = `${process.env.FAIRLEAD_BENCH_FOLDER}-nginx`;
mkdirSync(home, { recursive: true });
writeFileSync(
  join(home, "nginx.conf"),
  `daemon off; master_process off; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log crit;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 75s;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 1s; open_file_cache_min_uses 1;
  types { text/html html; text/css css; text/javascript js; image/png png; image/svg+xml svg; }
  default_type application/octet-stream;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certFile}; ssl_certificate_key ${keyFile}; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers off; ssl_ecdh_curve X25519:prime256v1:secp384r1;
    root ${process.env.FAIRLEAD_BENCH_FOLDER};
    add_header Cache-Control no-cache; add_header X-Content-Type-Options nosniff;
  }
}
`,
);
spawn(process.env.NGINX ?? "nginx", ["-p", home, "-e", join(home, "error.log"), "-c", join(home, "nginx.conf")], {
  stdio: ["ignore", "ignore", "inherit"],
  env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
});
const say = () => {
  const probe = connect(port, "127.0.0.1", () => {
    probe.destroy();
    console.log(JSON.stringify({ port }));
  });
  probe.on("error", () => setTimeout(say, 50));
};
say();
