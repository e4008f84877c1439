-- Of a service that is rolled out no replica is meant for good.
scenario "Subsets of what comes and goes" { duration = "1m" }
local s = service "s" { replicas = 4, service_time = "5ms", rollout = {} }
service "t" { replicas = 4, service_time = "5ms", calls = { call { s, "x", subset = 2 } } }
traffic "users" { to = s, rate = "40/s", weights = { 1, 1, 1, 3 } }
