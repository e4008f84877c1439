-- A startup probe gives a slow process its time, up to 30 probes of 10 s (kubernetes.io, "Configure
-- Liveness, Readiness and Startup Probes"), and keeps it from its callers meanwhile. Without it,
-- liveness ends the same process over and over.
scenario "A slow start is given its time" { duration = "10m" }
local web = service "web" { replicas = 2, service_time = "5ms", startup = "65s",
  liveness = { period = "5s", failure_threshold = 2 },
  startup_probe = { period = "10s", failure_threshold = 30 } }
local bare = service "bare" { replicas = 2, service_time = "5ms", startup = "65s",
  liveness = { period = "5s", failure_threshold = 2 } }
local users = traffic "users" { to = web, rate = "20/s", health = { by = "endpoints" } }
traffic "others" { to = bare, rate = "20/s", health = { by = "endpoints" } }
fault.kill { web.replica[1], at = "1m", lasting = "1s" }
fault.kill { bare.replica[1], at = "1m", lasting = "1s" }
expect "it is not ready before its start-up is over" { always = web.replicas.ready:below(2),
  during = { after = "62s", lasting = "60s" } }
expect "then it is" { eventually = web.replicas.ready:equals(2),
  after = "126s", within = "11s", holding = "5m" }
expect "without it liveness never lets it start" { always = bare.replicas.ready:below(2),
  during = { after = "62s", lasting = "8m" } }
