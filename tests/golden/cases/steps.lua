-- What becomes of a call that fails: the request fails, its fallback answers, or it is left out; one
-- after the other and side by side. And bulkheads, which keep a slow callee from holding everybody.
scenario "Fallbacks, optional calls, bulkheads and calls side by side" { duration = "30s" }

local stock  = service "stock"  { service_time = "10ms" }
local prices = service "prices" { service_time = "20ms" }
local advice = service "advice" { service_time = "30ms", error_ratio = "100%" }
local cached = service "cached" { service_time = "1ms" }
local broken = service "broken" { service_time = "1ms", error_ratio = "100%" }

local function shop(name, fields)
  fields.service_time = fields.service_time or "1ms"
  local s = service(name) (fields)
  local users = traffic("users of " .. name) { to = s, rate = "50/s", arrivals = "constant",
    beside = true }
  return s, users
end
local function to(s, more)
  local f = more or {}
  f[1], f[2], f.timeout = s, "GET /", f.timeout or "1s"
  return call(f)
end

local plain    = shop("plain",    { calls = { to(stock), to(advice), to(prices) } })
local optional = shop("optional", { calls = { to(stock), to(advice, { optional = true }), to(prices) } })
local spared   = shop("spared",   { calls = { to(stock), to(advice, { fallback = to(cached) }) } })
local lost     = shop("lost",     { calls = { to(advice, { fallback = to(broken) }) } })
local both     = shop("both",     { calls = { to(advice, { fallback = to(broken), optional = true }) } })
expect "a failed call fails the request" { at_end = plain.errors.ratio:equals "100%" }
expect "an optional one does not" { at_end = optional.errors.ratio:equals(0) }
expect "what is left out is counted" { at_end = optional.degraded.ratio:equals "100%" }
expect "what comes after it is asked" { at_end = optional.latency.p50:above "60ms" }
expect "a fallback answers in its place" { at_end = spared.errors.ratio:equals(0) }
expect "and is counted too" { at_end = spared.degraded.ratio:equals "100%" }
expect "a fallback may fail" { at_end = lost.errors.ratio:equals "100%" }
expect "or be left out" { at_end = both.errors.ratio:equals(0) }

-- 10, 20 and 30 ms: 61 ms and three round trips one after the other, 31 and one side by side.
local in_turn = shop("in turn", { calls = { to(stock), to(prices), to(advice, { optional = true }) } })
local at_once = shop("at once", { parallel = true,
  calls = { to(stock), to(prices), to(advice, { optional = true }) } })
local one_bad = shop("one bad", { parallel = true, calls = { to(prices), to(broken), to(stock) } })
local backed  = shop("backed",  { parallel = true,
  calls = { to(prices), to(broken, { fallback = to(cached) }) } })
expect "in turn times add up" { at_end = in_turn.latency.p50:between("61ms", "64ms") }
expect "side by side the slowest counts" { at_end = at_once.latency.p50:between("31ms", "33ms") }
expect "what is optional may fail there too" { at_end = at_once.errors.ratio:equals(0) }
expect "and is counted" { at_end = at_once.degraded.ratio:equals "100%" }
expect "one bad answer ends it at once" { at_end = one_bad.latency.p50:below "5ms" }
expect "and fails it" { at_end = one_bad.errors.ratio:equals "100%" }
expect "a fallback saves it" { at_end = backed.errors.ratio:equals(0) }
expect "within the time of the slowest" { at_end = backed.latency.p50:between("21ms", "23ms") }

-- 50/s of 2 s are 100 workers; there are 64. With a bulkhead of 10 the slow callee holds 10.
local slow = service "slow" { service_time = "2s", concurrency = 1000 }
local open   = shop("open",   { calls = { to(slow, { optional = true, timeout = "10s" }) } })
local walled = shop("walled", { calls = { to(slow, { optional = true, timeout = "10s",
  bulkhead = 10 }) } })
expect "without it all workers wait" { always = open.busy:above "95%", during = { after = "10s" } }
-- Ten wait, and one more works for its millisecond.
expect "with it ten do" { never = walled.busy:above "18%" }
expect "the others answer without" { at_end = walled.latency.p50:below "2ms" }
expect "which is seen" { at_end = walled.degraded.ratio:above "85%" }
