-- Everything a caller may do at once, while both sides die, stand still and lose each other.
-- Nothing here is fine; it must only go on, the same each time.
scenario "callers in trouble" { duration = "40s" }
local policy = param("balance", { "power_of_two", "ring_hash", "maglev", "round_robin" })

local leaf = service "leaf" {
  replicas = 12, concurrency = 2, queue = { max = 30 }, error_ratio = "1%",
  service_time = dist.exponential { mean = "8ms" },
}
local root = service "root" {
  replicas = 3, concurrency = 100,
  calls = {
    call { leaf, "part", balance = policy, fan_out = 8, enough = 7, timeout = "60ms", retries = 2,
           overall_timeout = "150ms", backoff = "5ms", jitter = "decorrelated", cancel = true,
           hedge = { after = "p95", attempts = 3, tied = true },
           load_bound = (policy == "ring_hash" or policy == "maglev") and "25%" or nil,
           slow_start = policy == "round_robin" and { window = "5s" } or nil,
           retry_budget = { tokens = 50, per_call = 0.2 }, breaker = { ratio = "40%" },
           outliers = { failures = 3, ejection = "2s", every = "1s", share_max = "50%" },
           zone_aware = true, panic = "30%" },
  },
}
local users = traffic "users" { to = root, rate = "60/s", timeout = "300ms", retries = 1,
  throttle = { over = "10s" }, hedge = { after = "100ms", leave = true }, cancel = true }

fault.kill { root, pick = 1, at = "5s", lasting = "500ms", every = "3s" }
fault.kill { leaf, pick = "25%", at = "6s", lasting = "1s", every = "4s" }
fault.pause { leaf, pick = 2, at = "7s", lasting = "400ms", every = "2s" }
fault.pause { root, pick = 1, at = "8s", lasting = "300ms", every = "5s" }
fault.partition { root, leaf, at = "20s", lasting = "2s" }
fault.degrade { leaf.replica[1], error_ratio = "100%", at = "25s", lasting = "10s" }

expect "some are served" { at_end = users.success.ratio:above "20%" }
expect "replicas are ejected" { at_end = root.ejections:above(0) }
expect "breakers open" { at_end = root.breaker.opened:above(0) }
expect "late requests are hedged" { at_end = root.hedges.rate:above "1/s" }
