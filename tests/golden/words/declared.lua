-- What is declared and checked before it can be run, wrong in every way that is known.
scenario "Words that come later are checked now" { duration = "10m", warmup = "1m" }
local eu = region "eu" { zones = { "a", "b" } }
local aws = cloud "aws" { zones = {} }
local gcp = cloud "gcp" { region = 5 }
local kafka = broker "kafka" { nodes = 2, spread = eu, election = 6 }
local other = broker "other" { nodes = 2 }
local orders = topic "orders" { on = other, replication = 3 }
local bills = topic "bills" { on = other, replication = 2, min_isr = 3 }
local billing = consumers "billing" { of = other, commit = { evry = "5s" } }
local redis = cache "redis" { ttl = "10m", eviction = "lur" }
local web = service "web" {
  versions = { v1 = { error_rate = "1%" } },
  autoscale = { min = 9, max = 4, target_cpu = "60%" },
}
local api = service "api" { versions = { v1 = {} }, version = "v2" }
local app = service "app" { autoscale = { min = 9, max = 4, target_cpu = "60%" } }
local shop = dns "shop" { answers = { web, kafka } }
traffic "a" { to = app, arrivals = "closed" }
traffic "b" { to = app, rate = "10/s", users = 5 }
traffic "c" { to = app, rate = shape.ramp { from = "1/s", over = "1m" } }
traffic "d" { to = app, rate = shape.steps { { "1m", "1/s" }, { "1m", "2/s" } } }
traffic "e" { to = app, rate = shape.burts { base = "1/s" } }
traffic "f" { to = app, rate = "10/s", acks = "all" }
traffic "g" { to = app }
fault.flush { app, at = "3m" }
fault.bandwidth { app, rate = 10, at = "3m" }
fault.clock_skew { app, offset = "-5 sec", at = "3m" }
fault.kill { other.node[3], at = "3m" }
expect "versions are known" { never = api:version("v3").share:above "5%" }
expect "metrics of what comes later are known" { always = other.elections:below "5%" }
expect "and so are their names" { always = other.election:below(5) }
check("no function", 5)
api:route { v1 = 1 }
