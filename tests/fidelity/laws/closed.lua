scenario "Sessions of users who think" { duration = "60s" }
local web = service "web" { concurrency = 4,
  service_time = dist.gamma { mean = "10ms", shape = 2 } }
traffic "users" { to = web, rate = shape.ramp { from = "20/s", to = "0/s", over = "40s" },
  session = { requests = 5 }, think = dist.exponential { mean = "500ms" }, timeout = "1h" }
expect "answers come" { sometimes = web.rate:above "1/s" }
