-- Periods have limits.
scenario "A rule that is hardly evaluated" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
rule "api:errors:rate5m" { expr = "sum(rate(lorenz_errors_total[5m]))", every = "25h" }
