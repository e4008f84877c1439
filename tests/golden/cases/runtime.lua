scenario "A drive goes wrong" { duration = "1m" }
local web = service "web" { replicas = 2 }
traffic "users" { to = web, rate = "20/s" }
drive("operator", function()
  sleep "30s"
  local t = nil
  t.field = 1
end)
expect "quick" { always = web.latency.p99:below "300ms" }
