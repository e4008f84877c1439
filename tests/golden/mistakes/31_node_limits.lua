scenario "Nodes that cannot be so" { duration = "10m" }
local rack = host "rack" { cores = 0, memory = "16 gigs" }
local web = service "web" {
  on = rack, cpu_limit = -1, cpu_period = 100, cpu_weight = "high",
  memory = { base = "1GiB", per_request = 4096, oom = "panic" },
}
traffic "users" { to = web, rate = "10/s" }
fault.cpu_throttle { web, at = "1m" }
fault.cpu_throttle { web, quota = "150%", at = "1m" }
fault.memory { web, leak = "5/s", at = "1m" }
fault.memory { web, fill = 2, oom = "crash", at = "1m" }
