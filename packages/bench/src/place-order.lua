-- wrk: orders with two different lines out of BENCH_PRODUCTS products; prints what came of them as one line of JSON.
local products = tonumber(os.getenv("BENCH_PRODUCTS"))
local lines = tonumber(os.getenv("BENCH_LINES"))
local seed = tonumber(os.getenv("BENCH_SEED"))
local tokens = {}
local threads = 0

-- A customer and an access token per line; without the file no token is sent.
local file = os.getenv("BENCH_TOKENS")
if file then
  for line in io.lines(file) do
    local user, token = line:match("^(%S+) (%S+)$")
    tokens[#tokens + 1] = { user = user, headers = { ["content-type"] = "application/json", authorization = "Bearer " .. token } }
  end
end

function setup(thread)
  thread:set("seed", seed + threads)
  threads = threads + 1
end

function init()
  math.randomseed(seed)
end

local headers = { ["content-type"] = "application/json" }

function request()
  local first = math.random(0, products - 1)
  local items = {}
  for line = 0, lines - 1 do
    items[line + 1] = string.format('{"productId":"bench-%06d","quantity":1}', (first + line) % products)
  end
  local customer = tokens[1] and tokens[math.random(1, #tokens)]
    or { user = string.format("user-%d", math.random(1, 100000)), headers = headers }
  local body = string.format('{"userId":"%s","items":[%s],"address":"1 Main Street, Springfield"}',
    customer.user, table.concat(items, ","))
  return wrk.format("POST", "/placeOrder", customer.headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"failed":%d,"broken":%d,"durationMs":%.0f,"p50Ms":%.2f,"p99Ms":%.2f}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1000, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
