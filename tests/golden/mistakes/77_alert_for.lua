-- Prometheus' `for` is a word of Lua.
scenario "An alert waits" { duration = "1m" }
local web = service "web" {}
traffic "users" { to = web, rate = "10/s" }
alert "Burning" { labels = { severity = "page" }, when = web.errors.ratio:above "1%", for = "1m" }
