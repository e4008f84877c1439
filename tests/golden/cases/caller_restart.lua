-- Connections end with the process that had opened them: after a restart the first call pays for
-- a handshake, as the first of a new process does. A call is 1 ms of work and a round trip of 20 ms.
scenario "A caller that was restarted connects anew" { duration = "30s" }

local api = service "api" { service_time = "1ms" }
local web = service "web" { service_time = "1ms", calls = { call { api, "get", timeout = "1s" } } }
link { web, api, latency = "10ms" }
traffic "users" { to = web, rate = "10/s", arrivals = "constant", beside = true }

fault.kill { web, at = "10s", lasting = "5s" }

expect "a warm call takes one round trip" {
  always = web.latency.max:between("21.9ms", "22.1ms"), during = { after = "1s", lasting = "9s" },
}
expect "the first after the restart takes two" {
  sometimes = web.latency.max:between("41.9ms", "42.1ms"),
}
expect "and only the first" {
  always = web.latency.max:between("21.9ms", "22.1ms"),
  during = { after = "17s", lasting = "12s" },
}
