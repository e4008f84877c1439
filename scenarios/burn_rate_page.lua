-- Multi-window, multi-burn-rate alerts (SRE Workbook, chapter 5) on an objective of 99.9 % over
-- 30 days: a page when 2 % of the budget go in an hour (14.4 times as fast as it may), a ticket
-- when 5 % go in six (6 times). A short window beside each lets it resolve soon after the errors.
--
-- The question is not whether errors stop, but how long until a person can act: the window fills,
-- it is scraped, evaluated and grouped, and then somebody wakes up and finds the runbook. Before
-- the release there is as much history as the longest window needs: in an empty Prometheus a
-- window of six hours is as quick as there is data.
scenario "Someone stops a bad release before it costs a tenth of the month's budget" {
  tags     = { "slo", "alerting" },
  duration = "8h30m",
  warmup   = "1m",
}

local wakes_up = param("wakes_up", "10m")

local api = service "api" {
  replicas     = 4,
  service_time = "6ms",
  versions     = {
    v1 = { error_ratio = "0.01%" },
    v2 = { error_ratio = "20%" },
  },
  version = "v1",
}
local users = traffic "users" { to = api, rate = "15/s" }

monitoring "prometheus" {
  scrape_interval = "15s", evaluation_interval = "15s",
  group_by = { "alertname" }, group_wait = "30s",
  -- Who is awake already needs no ticket about the same.
  inhibit = { { source = { severity = "page" }, target = { severity = "ticket" },
    equal = { "objective" } } },
}

local page = alert "Budget burns fast" {
  burn   = { of = users, objective = "99.9%", spends = "2%", over = { "1h", "5m" } },
  labels = { severity = "page", objective = "checkout" },
}
local ticket = alert "Budget burns" {
  burn   = { of = users, objective = "99.9%", spends = "5%", over = { "6h", "30m" } },
  labels = { severity = "ticket", objective = "checkout" },
}

drive("release", function()
  sleep "7h"
  mark "released"
  api:route { v2 = "100%" }
end)

drive("on call", function()
  wait_until(page.notified)
  sleep(wakes_up)
  api:route { v2 = 0 }
  mark "rolled back"
end)

-- 1.44 % of an hour are 4m19s of a fifth of all requests.
expect "somebody is paged within 6 minutes of the release" {
  eventually = page.notified, after = happened "released", within = "6m",
}

-- A tenth of 30 days' budget is 4.32 minutes of nothing but errors, 21.6 minutes of a fifth.
expect "and has stopped it before a tenth of the budget is gone" {
  eventually = happened "rolled back", after = happened "released", within = "21m36s",
}

expect "the page is over soon after the errors are, for all that its hour remembers" {
  eventually = page.firing:equals(0),
  after = happened "rolled back", within = "6m", holding = "30m",
}

expect "the ticket waits while somebody is on it" { at_end = ticket.muted:at_least(1) }

expect "and comes once the page is resolved" {
  eventually = ticket.notified, after = page.resolved, within = "6m",
}
