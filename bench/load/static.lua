-- Asks for paths in turn. Arguments: expected status, paths joined by commas, then field lines.
-- Statuses are counted only of non-200 loads: looking at a response costs wrk more than asking.
local requests = {}
local turn = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
  local expected = tonumber(args[1])
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  for path in args[2]:gmatch("[^,]+") do
    table.insert(requests, wrk.format("GET", path))
  end
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
    'RESULT {"requests":%d,"durationUs":%d,"errors":%d,"wrong":%d,"p50Us":%d,"p99Us":%d}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.status, wrong,
    latency:percentile(50), latency:percentile(99)))
end
