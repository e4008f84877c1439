scenario "Open, with retries and timeouts" { duration = "60s" }
local back = service "back" { concurrency = 4, service_time = dist.exponential { mean = "10ms" } }
local front = service "front" { concurrency = 4, service_time = dist.exponential { mean = "2ms" },
  calls = { call { back, "GET /", timeout = "1h" } } }
traffic "users" { to = front, timeout = "1h",
  rate = shape.steps { { "0s", "200/s" }, { "50s", "0/s" } } }
expect "answers come" { sometimes = front.rate:above "1/s" }
