-- A method without its arguments: nothing is set here.
scenario "A colon in a statement" { duration = "1m" }
local web = service "web" { service_time = "5ms" }
traffic "users" { to = web, rate = "10/s" }
drive("operator", function()
  sleep "1s"
  web:route end)
expect "it works" { always = web.latency.p99:below "1s" }
