-- Fills a table through BatchWriteItem: wrk -t2 -c16 -d600s -s fill.lua URL -- TABLE ITEMS BYTES [FIRST STEP]
-- Items of about BYTES bytes of JSON, made of words that are as unevenly used as those of a language, so that they
-- compress about as real ones do. Keys are k<number>, FIRST and on by STEP, each thread its own part.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  name, most, size = arguments[1], tonumber(arguments[2]), tonumber(arguments[3])
  first, step = tonumber(arguments[4] or 0), tonumber(arguments[5] or 1)
  math.randomseed(number + 1)
  local syllables = { "an", "be", "cor", "del", "en", "fi", "gar", "hol", "in", "jo", "ka", "lo", "mer", "nu", "or",
    "pa", "qui", "ra", "so", "ter", "un", "ver", "wa", "xi", "yo", "zen", "sta", "bri", "con", "pro", "tion", "ing" }
  words = {}
  for at = 1, 4096 do
    local word = {}
    for _ = 1, math.random(4) do word[#word + 1] = syllables[math.random(#syllables)] end
    words[at] = table.concat(word)
  end
  next_item = number
  -- 2 threads unless wrk was told otherwise; THREADS says so.
  stride = tonumber(os.getenv("THREADS") or 2)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
  wrk.headers["X-Amz-Target"] = "DynamoDB_20120810.BatchWriteItem"
  wrk.headers["X-Amz-Date"] = "20260101T000000Z"
  wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/dynamodb/aws4_request, "
    .. "SignedHeaders=host;x-amz-date, Signature=" .. string.rep("0", 64)
end

local function text(length)
  local parts, total = {}, 0
  while total < length do
    local word = words[1 + math.floor(4095 * math.random() * math.random() * math.random())]
    parts[#parts + 1] = word
    total = total + #word + 1
  end
  return table.concat(parts, " ")
end

local function item(key)
  return string.format('{"PutRequest":{"Item":{"pk":{"S":"k%d"},"serial":{"N":"%d"},"active":{"BOOL":%s},'
    .. '"tags":{"SS":["%s1","%s2"]},"place":{"M":{"street":{"S":"%s"},"zip":{"S":"%05d"}}},"note":{"S":"%s"}}}}',
    key, key, key % 3 == 0 and "true" or "false", text(4), text(4), text(12), math.random(99999), text(size - 220))
end

function request()
  local items = {}
  while #items < 25 and next_item < most do
    items[#items + 1] = item(first + next_item * step)
    next_item = next_item + stride
  end
  if #items == 0 then
    wrk.thread:stop()
    return wrk.format("GET", "/")
  end
  return wrk.format(nil, nil, nil, '{"RequestItems":{"' .. name .. '":[' .. table.concat(items, ",") .. ']}}')
end

function response(status, _, body)
  if status ~= 200 or body:find('"UnprocessedItems":{"', 1, true) then print("answered " .. status .. " " .. body) end
end
