-- N04, an established connection whose peer vanishes: the retransmission timeout doubles from
-- 200 ms to at most 120 s, and after tcp_retries2 of them the connection is given up.
-- Expected: Linux, Documentation/networking/ip-sysctl.rst ("924.6 seconds"), and the same series
-- for tcp_retries2 = 8 and 5.
local retries = param("retries2", { 15, 8, 5 })
local want = ({ [15] = 924.6, [8] = 102.2, [5] = 12.6 })[retries]

-- One request, at 1000 s: the next would find no connection.
scenario "A vanished peer is given up after tcp_retries2 timeouts" { duration = "1950s" }

local web = service "web" {}
local user = traffic "user" {
  to = web, rate = 1 / 1000 .. "/s", arrivals = "constant", timeout = "2h",
  tcp = { retries2 = retries },
}
link { user, web, latency = "1ms" }
fault.blackhole { web, at = "10s" }

expect "the request fails when the last timeout has run out" {
  at_end = user.latency.max:between(want - 0.001 .. "s", want + 0.001 .. "s"), over = "1940s",
}
expect "and as a broken connection" { at_end = user.errors.ratio:equals "100%", over = "1940s" }
