-- A fault: what breaks, when, and for how long. Run: lorenz run examples/fault.lua
scenario "Two of four replicas stop for ten seconds" { duration = "2m", warmup = "10s" }

local web = service "web" { replicas = 4, concurrency = 32, service_time = "5ms" }
local users = traffic "users" { to = web, rate = "300/s", timeout = "1s", retries = 1 }

-- `pick` chooses among the instances a target means, by a draw that the seed decides.
local stall = fault.pause { web, pick = 2, at = "1m", lasting = "10s" }

expect "nobody notices for more than 5 s" {
  eventually = users.success.ratio:at_least "99%",
  after = stall, within = "5s", holding = "5s",
}
