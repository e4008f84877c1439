-- What people get wrong about balancing, retries, breakers and hedging.
scenario "calls" { duration = "10s" }
local web = service "web" { replicas = 3 }
traffic "a" { to = web, rate = "1/s", balance = "ring_hsh" }
traffic "b" { to = web, rate = "1/s", balance = "least_conn" }
traffic "c" { to = web, rate = "1/s", weights = 5 }
traffic "d" { to = web, rate = "1/s", weights = { 1, 0, 2 } }
traffic "e" { to = web, rate = "1/s", jitter = "fulll" }
traffic "f" { to = web, rate = "1/s", retry_on = "timeout" }
traffic "g" { to = web, rate = "1/s", retry_on = { "timeouts", 42 } }
traffic "h" { to = web, rate = "1/s", retry_budget = "150%" }
traffic "i" { to = web, rate = "1/s", retry_budget = { tokens = -1 } }
traffic "j" { to = web, rate = "1/s", retry_budget = { size = 10 } }
traffic "k" { to = web, rate = "1/s", breaker = { ratio = 50 } }
traffic "l" { to = web, rate = "1/s", breaker = { open = 5 } }
traffic "m" { to = web, rate = "1/s", breaker = true }
traffic "n" { to = web, rate = "1/s", hedge = {} }
traffic "o" { to = web, rate = "1/s", hedge = { after = "p" } }
traffic "p" { to = web, rate = "1/s", hedge = { after = "p0" } }
traffic "q" { to = web, rate = "1/s", hedge = { after = "0s" } }
traffic "r" { to = web, rate = "1/s", hedge = { after = "10ms", attempts = 1 } }
traffic "s" { to = web, rate = "1/s", fan_out = 3 }
traffic "t" { to = web, rate = "1/s", outliers = { ejection = "30" } }
traffic "u" { to = web, rate = "1/s", slow_start = { least = "5%" } }
traffic "v" { to = web, rate = "1/s", subset = 0 }
traffic "w" { to = web, rate = "1/s", overall_timeout = 3 }
traffic "x" { to = web, rate = "1/s", throttle = { k = "2" } }
