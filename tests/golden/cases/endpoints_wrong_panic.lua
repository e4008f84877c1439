scenario "panic" { duration = "10s" }
local api = service "api" { replicas = 2 }
local users = traffic "users" { to = api, rate = "60/s", timeout = "100ms", panic = "60%",
    health = { by = "endpoints" } }
expect "never" { at_end = users.errors.ratio:equals(0) }
