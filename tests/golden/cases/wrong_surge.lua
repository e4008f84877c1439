-- Load where it cannot be added.
scenario "More of what" { duration = "10m" }
local web, other = service "web" {}, service "other" {}
local which = param("which", { "nothing", "both", "less", "closed", "nobody", "zero" })
if which == "closed" then
  traffic "users" { to = web, arrivals = "closed", users = 5, think = "1s" }
else
  traffic "users" { to = web, rate = "10/s" }
end
if which == "nothing" then
  fault.surge { web, at = "1m" }
elseif which == "both" then
  fault.surge { web, at = "1m", factor = 2, rate = "5/s" }
elseif which == "less" then
  fault.surge { web, at = "1m", factor = 0.5 }
elseif which == "closed" then
  fault.surge { web, at = "1m", factor = 2 }
elseif which == "nobody" then
  fault.bots { other, at = "1m", rate = "5/s" }
else
  fault.bots { web, at = "1m", rate = "0/s" }
end
expect "answers come" { always = web.latency.p99:below "1s" }
