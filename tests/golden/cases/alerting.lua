-- Two rules, a group for each, a silence and a page that makes a ticket needless; a pager that is
-- slow and samples that are lost, which both count what they touched.
scenario "Alerts fire, wait, are told, and are muted" { duration = "30m", warmup = "1m" }

local db = service "db" { replicas = 2, service_time = "5ms" }
local api = service "api" {
    service_time = "2ms", calls = { call { db, "select", timeout = "100ms" } },
}
local users = traffic "users" { to = api, rate = "20/s" }

monitoring "prometheus" {
    group_by = { "alertname" }, repeat_interval = "4m",
    routes = { { match = { team = { "data", "search" } }, receiver = "data",
        group_wait = "10s" } },
    inhibit = { { source = { severity = "page" }, target = { severity = "ticket" } } },
    silences = { { match = { quiet = true }, at = "4m", lasting = "12m" } },
}

local page = alert "Visitors see errors" {
    when = { users.errors.ratio:above "5%", { users.rate:above "1/s", over = "5m" } },
    pending = "1m", keep_firing_for = "1m",
    labels = { severity = "page" },
}
local busy = alert "Requests pile up" {
    when = api.in_flight:above(5), labels = { severity = "ticket", team = "data" },
}
local silent = alert "Somebody is told later" {
    when = users.errors.ratio:above "5%", over = "2m", labels = { quiet = "yes" },
}
local half = alert "Half of all requests fail" {
    burn = { of = users, objective = "50%", rate = 1, over = { "20m" } },
}

local outage = fault.kill { db, at = "5m", lasting = "9m" }
fault.alert_delay { page, add = "20s", at = "6m", lasting = "2m" }
fault.monitoring_loss { users, at = "20m", lasting = "1m" }

drive("on call", function()
    wait_until(page.notified)
    log("awake")
end)

expect "told in time" { eventually = page.notified, after = outage, within = "3m" }
expect "not before it fired" { eventually = page.notified, after = page, within = "1m" }
expect "told again" { at_end = page.notifications:equals(2) }
expect "and that it is over" { at_end = page.resolutions:equals(1) }
expect "it is over" { eventually = page.resolved, after = outage.ends, within = "4m" }
expect "what is silenced is not told" { at_end = silent.notifications:equals(0) }
expect "but is held back" { at_end = silent.muted:at_least(1) }
expect "half of 20m, of which there are 10" {
    eventually = half.fired, after = outage, within = "6m", }
expect "nothing piles up" { never = busy.pending:above(0) }
expect "this fails: it is told sooner" { eventually = page.notified, after = outage, within = "1m" }
