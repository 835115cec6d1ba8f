/** Subject: Deno.serve() with a handler. */
const init = { headers: { "content-type": "text/plain" } };
const onListen = ({ port }) => console.log(JSON.stringify({ port }));
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen }, () => new Response("Hello, World!", init));
