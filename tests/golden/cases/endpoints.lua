-- Who calls by endpoints has no opinion of its own: a replica that refuses is asked again, one that
-- is silent too, until the platform says that it is gone; and with none left a call is refused at once.
scenario "Callers that know only endpoints" { duration = "3m" }

local eu = region "eu" { zones = { "a", "b" },
  node_lifecycle = { monitor_grace = "40s", lease_renew = "0s", toleration = "10m" } }
local one = service "one" { replicas = 1, spread = eu, service_time = "1ms" }
local two = service "two" { replicas = 2, spread = eu, service_time = "1ms",
  endpoint_delay = dist.uniform { from = "500ms", to = "2s" } }
local ways = { rate = "100/s", arrivals = "constant", timeout = "1s", beside = true,
  health = { by = "endpoints" } }
ways.to = one
local few = traffic "few" (ways)
ways.to = two
local some = traffic "some" (ways)

local lost = fault.down { one, at = "1m" }
local dead = fault.kill { two.replica[1], at = "1m" }
local told = fault.stop { two.replica[2], at = "2m" }

expect "of a lost node one waits until it is not ready" {
  always = few.latency.p50:at_least "1s", during = { after = "62s", lasting = "37s" },
}
expect "then one is refused at once" {
  always = few.latency.p99:below "10ms", during = { after = "106s", lasting = "1m" },
}
expect "nobody has served since" { always = few.goodput:equals "0/s",
  during = { after = lost, lasting = "2m" } }
expect "a dead process is asked in its turn" {
  sometimes = some.errors.ratio:between("49%", "51%"), during = { after = dead, lasting = "3s" },
}
expect "until the kubelet's news" {
  always = some.errors.ratio:equals(0), during = { after = "64s", lasting = "55s" },
}
expect "with the last all are refused" {
  always = some.errors.ratio:equals(1), during = { after = told, lasting = "1m" },
}
