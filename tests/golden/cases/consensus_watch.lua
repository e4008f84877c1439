-- Who watches a key that nobody writes gives up after a second, or dies: a watch that nobody waits
-- for goes within request_timeout. One whose caller is there goes on beyond that.
scenario "A watch lasts as long as who watches" { duration = "40s" }

local etcd = consensus "etcd" { nodes = 3, request_timeout = "3s" }
local hasty = service "hasty" { calls = { call { etcd, "watch", timeout = "1s" } } }
local patient = service "patient" { calls = { call { etcd, "watch", timeout = "60s" } } }
local writer = service "writer" { calls = { call { etcd, "put", timeout = "1s" } } }
local one = dist.zipf { n = 1, skew = 1 }
local until_5s = shape.steps { { "0s", "4/s" }, { "5s", "0/s" } }
traffic "hasty-users" { to = hasty, rate = until_5s, timeout = "2s" }
local waiting = traffic "patient-users" { to = patient, rate = until_5s, timeout = "60s", keys = one }
-- Its replica has watched with both patiences.
fault.kill { hasty, at = "5s", lasting = "1s" }
traffic "writers" { to = writer, keys = one, arrivals = "constant",
  rate = shape.steps { { "0s", "0/s" }, { "30s", "1/s" }, { "31s", "0/s" } } }

expect "at first both are there" { sometimes = etcd.in_flight:above(20) }
expect "who is gone is forgotten" {
  always = etcd.in_flight:below(25), during = { after = "12s", lasting = "15s" },
}
expect "who waits is told" { at_end = waiting.success.ratio:equals "100%" }
expect "and nothing is left" { at_end = etcd.in_flight:equals(0) }
