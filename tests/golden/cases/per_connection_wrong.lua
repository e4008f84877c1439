-- Shares that mean nothing.
local way = param("way", { "correlated", "burst", "none", "of what" })
scenario "Shares of connections that are none" { duration = "1m" }
local db = service "db" {}
local web = service "web" { calls = { call { db } } }
traffic "users" { to = web, rate = "20/s" }
if way == "correlated" then
  fault.corrupt { db, ratio = "10%", per = "connection", correlation = "50%", at = "20s" }
elseif way == "burst" then
  fault.loss { db, burst = { p = "1%", r = "10%" }, per = "connection", at = "20s" }
elseif way == "none" then
  fault.reset { db, ratio = "0%", at = "20s" }
else
  fault.loss { db, ratio = "10%", per = "request", at = "20s" }
end
expect "it answers" { at_end = web.errors.ratio:below "1%" }
