scenario "A long answer through two hops" { duration = "60s" }

local case = param("case", { "whole", "streamed", "handler", "slow below", "broken", "broken whole" })
local streams = case ~= "whole" and case ~= "broken whole"
local breaks = case:find "^broken" ~= nil

-- A megabyte is 685 segments. Connections that have idled begin with a window of 10 segments again
-- (RFC 6928, RFC 2861), so they go in 7 flights: the last is there one way and 6 round trips later.
local far = service "origin" { service_time = "1ms" }
local film = {
  far, "GET /film", response_size = "1MB", stream = streams,
  tcp = breaks and { window = "64KiB" } or nil, -- so that it takes 16 round trips
}
local middle = service "middle" {
  service_time = "1ms", restart = "always",
  calls = case ~= "handler" and { call(film) } or nil,
  handle = case == "handler" and {
    ["GET /film"] = function(req) return req:call(film).ok and 200 or 502 end,
  } or nil,
}
local edge = balancer "edge" { to = middle, stream = streams, retries = 1 }
link { middle, far, latency = "10ms" }
link { edge, middle, latency = "10ms" }

local users = traffic "users" {
  to = edge, op = "GET /film", rate = breaks and "20/s" or "0.2/s", arrivals = "constant",
  response_size = "1MB", stream = true, timeout = "5s",
}

if breaks then fault.kill { middle, at = "30s", lasting = "10ms" } end
if case == "slow below" then fault.bandwidth { users, edge, rate = "20Mbit/s", at = "1ms" } end

-- There: 15 ms from the users, 10 ms twice, 2.05 ms of work. Back whole: 13 times each way, one
-- after another. Back streamed: the first segment at once; the last when the longest way is through.
local there = 15 + 10 + 10 + 2.05
local first = streams and there + 10 + 10 + 15 or there + 130 + 130 + 15
local last = streams and there + 10 + 10 + 195 or there + 130 + 130 + 195
local later = 0
if case == "slow below" then -- 8 Mbit at 20 Mbit/s, and at most three round trips to fill the line
  last, later = there + 10 + 10 + 15 + 400, 3 * 30
end
local function about(ms, more)
  return ("%.2fms"):format(ms * 0.98), ("%.2fms"):format(ms * 1.02 + more)
end

if not breaks then
  expect "the first byte comes when the way is known" {
    at_end = users.first_byte.mean:between(about(first, 0)),
  }
  expect "the last when the slowest part is through" {
    at_end = users.latency.mean:between(about(last, later)),
  }
  expect "all of it comes" { always = users.errors.ratio:equals(0) }
elseif streams then
  expect "what has begun cannot be tried again" { sometimes = users.errors.ratio:above "5%" }
else
  expect "what has not begun can" { always = users.errors.ratio:equals(0) }
end
