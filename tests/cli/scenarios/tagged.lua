scenario "What has tags" {
  tags     = { "db", "slow" },
  duration = "10s",
}
local web = service "web" { service_time = "1ms" }
traffic "users" { to = web, rate = "10/s" }
expect "answers come" { always = web.latency.p99:below "1s" }
