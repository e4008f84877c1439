-- R01: AWS' simulator of backoff and jitter. N callers each read a version and write it back until
-- nobody else was quicker; a message takes |N(10, 2)| ms one way, backoff begins at 10 ms (base 5,
-- doubled once before the first) and is at most 2 s. Expected: time until all are done, and writes
-- in all, of an own port in C that agrees with the original,
-- aws-samples/aws-arch-backoff-simulator (Apache-2.0); AWS Architecture Blog, "Exponential
-- Backoff And Jitter", 2015.
--
-- Here an episode is a call with fan_out = N to a service whose handler reads and writes; a lost
-- write is an error answer, tried again by the call's retries, so it is the calls' own jitter that
-- is measured.
local rows = {
  ["N=10 none"]         = { n = 10, time = 378.7, calls = 51, jitter = "none", base = "1ns" },
  ["N=10 exponential"]  = { n = 10, time = 3370.6, calls = 50.4, jitter = "none", slack = 0.08 },
  ["N=10 equal"]        = { n = 10, time = 729.3, calls = 42.6, jitter = "equal" },
  ["N=10 full"]         = { n = 10, time = 472.5, calls = 39.1, jitter = "full" },
  ["N=10 decorrelated"] = { n = 10, time = 433.3, calls = 37.8, jitter = "decorrelated",
    base = "5ms" },
  ["N=50 equal"]        = { n = 50, time = 4213.4, calls = 347.2, jitter = "equal" },
  ["N=50 full"]         = { n = 50, time = 2848.8, calls = 332.3, jitter = "full" },
  ["N=50 decorrelated"] = { n = 50, time = 2179.7, calls = 373.6, jitter = "decorrelated",
    base = "5ms" },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]
local episodes = row.n == 10 and 300 or 60
local every = row.n == 10 and 20 or 30 -- seconds; an episode is over long before

scenario "backoff under contention" { duration = (episodes + 1) * every .. "s" }

local version, seen, asked = 0, {}, 0
local db = service "db" {
  concurrency = 1000, service_time = "1ns",
  handle = {
    read = function(req)
      seen[req.key] = version
      return 200
    end,
    write = function(req)
      local is_first = seen[req.key] == version
      seen[req.key] = nil
      if not is_first then return 500 end
      version = version + 1
      return 200
    end,
  },
}
local caller = service "caller" {
  concurrency = 1000, service_time = "1ns",
  handle = {
    update = function(req)
      asked = asked + 1
      local key = asked
      req:call { db, "read", key = key }
      return req:call { db, "write", key = key }.status
    end,
  },
}
local episode = service "episode" {
  service_time = "1ns",
  calls = { call { caller, "update", fan_out = row.n, retries = 1000, timeout = "1h",
                   backoff = row.base or "10ms", backoff_max = row.base == "1ns" and "1ns" or "2s",
                   jitter = row.jitter } },
}
link { caller, db, latency = dist.normal { mean = "10ms", sd = "2ms" } }
link { episode, caller, latency = "1ns" }
local start = traffic "start" {
  to = episode, rate = 1 / every .. "/s", arrivals = "constant", beside = true, timeout = "1h",
}

local slack = row.slack or 0.05 -- 3 %, and the noise of so many episodes
expect "the time until all are done" {
  at_end = start.latency.mean:between(row.time * (1 - slack) .. "ms",
      row.time * (1 + slack) .. "ms"),
}
-- A read and a write are two calls each.
expect "the writes it takes" {
  at_end = amplification(caller, db):between(1.99, 2.01),
}
expect "the attempts it takes" {
  at_end = amplification(episode, caller):between(row.calls * (1 - slack), row.calls * (1 + slack)),
}
