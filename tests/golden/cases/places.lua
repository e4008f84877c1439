-- A cloud is lost with all its regions and zones, a zone of the default region alone.
scenario "What is put somewhere goes with it" { duration = "2m", warmup = "10s" }

local aws = cloud "aws" { region = "eu-west-1", zones = { "a", "b" } }
local gcp = cloud "gcp" { region = "europe-west4" }
local us = region "aws-us" { cloud = aws }
zone "c" { region = aws }
zone "d" {}
local e = zone "e" {}
link { aws, gcp, latency = "9ms", loss = "0.01%" }

local store = service "store" { on = gcp, replicas = 2 }
local shop = service "shop" {
    on = aws, replicas = 3, calls = { call { store, "GET", timeout = "1s" } },
}
local shop_us = service "shop-us" { on = us, calls = { call { store, "GET", timeout = "1s" } } }
local other = service "other" { replicas = 4 }

local users = traffic "users" { to = shop, rate = "50/s", timeout = "1s" }
local americans = traffic "americans" { to = shop_us, rate = "50/s", timeout = "1s" }
traffic "others" { to = other, rate = "50/s", timeout = "1s" }

local outage = fault.down { aws, at = "30s", lasting = "10s" }
fault.down { e, at = "1m", lasting = "10s" }
local split = fault.partition { aws, gcp, at = "80s", lasting = "10s" }

expect "all zones of the cloud are lost, the added one too" {
    sometimes = shop.replicas.up:equals(0), during = { after = outage, lasting = "10s" },
}
expect "its other region is lost with it" {
    sometimes = americans.success.ratio:below "1%", during = { after = outage, lasting = "10s" },
}
expect "the other cloud is not" { always = store.replicas.up:equals(2) }
expect "half of what is put nowhere is in zone e" { sometimes = other.replicas.up:equals(2) }
expect "a partition cuts cloud from cloud" {
    sometimes = users.success.ratio:below "1%", during = { after = split, lasting = "10s" },
}
expect "and leaves the users of one cloud their service" { always = other.errors.ratio:below "60%" }
