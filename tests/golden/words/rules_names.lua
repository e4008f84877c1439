-- A rule that reads what nobody records is refused when the world is built.
scenario "Rules by the wrong name" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
rule "api:errors:rate5m" { expr = "sum(rate(lorenz_errors_total[5m]))" }
alert "Errors" { expr = "api:errors:rate1m > 1" }
