-- A name that answers with the nearest: users of two regions, and one region that is lost.
scenario "The nearest answer is the answer" { duration = "3m", warmup = "5s" }

local eu, us = region "eu" {}, region "us" {}
local europe = service "europe" { on = eu }
local america = service "america" { on = us }
local shop = dns "shop" {
    answers = { europe, america }, policy = "geo", ttl = "10s", resolvers = { count = 100 },
    health = { every = "5s", fails = 2, passes = 2 },
}
local europeans = traffic "europeans" { to = shop, near = eu, rate = "50/s", timeout = "1s" }
local americans = traffic "americans" { to = shop, near = us, rate = "50/s", timeout = "1s" }
local lost = fault.down { us, at = "1m", lasting = "1m" }

expect "each has the nearest" { always = europeans.latency.p50:between("30ms", "32ms") }
expect "so have the others" { always = americans.latency.p50:between("30ms", "32ms"),
  during = { after = "10s", lasting = "50s" } }
expect "which are far from what is left" {
  eventually = americans.latency.p50:between("110ms", "113ms"),
  after = lost, within = "25s", holding = "30s",
}
expect "until theirs is back" {
  eventually = americans.latency.p50:between("30ms", "32ms"),
  after = lost.ends, within = "25s", holding = "20s",
}
