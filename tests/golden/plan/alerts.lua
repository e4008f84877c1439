-- Whatever alerts and their monitoring say of themselves.
scenario "Who is told of what" { duration = "30m" }

local api = service "api" { service_time = "2ms" }
local users = traffic "users" { to = api, rate = "20/s" }

monitoring "prometheus" {
    scrape_interval = "10s", evaluation_interval = "30s", receiver = "on call",
    group_by = { "alertname", "component" }, send_resolved = false,
    routes = {
        { match = { team = { "data", "search" } }, receiver = "data", group_wait = "10s" },
        { match = { severity = "ticket", team = false }, repeat_interval = "24h" },
    },
    inhibit = { { source = { severity = "page" }, target = { severity = true },
        equal = { "component" } } },
    silences = { { match = { quiet = true }, at = "4m", lasting = "12m" } },
}

alert "Visitors see errors" {
    when = { users.errors.ratio:above "5%", { users.rate:above "1/s", over = "5m" } },
    over = "1m", pending = "1m", keep_firing_for = "2m",
    labels = { severity = "page", team = "shop" }, because = "the contract says so",
}
alert "In a hurry" { when = api.in_flight:above(5) }
alert "The budget burns" {
    burn = { of = users, objective = "99.9%", rate = 14.4, over = { "10m", "1m" } },
}
alert "A component fails" {
    expr = [[
        sum by (component) (rate(lorenz_errors_total[5m]))
          / sum by (component) (rate(lorenz_requests_total[5m])) > 0.02]],
    pending = "1m",
}
rule "component:errors:rate5m" {
    expr = "sum by (component) (rate(lorenz_errors_total[5m]))", every = "1m",
    labels = { team = "shop" },
}
rule "all of them" { record = "errors:rate5m", expr = "sum(component:errors:rate5m)" }
rule "seconds" { expr = "vector(time())" }

expect "most are answered" { always = users.errors.ratio:below "50%" }
