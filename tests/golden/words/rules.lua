-- What can be wrong with rules that record.
scenario "Wrong rules" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
rule "errors by component" { expr = "sum(lorenz_errors_total)" }
rule "a" { record = "api:errors", expr = "sum(lorenz_errors_total)" }
rule "b" { record = "api errors", expr = "sum(lorenz_errors_total)" }
rule "up" { expr = "vector(1)" }
rule "c" { record = "ALERTS", expr = "vector(1)" }
rule "d" { record = "lorenz_errors_total", expr = "vector(1)" }
rule "e" { record = 7, expr = "vector(1)" }
rule "f:f" {}
rule "g:g" { expr = "sum(" }
rule "h:h" { expr = "lorenz_errors_total[5m]" }
rule "i:i" { expr = "vector(1)", labels = { __name__ = "x" } }
rule "j:j" { expr = "vector(1)", every = "0s" }
rule "k:k" { expr = "vector(1)", pending = "1m" }
local ok = rule "l:l" { expr = "vector(1)" }
expect "a metric it has not" { always = ok.firing:equals(0) }
fault.kill { ok, at = "1m" }
fault.alert_delay { ok, add = "1s", at = "1m" }
traffic "nobody" { to = ok, rate = "1/s" }
link { ok, api, latency = "1ms" }
expect "it calls nobody" { always = amplification(ok, api):below(2) }
alert "too seldom" { expr = "vector(1)", every = 5 }
