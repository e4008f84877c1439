-- Rules in PromQL: one alert for each component that fails, grouped by it, one of a quantile; and
-- what the pager says of a fault that takes samples away.
scenario "PromQL pages for each component" { duration = "15m", warmup = "1m" }

local db = service "db" { replicas = 2, service_time = "5ms" }
local api = service "api" {
    replicas = 2, service_time = "2ms", calls = { call { db, "select", timeout = "500ms" } },
}
local users = traffic "users" { to = api, rate = "50/s" }

monitoring "prometheus" { group_by = { "alertname", "component" } }

local errors = alert "Errors" {
    expr = [[
        sum by (component) (rate(lorenz_errors_total{component=~"api|users"}[1m]))
          / sum by (component) (rate(lorenz_requests_total{component=~"api|users"}[1m])) > 0.02]],
    pending = "1m", labels = { severity = "page" },
}
local slow = alert "Slow" {
    expr = "histogram_quantile(0.99, sum by (le) "
        .. "(rate(lorenz_latency_seconds_bucket{component='users'}[2m]))) > 0.1",
}
local gone = alert "Nothing is heard of it" { expr = "absent(lorenz_replicas_up{component='db'})" }

fault.kill { db, at = "4m", lasting = "3m" }
fault.latency { db, add = "200ms", at = "9m", lasting = "3m" }
fault.monitoring_loss { db, at = "13m", lasting = "1m" }

expect "both fire" { sometimes = errors.firing:equals(2) }
expect "and are told, each by itself" { at_end = errors.notifications:equals(2) }
expect "and resolved" { at_end = errors.firing:equals(0) }
expect "what is slow is told" {
    eventually = slow.notified, after = "9m", within = "2m",
}
expect "a gap is noticed" { eventually = gone.fired, after = "13m", within = "1m" }
