-- Less usual options of most blocks, all at once.
scenario "Options are taken as they are meant" { duration = "1m", warmup = "5s" }
local r1 = region "us" { zones = { "a", "b" } }
local r2 = region "eu" { zones = { "x" }, latency = "1ms" }
link { r1, r2, latency = dist.normal { mean = "35ms", sd = "2ms" }, loss = "0.1%" }
local h = host "box" { zone = r1.zone.a }
local db = database "db" { nodes = 2, on = h, reads = "replicas", failover = false }
local api = service "api" { replicas = 2, on = r2.zone.x, queue = { max = 10, policy = "lifo" }, error_ratio = "0.5%",
  calls = { call { db, "select y", timeout = "1s", cancel = true, retry_budget = "10%", retries = 2, jitter = "none" }, call { db, "insert y", timeout = "1s" } } }
local lb = balancer "lb" { to = api, policy = "random", health = { every = "500ms", fails = 2, passes = 1 }, on = r2 }
local u = traffic "u" { to = lb, rate = "3k/m", arrivals = "constant", timeout = "2s" }
local f = fault.down { r2, at = "20s", lasting = "5s" }
local g = fault.partition { db, api, direction = "to", at = "40s", lasting = "3s" }
fault.pause { db.replica[1], at = "50s", lasting = "4s" }
expect "x" { sometimes = api.replica[2].latency.p99:above "1ms" }
expect "y" { at_end = u.success.ratio:above "50%", severity = "warn" }
expect "z" { never = u.latency.p999:above "1h", except = { { after = f, lasting = "10s" }, { after = g } } }
expect "lag" { sometimes = db.lag.time:above "1s" }
slo "s" { of = api, objective = "80%", over = "30s" }
