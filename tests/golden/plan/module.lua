local wear = use "./_outage.lua"
scenario "What a module breaks is shown with both places" { duration = "2m" }

local web = service "web" { replicas = 2 }
local users = traffic "users" { to = web, rate = "10/s" }
local outage = wear.outage(web, "30s")

expect "users are served again" {
  eventually = users.success.ratio:at_least "99%", after = outage.ends, within = "20s",
}
