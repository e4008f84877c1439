-- Each kind of fault is noticed while it lasts, several overlap, and nothing of any is left.
scenario "Every fault bites and lets go" { duration = "6m", warmup = "10s" }
local eu = region "eu" { zones = { "a", "b", "c" } }
local db = database "db" { nodes = 3, spread = eu, replication = "async", query_time = "2ms" }
local api = service "api" {
  replicas = 3, spread = eu, cpu = 1, concurrency = 16, service_time = "1ms",
  calls = { call { db, "select x", timeout = "300ms", retries = 1, backoff = "10ms" } },
}
local users = traffic "users" { to = api, rate = "120/s", timeout = "1s" }

fault.kill      { api.replica[1], at = "30s", lasting = "10s" }
fault.pause     { api.replica[2], at = "60s", lasting = "10s" }
fault.down      { eu.zone.c, at = "90s", lasting = "10s" }
local latency   = fault.latency   { link(api, db), add = "20ms", at = "120s", lasting = "20s" }
local more      = fault.latency   { api, add = "30ms", at = "130s", lasting = "20s" }
fault.loss      { link(api, db), ratio = "20%", at = "160s", lasting = "20s" }
fault.partition { eu.zone.b, eu.zone.a, at = "190s", lasting = "10s" }
fault.cpu       { api, load = "90%", at = "220s", lasting = "15s" }
fault.degrade { api, factor = 2, error_ratio = "10%", at = "250s", lasting = "20s" }
local again     = fault.degrade   { api, factor = 3, at = "260s", lasting = "20s" }
fault.pause     { api, pick = "50%", at = "300s", lasting = "1s", every = "5s" }

expect "a killed replica is missed" { sometimes = api.replicas.up:at_most(2) }
expect "a paused replica is missed" { sometimes = api.replicas.ready:at_most(2) }
expect "latency adds up while two overlap" {
  always = users.latency.p50:between("190ms", "205ms"),  -- 35 + 4 x 30 + 2 x 20
  during = { after = more, lasting = "9s" },
}
expect "one of them alone is less" {
  always = users.latency.p50:between("150ms", "162ms"),  -- 35 + 4 x 30
  during = { after = latency.ends, lasting = "8s" },
}
expect "loss costs a retransmission" { sometimes = api.latency.p99:above "200ms" }
expect "two degradations multiply" {
  always = api.latency.p50:between("8ms", "16ms"),       -- 2 x 3 x 1 ms, shared, and the call
  during = { after = again, lasting = "9s" },
}
expect "wrong answers are counted" { sometimes = api.errors.ratio:above "5%" }
expect "after the last of them everything is as it was" {
  always = users.latency.p99:below "45ms",
  during = { after = again.ends, lasting = "15s" },
}
expect "no error is left either" {
  always = users.errors.ratio:equals "0%",
  during = { after = again.ends, lasting = "15s" },
}
