-- The second delay is longer than a caller waits; the first is not, and nobody notices it.
scenario "Of two delays one is too long" { duration = "20s" }

local db = service "db" { concurrency = 64, service_time = "1ms" }
local web = service "web" { concurrency = 64, service_time = "1ms",
  calls = { call { db, timeout = "100ms" } } }
local users = traffic "users" { to = web, rate = "60/s" }
fault.latency { web, db, add = "5ms", at = "3s", lasting = "2s" }
fault.latency { web, db, add = "500ms", at = "8s", lasting = "2s" }
expect "no request fails" { always = users.errors.rate:equals "0/s" }
