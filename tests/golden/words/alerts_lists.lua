-- Lists of alerting: what is no list, what is empty, what stands alone.
scenario "Lists" { duration = "10m" }
local api = service "api" {}
local users = traffic "users" { to = api, rate = "5/s" }
alert "windows" {
    burn = { of = users, objective = "99%", rate = 1, over = { "1h", short = "5m" } },
}
alert "fine" { when = users.errors.ratio:above "5%", labels = { tier = 1 } }
monitoring "prometheus" {
    group_by = { team = true }, silences = {}, routes = { { match = { tier = { 1, "2" } } } },
    inhibit = { { source = { tier = 1 }, target = { tier = 2 }, equal = { "..." } } },
}
