/**
 * nginx as its operators tune it: one worker in one process, sendfile and tcp_nopush, open_file_cache that looks at a file once a
 * second as we do, no log, no bound on requests per connection.
 */

/** @param {{ home: string, port: number, folder: string | null, tls: { cert: string, key: string } | null }} setting */
export function nginx({ home, port, folder, tls }) {
  const secure = `
    ssl_certificate ${tls?.cert}; ssl_certificate_key ${tls?.key}; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers off; ssl_ecdh_curve X25519:prime256v1:secp384r1;`;
  const hello = `
    default_type text/plain;
    location / { return 200 "Hello, World!"; }`;
  const files = `
    root ${folder}; gzip_static on;
    add_header Cache-Control no-cache; add_header X-Content-Type-Options nosniff;`;
  const conf = `daemon off; master_process off; worker_processes 1; pid ${home}/nginx.pid; error_log stderr crit;
events { worker_connections 10000; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 75s; server_tokens off;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 1s; open_file_cache_min_uses 1; open_file_cache_errors on;
  types { text/html html; text/css css; text/javascript js; image/png png; image/svg+xml svg; }
  default_type application/octet-stream; charset utf-8; charset_types text/css text/javascript;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
  server {
    listen 127.0.0.1:${port}${tls === null ? "" : " ssl"};${tls === null ? "" : secure}${folder === null ? hello : files}
  }
}
`;
  const words = ["nginx", "-p", home, "-e", "stderr", "-c", `${home}/nginx.conf`];
  return { files: { "nginx.conf": conf }, words };
}
