-- Topology: what exists and who calls whom. Run: lorenz run examples/topology.lua
scenario "Three tiers serve their users" { duration = "1m", warmup = "5s" }

local east = region "us-east-1" { zones = { "a", "b", "c" } }

local db  = database "store" { nodes = 3, spread = east, query_time = "2ms" }
local api = service "api" {
  replicas = 3, spread = east, concurrency = 32, service_time = "4ms",
  calls = { call { db, "select item", timeout = "500ms" } },
}
local lb = balancer "lb" { to = api, listen = 8080, policy = "round_robin" }

traffic "users" { to = lb, rate = "200/s" }

expect "the api answers quickly" { always = api.latency.p99:below "50ms" }
