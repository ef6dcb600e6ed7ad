-- Sends the signed requests of a file that bench/run.py has written, one after the other, each thread from a place
-- of its own, so that no two of the same key are in flight: wrk ... -s signed.lua URL -- FILE [PAUSE_MS]
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  requests = {}
  while true do
    local size = file:read("*l")
    if not size then break end
    requests[#requests + 1] = file:read(tonumber(size))
  end
  file:close()
  at = math.floor(#requests * number / 4)
  local pause_ms = tonumber(arguments[2] or 0)
  if pause_ms > 0 then
    function delay() return pause_ms end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
