-- TLS ends at the gateway: who comes anew pays for its round trips there, and not again behind it.
-- Users stand 15 ms away, so a round trip is 30 ms: one for TCP, two more for TLS 1.2, one for TLS
-- 1.3 (RFC 5246, 7.3; RFC 8446, 2), and one for the request.
local tls = param("tls", { "off", "1.3", "1.2" })
local want = ({ off = 60, ["1.3"] = 90, ["1.2"] = 120 })[tls]

scenario "TLS ends at the gateway" { duration = "20s", warmup = "2s" }

local app  = service "app" { service_time = "1ms", tls = "1.2" }
local edge = gateway "edge" { to = app, tls = tls }
local users = traffic "users" { to = edge, rate = "50/s", fresh = "100%" }

expect "its round trips are the protocol's" {
  at_end = users.latency.p50:between(want .. "ms", (want + 4) .. "ms"),
}
