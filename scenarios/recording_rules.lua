-- A rules file as Sloth and others generate it, pasted: error ratios over several windows are
-- recorded, and alerts read what was recorded. Names are a team's own, job:... by custom; only what
-- is scraped is called as Lorenz calls it, and has the label component where a job would stand.
--
-- The questions are those that a file of rules leaves open. Does the page come soon enough, though
-- it reads what other rules have recorded before it? Does it stop when the outage is over, or go on
-- for as long as the longest window remembers? Does a process that dies now and then page anybody?
-- And does somebody notice when nothing is scraped any more, which no ratio can say?
scenario "Recorded error budgets page for an outage, and for nothing else" {
  tags     = { "slo", "alerting", "promql" },
  duration = "4h",
  warmup   = "1m",
}

local stock = service "stock" { replicas = 2, service_time = "4ms" }
local shop = service "shop" {
  replicas     = 4,
  service_time = "2ms",
  calls        = { call { stock, timeout = "200ms" } },
}
local users = traffic "users" { to = shop, rate = "20/s" }

monitoring "prometheus" {
  scrape_interval = "15s", evaluation_interval = "30s",
  group_by = { "alertname" }, group_wait = "30s",
  inhibit = { { source = { severity = "page" }, target = { severity = "ticket" } } },
}

local RATIO = [[
  sum(rate(lorenz_outcomes_total{component="users", outcome!="ok"}[%s]))
    / sum(rate(lorenz_outcomes_total{component="users"}[%s]))]]

for _, window in ipairs { "5m", "30m", "1h" } do
  rule("sli " .. window) {
    record = "slo:sli_error:ratio_rate" .. window,
    expr   = RATIO:format(window, window),
    labels = { slo = "shop-availability" },
  }
end
-- Long windows of what is recorded already, as Sloth has it: a month would be too much to scrape.
rule "slo:sli_error:ratio_rate2h" {
  expr   = [[
    sum_over_time(slo:sli_error:ratio_rate5m[2h])
      / count_over_time(slo:sli_error:ratio_rate5m[2h])]],
  labels = { slo = "shop-availability" },
}
local budget = rule "slo:error_budget:ratio" { expr = "vector(1 - 0.999)" }

local page = alert "ShopBurnsItsBudget" {
  expr = [[
    slo:sli_error:ratio_rate5m{slo="shop-availability"} > 14.4 * 0.001
      and
    slo:sli_error:ratio_rate1h > on () group_left () (14.4 * slo:error_budget:ratio)]],
  labels  = { severity = "page" },
  because = "2 % of a month's errors go in an hour",
}
local ticket = alert "ShopBurnsSlowly" {
  expr   = [[
    slo:sli_error:ratio_rate30m{slo="shop-availability"} > 3 * 0.001
      and slo:sli_error:ratio_rate2h > 3 * 0.001]],
  labels = { severity = "ticket" },
}
local down = alert "TargetDown" {
  expr    = "100 * count by (component) (up == 0) / count by (component) (up) > 40",
  pending = "5m",
  labels  = { severity = "ticket" },
}
local silent = alert "NothingIsScraped" {
  expr   = [[absent(up{component="users"} == 1)]],
  labels = { severity = "page" },
}

local outage = fault.kill { stock, at = "30m", lasting = "10m" }
-- Half a minute each time: of four replicas one, and Kubernetes has it back.
fault.kill { shop.replica[2], at = "2h", lasting = "30s" }
fault.kill { shop.replica[3], at = "2h10m", lasting = "30s" }
fault.monitoring_loss { users, at = "3h", lasting = "10m" }

expect "somebody is paged within 3 minutes of the outage" {
  eventually = page.notified, after = outage, within = "3m",
}
expect "it is over 6 minutes after the outage, for all that the hour remembers" {
  eventually = page.firing:equals(0), after = outage.ends, within = "6m", holding = "10m",
}
expect "once, and for nothing else" { at_end = page.notifications:equals(1) }
expect "stock is down for longer than 5 minutes, and said to be" {
  eventually = down.fired, after = outage, within = "6m",
}
expect "a replica that comes back is nothing to talk about" {
  never = down.pending:above(1),
}
expect "the slow alert is muted while the page is out" { sometimes = ticket.muted:above(0) }
expect "somebody notices that nothing is scraped" {
  eventually = silent.notified, after = "3h", within = "2m",
}
expect "the budget is what it is" { always = budget.value:between(0.0009, 0.0011) }
