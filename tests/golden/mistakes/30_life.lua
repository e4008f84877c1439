scenario "Processes that cannot live so" { duration = "10m" }
local web = service "web" {
  replicas = 3, startup = 5, restart = "sometimes", grace_period = "soon",
  liveness = { periodSeconds = 10, failure_threshold = 0 },
  readiness = "often",
  crash_backoff = { first = "10s", most = "5m" },
}
traffic "users" { to = web, rate = "10/s" }
fault.stop { web, graceful = 30, at = "1m" }
fault.crash_loop { web, backoff = "10 seconds", at = "2m" }
fault.kill { web, gracefully = "10s", at = "3m" }
