-- Bronson, Aghayev, Charapko, Zhu, "Metastable Failures in Distributed Systems", HotOS 2021,
-- section 2.1: a database that can do 300 queries a second, callers that try again once after a
-- second, a network outage of 10 s. At 280 queries a second the outage leaves 560 attempts a
-- second and no goodput behind, for good: every answer comes too late for whoever asked.
--
-- How long the trigger is matters only above the *stable* load, which retries divide: below
-- 300 / 2 = 150 a second any outage is recovered from (Huang et al., "Metastable Failures in the
-- Wild", OSDI 2022, theorem 2), if slowly; at 160 two seconds of standstill are for ever. Without
-- retries, or if a timeout cancels the work, 280 recovers too.
local cases = {
  ["280/s network 10s"]                = { load = 280, network = "10s", stuck = true },
  ["280/s network 60s"]                = { load = 280, network = "60s", stuck = true },
  ["160/s pause 2s"]                   = { load = 160, pause = "2s", stuck = true },
  ["160/s pause 0.5s"]                 = { load = 160, pause = "500ms" },
  ["140/s pause 2s"]                   = { load = 140, pause = "2s" },
  ["140/s pause 10s"]                  = { load = 140, pause = "10s" },
  ["140/s network 60s"]                = { load = 140, network = "60s" },
  ["280/s network 10s no retry"]       = { load = 280, network = "10s", retries = 0 },
  ["280/s network 10s cancelled"]      = { load = 280, network = "10s", cancel = true },
}
local name = param("case", {
  "280/s network 10s", "280/s network 60s", "160/s pause 2s", "160/s pause 0.5s",
  "140/s pause 2s", "140/s pause 10s", "140/s network 60s",
  "280/s network 10s no retry", "280/s network 10s cancelled",
})
local c = cases[name]

scenario "A retry storm outlives the outage that began it" {
  about    = "HotOS 2021, section 2.1: after 10 s without a network 560 attempts/s, no goodput",
  tags     = { "overload", "paper" },
  duration = "6m",
  warmup   = "10s",
  xfail    = { case = { "280/s network 10s", "280/s network 60s", "160/s pause 2s" } },
}

local db = service "db" {
  concurrency = 1, service_time = dist.exponential { mean = "3.333ms" },
  queue = { max = "unbounded" },
}
local app = service "app" {
  concurrency = 60000, service_time = "1us",
  calls = { call { db, "query", timeout = "1s", cancel = c.cancel,
                   retries = c.retries or 1, backoff = "1us", jitter = "none" } },
}
local users = traffic "users" { to = app, rate = c.load .. "/s", timeout = "10s" }

local trigger = c.network and fault.partition { app, db, at = "30s", lasting = c.network }
    or fault.pause { db, at = "30s", lasting = c.pause }

expect "before the trigger everybody is served" {
  always = users.success.ratio:above "95%", over = "10s", during = { after = "10s", lasting = "20s" },
}
expect "three minutes after it everybody is served again" {
  eventually = users.success.ratio:above "95%", after = trigger.ends, within = "180s",
  holding = "20s",
  because = "attempts that nobody waits for any more must not use up what there is",
}
if c.stuck then
  expect "every query is sent twice, for good" {
    always = app.retries.rate:between(c.load * 0.94 .. "/s", c.load * 1.06 .. "/s"), over = "10s",
    during = { after = "5m", lasting = "60s" },
  }
end
