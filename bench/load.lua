-- What wrk sends: the requests of the file that HEADS names, in turn. Says what became of them as one line of JSON.
-- PAUSE, where it is set, is for how many milliseconds a connection waits before its next request, on average.

local heads, last = {}, 0
local pause = tonumber(os.getenv("PAUSE"))

function init()
  local file = assert(io.open(os.getenv("HEADS"), "rb"))
  for head in file:read("*a"):gmatch("[^%z]+") do heads[#heads + 1] = head end
  file:close()
end

function request()
  last = last % #heads + 1
  return heads[last]
end

if pause then
  function delay() return math.random(pause / 2, pause * 3 / 2) end
end

function done(summary, latency)
  local failed = summary.errors
  io.write(string.format('{"requests": %d, "seconds": %f, "failed": %d, "refused": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6, failed.connect + failed.read + failed.write + failed.timeout,
    failed.status, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
