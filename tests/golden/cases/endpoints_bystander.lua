-- A replica is killed whose callers check for themselves: what they see is the same whether or not
-- others go by endpoints.
local by = param("by", { "checks", "endpoints" })
scenario "bystander" { duration = "60s" }
local api = service "api" { replicas = 5, service_time = "1ms" }
local other = service "other" { replicas = 2, service_time = "1ms" }
local users = traffic "users" { to = api, rate = "20/s", arrivals = "constant", timeout = "1s",
    health = { every = "10s", fails = 1, passes = 2 } }
traffic "bystanders" { to = other, rate = "1/s", timeout = "1s",
    health = by == "endpoints" and { by = by } or nil }
fault.kill { api.replica[2], at = "20.03s", lasting = "15s" }
expect "one is refused" { always = users.errors.ratio:between("4%", "6%"),
    during = { after = "20s", lasting = "1s" } }
