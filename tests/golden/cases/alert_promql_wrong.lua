-- A rule that cannot be evaluated, because two elements match where one may, tells nothing: what is
-- expected of it is neither met nor missed, while an expectation about anything else stands.
scenario "A rule that fails" { duration = "5m" }

local db = service "db" { service_time = "5ms" }
local api = service "api" { service_time = "2ms", calls = { call { db, "select" } } }
local users = traffic "users" { to = api, rate = "20/s" }

local many = alert "Many to many" {
    expr = "lorenz_in_flight{component='api'} / on() lorenz_in_flight > 2",
}
local calm = alert "Errors" {
    expr = "rate(lorenz_errors_total[1m]) / rate(lorenz_requests_total[1m]) > 0.5",
}

expect "it is silent" { always = many.firing:equals(0) }
expect "it says something" { eventually = many.fired, within = "3m" }
expect "requests after it" { sometimes = users.rate:above "1/s", during = { after = many } }
expect "the other one is silent" { always = calm.firing:equals(0) }
expect "requests are answered" { always = users.errors.ratio:below "1%" }
