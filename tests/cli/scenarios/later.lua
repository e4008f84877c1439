scenario "Nothing is lost" { duration = "1m" }
local log = service "log" {}
traffic "users" { to = log, rate = "20/s" }
check("no order is lost", function(w) return w:value(log.errors.ratio) == 0, "0 of all" end)
check("no order is found", function() return log ~= nil end)
