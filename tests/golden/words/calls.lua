-- What can be wrong with how a service is asked and asks.
scenario "Wrong queues and calls" { duration = "1m" }
local db = database "db" {}
local one = service "one" { queue = { policy = "coddle", timeout = 5, target = "x", max = -1 } }
local two = service "two" { shed = { in_flight = 0, cpu = "150%", age = "1s" } }
local three = service "three" { rate_limit = { burst = 5 }, deadlines = true, parallel = "yes" }
local four = service "four" { autoscale = { min = 5, max = 2, target_cpu = "50%" } }
local five = service "five" { autoscale = { max = 0, startup = 5 } }
local six = service "six" { calls = {
  call { db, "select", fallback = db, optional = 1, bulkhead = 0, priority = -1 },
  call { db, "select", fallback = call { db, "insert", optional = true } },
} }
traffic "users" { to = one, rate = "1/s", priority = "high" }
