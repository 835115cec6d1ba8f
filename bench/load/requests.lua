-- Sends the requests of a file in turn: `wrk … -s requests.lua URL -- STATUS FILE`. In the file each request stands as it goes
-- over the wire, behind its length in ten digits. Says the result as one line of JSON.
-- Statuses are looked at only where another than 200 is expected: wrk counts those above 399 itself, and looking costs it more
-- than asking.
local requests = {}
local turn = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
  local expected = tonumber(args[1])
  local file = assert(io.open(args[2], "rb"))
  while true do
    local digits = file:read(10)
    if not digits then break end
    table.insert(requests, file:read(tonumber(digits)))
  end
  file:close()
  if expected ~= 200 then
    response = function(status)
      if status ~= expected then wrong = wrong + 1 end
    end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local e = summary.errors
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("wrong") end
  io.write(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"errors":%d,"wrong":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status, wrong,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
