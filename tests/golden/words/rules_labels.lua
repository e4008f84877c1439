-- A label that nothing has selects nothing: job is Prometheus' own, component stands for it here.
scenario "Rules by the wrong label" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
alert "Down" { expr = 'up{job="api"} == 0' }
