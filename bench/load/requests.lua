-- Sends the requests of a file in turn: `wrk … -s requests.lua URL -- STATUS FILE CLOSE_EVERY`. In the file each request stands
-- as it goes over the wire, behind its length in ten digits. Says the result as one line of JSON.
-- Statuses are looked at only where another than 200 is expected: wrk counts those above 399 itself, and looking costs it more
-- than asking.
-- With CLOSE_EVERY > 1 the file holds two requests, one that keeps the connection and one that closes it, and of so many
-- requests in a row exactly one closes, at a random place: connections take their requests from one list, and a fixed place
-- would always hit the same ones.
local requests = {}
local turn = 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
  local expected = tonumber(args[1])
  local closeEvery = tonumber(args[3])
  local file = assert(io.open(args[2], "rb"))
  while true do
    local digits = file:read(10)
    if not digits then break end
    table.insert(requests, file:read(tonumber(digits)))
  end
  file:close()
  if closeEvery > 1 then
    local keeps, closes = requests[1], requests[2]
    math.randomseed(20)
    requests = {}
    for _ = 1, 1000 do
      local place = math.random(closeEvery)
      for i = 1, closeEvery do table.insert(requests, i == place and closes or keeps) end
    end
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
  local points = {}
  for _, p in ipairs({25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99}) do
    table.insert(points, string.format("[%g,%d]", p, latency:percentile(p)))
  end
  io.write(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"errors":%d,"wrong":%d,"percentiles":[[0,%d],%s,[100,%d]]}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout + e.status, wrong,
    latency.min, table.concat(points, ","), latency.max))
end
