-- Bronson, Aghayev, Charapko, Zhu, "Metastable Failures in Distributed Systems", HotOS 2021,
-- section 2.1: a database that can do 300 queries a second, callers that try again once after a
-- second, a network outage of 10 s. At 280 queries a second the outage leaves 560 attempts a
-- second and no goodput behind, for good: every answer comes too late for whoever asked.
--
-- How long the trigger is matters only above the *stable* load, which retries divide: below
-- 300 / 2 = 150 a second any outage is recovered from (Huang et al., "Metastable Failures in the
-- Wild", OSDI 2022, theorem 2), if slowly; at 160 two seconds of standstill are for ever. Without
-- retries, or if a timeout cancels the work, 280 recovers too.
local cases = { -- load per second, what begins it, how long that is
  ["280/s network 10s"]           = { 280, "partition", "10s" },
  ["280/s network 60s"]           = { 280, "partition", "60s" },
  ["160/s pause 2s"]              = { 160, "pause", "2s" },
  ["160/s pause 0.5s"]            = { 160, "pause", "500ms" },
  ["140/s pause 2s"]              = { 140, "pause", "2s" },
  ["140/s pause 10s"]             = { 140, "pause", "10s" },
  ["140/s network 60s"]           = { 140, "partition", "60s" },
  ["280/s network 10s no retry"]  = { 280, "partition", "10s", retries = 0 },
  ["280/s network 10s cancelled"] = { 280, "partition", "10s", cancel = true },
}
local stuck = { "280/s network 10s", "280/s network 60s", "160/s pause 2s" }
local case = param("case", {
  stuck[1], stuck[2], stuck[3], "160/s pause 0.5s", "140/s pause 2s", "140/s pause 10s",
  "140/s network 60s", "280/s network 10s no retry", "280/s network 10s cancelled",
})
local load, kind, lasting = table.unpack(cases[case])

scenario "A retry storm outlives the outage that began it" {
  about    = "HotOS 2021, section 2.1: after 10 s without a network 560 attempts/s, no goodput",
  tags     = { "overload", "paper" },
  duration = "6m",
  warmup   = "10s",
  xfail    = { case = stuck },
}

local db = service "db" {
  concurrency = 1, service_time = dist.exponential { mean = "3.333ms" },
  queue = { max = "unbounded" },
}
local app = service "app" {
  concurrency = 60000, service_time = "1us",
  calls = { call { db, "query", timeout = "1s", cancel = cases[case].cancel,
                   retries = cases[case].retries or 1, backoff = "1us", jitter = "none" } },
}
local users = traffic "users" { to = app, rate = load .. "/s", timeout = "10s" }

local trigger = kind == "partition" and fault.partition { app, db, at = "30s", lasting = lasting }
    or fault.pause { db, at = "30s", lasting = lasting }

expect "before the trigger everybody is served" {
  always = users.success.ratio:above "95%", over = "10s",
  during = { after = "10s", lasting = "20s" },
}
expect "three minutes after it everybody is served again" {
  eventually = users.success.ratio:above "95%", after = trigger.ends, within = "180s",
  holding = "20s",
  because = "attempts that nobody waits for any more must not use up what there is",
}
for i = 1, #stuck do
  if case == stuck[i] then
    expect "every query is sent twice, for good" {
      always = app.retries.rate:between(load * 0.94 .. "/s", load * 1.06 .. "/s"), over = "10s",
      during = { after = "5m", lasting = "60s" },
    }
  end
end
