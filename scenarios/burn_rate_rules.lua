-- The rules of burn_rate_page.lua as people have them in their Prometheus: the SRE Workbook's
-- multi-window, multi-burn-rate expressions (chapter 5, as Sloth and pyrra write them), pasted here
-- with metrics called as Lorenz calls them. By component: each that burns its budget is an alert of
-- its own, so one rule pages for the service that fails and for those that it takes along.
--
-- The question is what such rules say of an outage in a dependency: who is paged first, whether it
-- names the cause, and how long it goes on when all is well again.
scenario "Burn-rate rules page for the part that fails, and for those it takes along" {
  tags     = { "slo", "alerting", "promql" },
  duration = "3h",
  warmup   = "1m",
}

local payments = service "payments" {
  replicas     = 3,
  service_time = "8ms",
  versions     = { v1 = { error_ratio = "0.01%" }, v2 = { error_ratio = "10%" } },
  version      = "v1",
}
local search = service "search" { replicas = 2, service_time = "4ms" }
local shop = service "shop" {
  replicas     = 3,
  service_time = "2ms",
  calls        = { call { payments }, call { search } },
}
local users = traffic "users" { to = shop, rate = "20/s" }

monitoring "prometheus" {
  scrape_interval = "15s", evaluation_interval = "15s",
  group_by = { "alertname", "component" }, group_wait = "30s",
}

-- An objective of 99.9 %: 14.4 times as fast as the budget of 30 days allows spends 2 % in an hour.
local page = alert "ErrorBudgetBurnsFast" {
  expr = [[
    (
      sum by (component) (rate(lorenz_outcomes_total{outcome!="ok", component!="users"}[1h]))
        / sum by (component) (rate(lorenz_outcomes_total{component!="users"}[1h]))
        > 14.4 * (1 - 0.999)
    )
    and
    (
      sum by (component) (rate(lorenz_outcomes_total{outcome!="ok", component!="users"}[5m]))
        / sum by (component) (rate(lorenz_outcomes_total{component!="users"}[5m]))
        > 14.4 * (1 - 0.999)
    )]],
  labels  = { severity = "page" },
  because = "2 % of a month's errors go in an hour",
}

-- As many have beside it: answers that take too long, by the buckets.
local slow = alert "LatencyHigh" {
  expr = [[
    histogram_quantile(0.99,
      sum by (le, component) (rate(lorenz_latency_seconds_bucket{component="shop"}[5m]))) > 0.25]],
  pending = "2m",
  labels  = { severity = "ticket" },
}

drive("release", function()
  sleep "1h30m"
  mark "released"
  payments:route { v2 = "100%" }
  sleep "20m"
  mark "rolled back"
  payments:route { v2 = 0 }
end)

-- 1.44 % of an hour are 8m38s of a tenth of all requests.
expect "somebody is paged within 11 minutes of the release" {
  eventually = page.notified, after = happened "released", within = "11m",
}
expect "for payments and for the shop that depends on it, and for nothing else" {
  at_end = page.notifications:equals(2),
}
expect "search is never paged for" { never = page.firing:above(2) }
expect "it is over soon after, for all that the hour remembers" {
  eventually = page.firing:equals(0),
  after = happened "rolled back", within = "6m", holding = "10m",
}
expect "and is told once for each" { at_end = page.resolutions:equals(2) }
expect "nobody is slow" { never = slow.pending:above(0) }
