-- Packets of IPv6 between namespaces: doubled, held and cut, of UDP and of what a traffic sends.
scenario "By IPv6" { duration = "4s", network = "namespaces" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" }, protocol = "http",
           family = "ipv6" },
}
local sender = process "sender" {
  run = { "{{scenario.dir}}/peer", "send", "{{web.direct_host}}", "{{web.direct_port}}", "90000" },
  connects = { web }, ready = { command = { "true" } },
}
local users = traffic "users" { to = web, op = "GET /", rate = "20/s", timeout = "5s" }
local twice = probe "twice" { http = "http://{{web.address}}/twice", value = true, every = "100ms" }

fault.duplicate { link(sender, web), ratio = "30%", at = "1s", lasting = "1s" }
fault.latency { link(users, web), add = "30ms", at = "1s", lasting = "1s" }
fault.partition { sender, web, at = "2500ms", lasting = "500ms" }

expect "some came twice" { at_end = twice.value:at_least(1) }
expect "latency is paid both ways" { sometimes = users.latency.p50:at_least "60ms" }
