-- Endpoints alone, and checks too: one or the other.
scenario "Endpoints and checks" { duration = "1m" }

local web = service "web" { replicas = 2 }
traffic "users" { to = web, rate = "1/s", health = { by = "endpoints", fails = 3 } }
