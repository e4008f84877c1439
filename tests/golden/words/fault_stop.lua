-- What acts needs somebody who acts.
scenario "Stopped too early" { duration = "1m" }
local web = service "web" {}
traffic "users" { to = web, rate = "50/s" }
local outage = fault.kill { web, at = "10s" }
outage:stop()
expect "it answers" { at_end = web.errors.ratio:below "100%" }
