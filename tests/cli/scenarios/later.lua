scenario "Nothing is lost" { duration = "1m" }
local log = service "log" {}
check("no order is lost", function() return log ~= nil end)
check("no order is found", function() return log ~= nil end)
