-- What a budget has no room for would never come.
scenario "Bad weather that never comes" { duration = "5m" }
local eu = region "eu" { zones = { "a", "b" } }
local web = service "web" { replicas = 4, spread = eu }
traffic "users" { to = web, rate = "10/s" }

chaos "all" { fault.kill { web, mtbf = "1m", lasting = "1s", pick = "all" } }
chaos "a third" { fault.kill { web, mtbf = "1m", lasting = "1s", pick = 2 }, replicas = "34%" }
chaos "region" { fault.down { eu, mtbf = "1m", lasting = "1s" }, replicas = "100%" }
chaos "late" { fault.kill { web, mtbf = "1m", lasting = "1s" }, from = "6m" }
fault.kill { web, mtbf = "1m", lasting = "1s" }
