-- R10 and R13: retries that outlive what began them, and the load below which they cannot.
--
-- R10  a database of 300 queries/s, one retry after a timeout of 1 s, nothing cancelled, first in
--      first out, 10 s without a network: at 280/s the outage leaves 560 attempts/s (553 to 558 in
--      an independent simulation) and no goodput; 140/s recovers; so does 280/s without retries,
-- or      if a timeout cancels the work. Bronson et al., HotOS 2021, section 2.1.
-- R13  with r retries the load below C / (r + 1) recovers from any trigger. Huang et al.,
--      "Metastable Failures in the Wild", OSDI 2022, theorem 2.
local rows = {
  ["R10 280"]           = { load = 280, retries = 1, stuck = true },
  ["R10 140"]           = { load = 140, retries = 1 },
  ["R10 280 cancelled"] = { load = 280, retries = 1, cancel = true },
  ["R10 280 once"]      = { load = 280, retries = 0 },
  ["R13 r=1 5 s"]       = { load = 135, retries = 1, pause = "5s" },
  ["R13 r=1 40 s"]      = { load = 135, retries = 1, pause = "40s" },
  ["R13 r=2 40 s"]      = { load = 90, retries = 2, pause = "40s" },
  ["R13 r=4 40 s"]      = { load = 54, retries = 4, pause = "40s" },
  ["R13 r=1 above"]     = { load = 165, retries = 1, pause = "5s", above = true },
  ["R13 r=4 above"]     = { load = 66, retries = 4, pause = "5s", above = true },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]

scenario "stable loads" { duration = "12m", warmup = "10s" }

local db = service "db" {
  concurrency = 1, service_time = dist.exponential { mean = "3.3333ms" },
  queue = { max = "unbounded" },
}
local app = service "app" {
  concurrency = 60000, service_time = "1us",
  calls = { call { db, "query", timeout = "1s", retries = row.retries, backoff = "1us",
                   jitter = "none", cancel = row.cancel } },
}
local users = traffic "users" { to = app, rate = row.load .. "/s", timeout = "30s", beside = true }
local trigger = row.pause and fault.pause { db, at = "30s", lasting = row.pause }
    or fault.partition { app, db, at = "30s", lasting = "10s" }

if row.stuck or row.above then
  local twice = row.load * row.retries
  expect "every attempt that may be made is, at the end" {
    always = app.retries.rate:between(0.98 * twice .. "/s", 1.02 * twice .. "/s"),
    over = "100s", during = { after = "10m", lasting = "2m" },
  }
  expect "nobody is served" {
    always = users.goodput:below(0.01 * row.load .. "/s"), over = "60s",
    during = { after = "10m", lasting = "2m" },
  }
else
  expect "everybody is served again" {
    eventually = users.success.ratio:above "98%", after = trigger.ends, within = "600s",
    holding = "30s",
  }
end
