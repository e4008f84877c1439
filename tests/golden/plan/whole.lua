-- One of everything that a plan shows.
local retries = param("retries", { 0, 3 })

scenario "A shop survives what goes wrong" {
  duration = "10m", warmup = "1m", seeds = 20, xfail = { retries = 0 },
}

local eu = region "eu" { zones = { "a", "b" } }
local rack = host "rack-1" {}

local db = database "orders" { nodes = 3, spread = eu, replication = "sync",
  query_time = dist.lognormal { p50 = "2ms", p99 = "18ms" }, failover = { detect = "5s" } }
local api = service "api" { replicas = 2, queue = { max = "unbounded" }, service_time = "1.5ms",
  calls = {
    call { db, "select cart", timeout = "500ms", retries = retries, retry_budget = "off" },
    call { db, "write order", timeout = "800ms" },
  } }
local lb = balancer "lb" { to = api, policy = "least_requests" }
local jobs = service "jobs" { on = rack, handle = { ["GET /x"] = function() return 200 end } }
local users = traffic "users" { to = lb, rate = "400/s", op = "GET /" }
traffic "crons" { to = jobs, rate = "30/m", op = "GET /x" }
link { api, db, latency = "2ms", loss = "0.1%" }

local outage = fault.kill { db.primary, at = "4m" }
fault.latency { link(api, db), add = "3ms", at = "7m", lasting = "30s" }
fault.pause { api, pick = "random 50%", at = "2m", lasting = "5s", every = "90s" }
local dark = fault.down { eu.zone.b, at = "8m", lasting = "30s" }
fault.partition { api, db, at = "9m", lasting = "2s" }

drive("operator", function() sleep "1m" mark "begin" end)

expect "errors are back under 1 % within 15 s" {
  eventually = users.errors.ratio:below "1%", after = outage, within = "15s",
}
expect "the zone is not missed for long" {
  eventually = users.errors.ratio:below "1%", after = dark.ends, within = "20s",
}
expect "the queue stays short" { always = api.queue.length:below(500), severity = "warn" }
slo "availability" { of = users, objective = "99%" }
