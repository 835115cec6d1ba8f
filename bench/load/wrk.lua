-- Load for every profile: `wrk … -s wrk.lua URL -- DEPTH FIELDS` sends DEPTH requests at a time, with the small head
-- or with ten fields as a browser sends them, and says the result as one line of JSON.

local payload

local browser = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  ["Accept-Language"] = "en-GB,en;q=0.9,de;q=0.8",
  ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Cache-Control"] = "no-cache",
  ["Cookie"] = "session=0123456789abcdef0123456789abcdef; theme=dark; consent=1",
  ["Referer"] = "http://127.0.0.1/index.html",
  ["Sec-Fetch-Mode"] = "navigate",
  ["Upgrade-Insecure-Requests"] = "1",
}

function init(args)
  local depth = tonumber(args[1]) or 1
  if args[2] == "ten" then
    for name, value in pairs(browser) do wrk.headers[name] = value end
  end
  local one = wrk.format("GET", "/")
  local all = {}
  for i = 1, depth do all[i] = one end
  payload = table.concat(all)
end

function request()
  return payload
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"errors":%d,"p50Us":%d,"p99Us":%d}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status,
    latency:percentile(50), latency:percentile(99)))
end
