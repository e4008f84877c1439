-- Of whose subset no endpoint is left goes to another endpoint, never to who is none.
scenario "subset" { duration = "3m" }
local eu = region "eu" { zones = { "a", "b", "c" }, node_lifecycle = {} }
local api = service "api" { replicas = 6, spread = eu, service_time = "1ms" }
local users = traffic "users" { to = api, rate = "60/s", arrivals = "constant", timeout = "100ms",
    health = { by = "endpoints" }, subset = 1 }
fault.down { eu.zone.a, at = "60s" }
fault.down { eu.zone.b, at = "60s" }
expect "all are answered" { always = users.errors.ratio:equals(0),
    during = { after = "130s", lasting = "40s" } }
