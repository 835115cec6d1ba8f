/**
 * Files by Deno's own means, in the manner of the file server of its standard library, which is in another registry than the
 * rest of the peers: stat, conditions, range, then the file as a stream. Small ones are read at once, which is cheaper to it.
 */
const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
};
const SMALL_BYTES = 256 * 1024;

/** @param {string} folder */
export function serveFiles(folder) {
  return async (request) => {
    const path = folder + decodeURIComponent(new URL(request.url).pathname);
    const stat = await Deno.stat(path).catch(() => null);
    if (stat === null || !stat.isFile) return new Response("not found\n", { status: 404 });
    const etag = `"${stat.mtime.getTime().toString(36)}-${stat.size.toString(36)}"`;
    const headers = {
      "content-type": TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream",
      "accept-ranges": "bytes",
      "last-modified": stat.mtime.toUTCString(),
      "x-content-type-options": "nosniff",
      etag,
      "cache-control": "no-cache",
    };
    if (isUnchanged(request.headers, etag, stat.mtime)) {
      return new Response(null, { status: 304, headers: { etag, "cache-control": "no-cache" } });
    }
    const range = request.headers.get("range");
    if (range !== null) return partOf(path, range, stat.size, headers);
    headers["content-length"] = String(stat.size);
    if (stat.size <= SMALL_BYTES) return new Response(await Deno.readFile(path), { headers });
    return new Response((await Deno.open(path)).readable, { headers });
  };
}

function isUnchanged(fields, etag, mtime) {
  const tags = fields.get("if-none-match");
  if (tags !== null) return tags.split(/\s*,\s*/).includes(etag);
  const since = fields.get("if-modified-since");
  return since !== null && Math.trunc(mtime.getTime() / 1000) * 1000 <= Date.parse(since);
}

/** One range; a form that is not understood is no range (RFC 9110 §14.2), told here as one that cannot be given. */
async function partOf(path, range, size, headers) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (!(start <= end)) {
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${size}` } });
  }
  using file = await Deno.open(path);
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(end - start + 1);
  for (let at = 0; at < bytes.length;) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new Error("the file got shorter");
    at += count;
  }
  headers["content-range"] = `bytes ${start}-${end}/${size}`;
  return new Response(bytes, { status: 206, headers });
}
