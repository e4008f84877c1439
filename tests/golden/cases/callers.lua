-- What a caller may do beside trying again: each row is one thing, with its exact consequence.
local rows = { "hedged at 0.5 s steps", "tied", "overall timeout", "retry_on", "enough", "breaker",
  "outliers", "zone_aware", "too few" }
local row = param("row", rows)

scenario "callers" { duration = "30s", xfail = { row = "too few" } }

if row == "hedged at 0.5 s steps" then -- gRPC A6: hedgingDelay 0.5 s, maxAttempts 4
  local start
  local leaf = service "leaf" { replicas = 4, handle = { get = function(req)
    start = start or now()
    log("a leaf is asked after %s", now() - start)
    req:sleep(dur "10s")
    return 200
  end } }
  local users = traffic "users" { to = leaf, op = "get", rate = "0.1/s", arrivals = "constant",
    timeout = "20s", beside = true, hedge = { after = "500ms", attempts = 4 } }
  expect "three more are sent" { at_end = users.hedges.per_call:between(1.5, 3) }
  expect "the first wins" { at_end = users.hedges.won:at_most "0%" }
elseif row == "tied" then -- the other replica is busy: it forgets what it has queued
  local leaf = service "leaf" { replicas = 2, concurrency = 1, service_time = "1s" }
  local users = traffic "users" { to = leaf, rate = "0.5/s", arrivals = "constant", beside = true,
    hedge = { after = "1ms", tied = true, leave = true } }
  local busy = traffic "busy" { to = leaf, rate = "0.5/s", arrivals = "constant", beside = true,
    weights = { 1, 1 } }
  expect "every request is sent twice" { at_end = users.hedges.per_call:between(0.99, 1) }
  expect "what was queued is served once" { at_end = leaf.rate:below "1.6/s" }
elseif row == "overall timeout" then
  local slow = service "slow" { service_time = "1h", concurrency = 1000 }
  local users = traffic "users" { to = slow, rate = "1/s", beside = true, timeout = "1s",
    overall_timeout = "2.5s", retries = 10, backoff = "1ns", jitter = "none" }
  expect "each is given up after it" { at_end = users.latency.max:between("2.49s", "2.51s") }
  expect "in three attempts" { at_end = amplification(users, slow):between(2.8, 3) }
elseif row == "retry_on" then
  local web = service "web" { error_ratio = "100%" } -- by status 500
  local a = traffic "a" { to = web, rate = "10/s", beside = true, retries = 3,
    retry_on = { "timeout", 503 } }
  local b = traffic "b" { to = web, rate = "10/s", beside = true, retries = 3, backoff = "1ms",
    retry_on = { 500 } }
  expect "what is not listed is not tried again" { at_end = amplification(a, web):between(1, 1) }
  expect "what is listed is" { at_end = amplification(b, web):between(3.9, 4) }
elseif row == "enough" or row == "too few" then -- nine of ten leaves must answer
  local leaf = service "leaf" { replicas = 10, error_ratio = "5%" }
  local root = service "root" { calls = { call { leaf, fan_out = 10,
    enough = row == "enough" and 9 or nil } } }
  local users = traffic "users" { to = root, rate = "100/s", beside = true }
  -- 0.95^10 = 0.599, and 10 * 0.05 * 0.95^9 = 0.315 more.
  expect "nine answers are enough" { at_end = users.success.ratio:between("89%", "94%") }
elseif row == "breaker" then
  local web = service "web" { service_time = "1ms" }
  local users = traffic "users" { to = web, rate = "100/s", beside = true, arrivals = "constant",
    breaker = { consecutive = 5, open = "1s" } }
  local wrong = fault.degrade { web, error_ratio = "100%", at = "10s", lasting = "5s" }
  expect "it opens" { sometimes = users.breaker.open:above(0) }
  expect "few requests reach what does not work" {
    always = web.rate:below "30/s", during = { after = "11s", lasting = "3s" },
  }
  expect "it closes" { eventually = users.success.ratio:at_least "100%", after = wrong.ends,
    within = "3s", holding = "5s" }
elseif row == "outliers" then
  local web = service "web" { replicas = 10 }
  local users = traffic "users" { to = web, rate = "200/s", beside = true,
    outliers = { failures = 5, every = "1s", ejection = "10s" } }
  fault.degrade { web.replica[1], error_ratio = "100%", at = "5s", lasting = "20s" }
  expect "the bad replica is ejected again and again" {
    at_end = users.ejections:between(2, 3),
  }
  expect "and costs five requests each time" {
    at_end = users.errors.ratio:below "0.3%",
  }
elseif row == "zone_aware" then
  local eu = region "eu" { zones = { "a", "b" } }
  local web = service "web" { replicas = 10, spread = eu }
  local app = service "app" { replicas = 2, spread = eu,
    calls = { call { web, zone_aware = true } } }
  local users = traffic "users" { to = app, rate = "400/s" }
  for i = 3, 7, 2 do fault.kill { web.replica[i], at = "10s", lasting = "10s" } end
  expect "its own zone serves" {
    always = web.replica[1].rate:between("20/s", "60/s"), during = { after = "1s", lasting = "9s" },
  }
  expect "and the other takes what is too much" { -- 2 of 5: 56 % stay, 44 % spill over
    always = web.replica[2].rate:between("42/s", "75/s"),
    during = { after = "12s", lasting = "8s" },
  }
end
