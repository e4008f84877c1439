-- Places that cannot be.
scenario "Places" { duration = "1m" }
local eu = region "eu" { zones = { "a", "b" } }
local aws = cloud "aws" { zones = { "a", 5 } }
local gcp = cloud "gcp" {}
zone "b" { region = eu }
zone "c" { region = "eu" }
zone "d" { latency = "1ms" }
local us = region "us" { cloud = eu }
local web = service "web" { on = "aws" }
local api = service "api" { on = gcp.zone.z }
local db = database "db" { spread = gcp.region }
link { gcp, "us", latency = "9ms" }
link { gcp, us, loss = 2 }
fault.down { gcp.zone[2], at = "10s" }
fault.down { "gcp", at = "10s" }
