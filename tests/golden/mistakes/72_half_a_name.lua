scenario "x" { duration = "5m" }
local web = service "web" { replicas = 4, rollout = { surge = 1, unavailable = 0 } }
