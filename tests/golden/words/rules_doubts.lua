-- Labels that nothing has: Prometheus would say nothing, and the alerts would never fire.
scenario "misspelt" { duration = "1m" }
local web = service "web" { replicas = 2 }
local users = traffic "users" { to = web, rate = "10/s" }

local never = alert "a component" { expr = 'lorenz_errors_ratio{component="usres"} > 0.01' }
alert "an outcome" { expr = 'rate(lorenz_outcomes_total{outcome="success"}[1m]) > 1' }
alert "a bucket" { expr = 'rate(lorenz_latency_seconds_bucket{le="0.3"}[1m]) > 1' }
alert "an instance" { expr = 'up{instance=~"web.[3-9]."} == 0' }
alert "a pasted label" { expr = 'sum by (job) (up) / on (jobs) sum by (component) (up) > 1' }
alert "by a pattern" { expr = '{__name__=~"lorenz_.*_ratio", job="api"} > 0.5' }
alert "no such names" { expr = 'count({__name__=~"http_.*"}) > 0' }
alert "never both" { expr = 'up{component="web", instance="users"} == 0' }
rule "fine" { expr = [[sum by (component) (up{instance!="web[7]"}) or absent(up{instance="web[7]"})
    or sum by (x) (label_replace(up, "x", "$1", "instance", "(.*)"))]], record = "x:y" }
alert "of a rule" { expr = 'x:y{x="web[9]"} > 1 and on (z) x:y' }

expect "it is quiet" { never = never.firing:above(0) }
