-- What can be wrong with alerts, and whom they are told to.
scenario "Wrong alerts" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
local bad = users.errors.ratio:above "5%"
alert "a metric" { when = users.errors.ratio }
alert "a mark" { when = happened "x" }
alert "a baseline" { when = users.errors.ratio:recovers_to "5%" }
alert "nothing" { pending = "1m" }
alert "nothing at all" { when = {} }
alert "for" { whne = bad }
alert "a range" { when = { { bad, ovr = "1h" } } }
alert "two" { when = bad, burn = { of = users, objective = "99%", rate = 1, over = { "1h" } } }
alert "no rate" { burn = { of = users, objective = "99%", over = { "1h" } } }
alert "no windows" { burn = { of = users, objective = "99%", rate = 1, over = "1h" } }
alert "both" { burn = { of = users, objective = "99%", rate = 1, spends = "2%", over = { "1h" } } }
alert "a label" { when = bad, labels = { ["bad name"] = "x" } }
alert "its name" { when = bad, labels = { alertname = "x" } }
local page = alert "page" { when = bad }
expect "a part" { sometimes = page.acknowledged }
fault.kill { page, at = "1m" }
link { page, api, latency = "1ms" }
traffic "nobody" { to = page, rate = "1/s" }
alert "named" { when = { bad, more = users.rate:above "1/s" } }
alert "never" { burn = { of = users, objective = "90%", spends = "2%", over = { "1h" } } }
alert "just not never" { burn = { of = users, objective = "90%", rate = 9.9, over = { "1h" } } }
alert "a group" { when = users.latency:above "1s" }
monitoring "prometheus" {
    group_by = { 3 }, group_interval = "0s", receivr = "me",
    routes = { { match = { severity = {} }, group_by = { "team", "..." } } },
    inhibit = { source = {}, target = {} },
    silences = { { at = "2m", ["until"] = "5m" } },
}
monitoring "another" {}
alert "not PromQL" { expr = "sum(rat(lorenz_errors_total[5m])) > 1" }
alert "no end" { expr = [[
  sum(rate(lorenz_errors_total[5m])
]] }
alert "a range only" { expr = "lorenz_errors_total[5m]" }
alert "an expression and more" { expr = "vector(1)", when = bad }
alert "no text" { expr = 7 }
