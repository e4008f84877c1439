-- What a name's servers say is kept for longer than the fault lasts; caches help meanwhile.
scenario "A name that is denied for a while" { duration = "4m", warmup = "10s" }

local web = service "web" {}
local other = service "other" {}
local shop = dns "shop" {
    answers = { web, other }, ttl = "20s", negative_ttl = "1m", resolvers = { count = 100 },
}
local api = service "api" { calls = { call { shop, "GET /price", timeout = "1s" } } }
local users = traffic "users" { to = shop, rate = "100/s", timeout = "2s" }
traffic "partners" { to = api, rate = "10/s", timeout = "2s" }

local denied = fault.dns { shop, answer = "nxdomain", at = "1m", lasting = "10s" }

expect "caches hide the beginning" { sometimes = users.success.ratio:between("90%", "99.9%") }
expect "about half ask while it lasts and are told no" {
    sometimes = users.errors.ratio:between("45%", "60%"),
}
expect "which they keep for negative_ttl" {
    eventually = users.errors.ratio:below "0.1%",
    after = denied.ends, within = "1m2s", holding = "1m",
}
expect "a service has a resolver of its own" { sometimes = api.errors.ratio:above "99%" }
