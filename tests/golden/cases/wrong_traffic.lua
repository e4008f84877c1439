-- What only the model knows to refuse.
scenario "Too many, and too close" { duration = "10m" }
local web = service "web" {}
local which = param("which", { "users", "batch", "gaps", "pareto" })
if which == "users" then
  traffic "users" { to = web, arrivals = "closed", users = 10000001 }
elseif which == "batch" then
  traffic "users" { to = web, rate = "1/s", batch = 100001 }
elseif which == "gaps" then
  traffic "users" { to = web, gaps = "0s" }
else
  traffic "users" { to = web, gaps = dist.pareto { min = "1ms", alpha = 1 } }
end
expect "answers come" { always = web.latency.p99:below "1s" }
