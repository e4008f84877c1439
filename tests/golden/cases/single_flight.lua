-- One flight per key and replica: who asks while the answer is on its way waits for it. Arrivals are
-- every 50 ms; a flight of 500 ms and a bit takes in ten of them, and the eleventh leads the next.
scenario "Calls that share one answer" { duration = "33s" }

local one = dist.zipf { n = 1, skew = 1.5 }
local function shop(name, fields, users)
  local origin = service("origin of " .. name) { service_time = fields.takes or "500ms",
    concurrency = 1000 }
  local call_fields = { origin, "GET /x", timeout = "10s", single_flight = true }
  for k, v in pairs(fields.call or {}) do call_fields[k] = v end
  local caller = service(name) { service_time = "1us", concurrency = 1000, replicas = fields.replicas,
    parallel = fields.parallel, calls = { call(call_fields), fields.beside } }
  local t = { to = caller, rate = "20/s", arrivals = "constant", beside = true, keys = one,
    timeout = "20s" }
  for k, v in pairs(users or {}) do t[k] = v end
  return caller, traffic("users of " .. name)(t), origin
end

local each, _, asked = shop("each", { call = { single_flight = false } })
expect "without it each call is made" { at_end = asked.rate:between("19/s", "20/s") }
expect "and none is shared" { at_end = each.shared.ratio:equals(0) }

local together, users, origin = shop("together", {})
-- 10 of 11; the last flight is still under way at the end.
expect "of eleven calls one is made" { at_end = together.shared.ratio:between("89%", "91%") }
expect "the callee is asked that often" { at_end = origin.rate:between("1.75/s", "1.85/s") }
-- 501 ms for the first, 50 ms less for each that comes later.
expect "who comes later waits less" { at_end = users.latency.mean:between("245ms", "256ms") }
expect "all are answered" { at_end = users.success.ratio:equals "100%" }

local apart, _, many = shop("apart", {}, { keys = dist.uniform { from = "0s", to = "365d" } })
expect "each key flies alone" { at_end = apart.shared.ratio:equals(0) }
expect "so that all are asked for" { at_end = many.rate:between("19/s", "20/s") }

-- Two replicas see each second arrival: six of 100 ms to a flight each, five of them shared.
local pair = shop("pair", { replicas = 2 })
expect "so does each replica" { at_end = pair.shared.ratio:between("82%", "84%") }

-- Five arrivals within the 240 ms that the leader waits, all of which fail with it.
local late, late_users = shop("late", { call = { timeout = "240ms" } })
expect "a leader that times out fails them all" { at_end = late_users.errors.ratio:equals "100%" }
expect "and is asked for once" { at_end = late.shared.ratio:between("79%", "81%") }

-- A retry is the leader's: 240 ms, 100 ms of backoff, and again.
local again, again_users, twice = shop("again", { call = { timeout = "240ms", retries = 1,
  overall_timeout = "300ms", backoff = "100ms", jitter = "none" } })
expect "nobody waits beyond its own time" { at_end = again_users.latency.max:below "310ms" }
expect "retries are the leader's" { at_end = again.retries.rate:equals "0/s" }

local walled, walled_users = shop("walled", { call = { bulkhead = 1, breaker = {} } })
expect "who follows takes no room" { at_end = walled.rejected.ratio:equals(0) }
expect "and is served" { at_end = walled_users.success.ratio:equals "100%" }

-- A fan of three is one flight, and its legs are three calls.
local fan, fan_users, parts = shop("fan", { call = { fan_out = 3 } })
expect "a fan is shared as a whole" { at_end = fan_users.success.ratio:equals "100%" }
expect "with all its legs" { at_end = parts.rate:between("5.2/s", "5.6/s") }

local other = service "other" { service_time = "10ms", concurrency = 1000 }
local both, both_users = shop("both", { parallel = true, beside = call { other, timeout = "1s" } })
expect "one of several is shared too" { at_end = both_users.success.ratio:equals "100%" }
expect "the others are not" { at_end = other.rate:between("19/s", "20/s") }

-- Who is hasty gives up after 100 ms, and leads every time: it is there before the others.
local left, patient, led = shop("left", { takes = "300ms" }, { rate = "5/s" })
local hasty = traffic "hasty" { to = left, rate = "1/s", arrivals = "constant", keys = one,
  beside = true, timeout = "100ms", cancel = true }
expect "the hasty are gone" { at_end = hasty.success.ratio:equals(0) }
expect "those who waited for them are served" { at_end = patient.success.ratio:equals "100%" }
expect "and do not ask all at once" { never = led.rate:above "5/s" }

-- A process that dies takes its flights with it; the next one begins with none.
local mortal, mortal_users = shop("mortal", {})
fault.kill { mortal, at = "10.2s", lasting = "1s" }
expect "flights end with their process" { at_end = mortal_users.errors.ratio:between("2%", "8%") }
expect "others fly after it" { at_end = mortal.shared.ratio:between("85%", "91%") }
