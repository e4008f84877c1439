-- N03, a peer that answers no SYN: sent again after 1, 3, 7, 15, 31 and 63 s, given up after
-- 127 s; with Linux 6.5's tcp_syn_linear_timeouts = 4 after 1, 2, 3, 4, 5, 7, 11, 19, 35 and 67 s,
-- and 131 s.
-- Expected: Linux, Documentation/networking/ip-sysctl.rst.
local linear = param("linear", { 0, 4 })
local want = linear == 0 and { gives_up = 127 } or { gives_up = 131 }

scenario "A SYN without an answer is given up as Linux does" { duration = "5m" }

local web = service "web" {}
local user = traffic "user" {
  to = web, rate = 1 / 100 .. "/s", arrivals = "constant", timeout = "1h",
  pool = { warm = false }, tcp = { syn_linear_timeouts = linear },
}
fault.blackhole { web, at = "0s" }

expect "the attempt ends after all its SYNs" {
  at_end = user.latency.max:between(want.gives_up - 0.001 .. "s", want.gives_up + 0.001 .. "s"),
  over = "4m",
}
