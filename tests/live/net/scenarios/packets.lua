-- Each fault of packets, on datagrams from one program to another, and on what a traffic sends.
scenario "a bad network, packet by packet" { duration = "9s", network = "namespaces" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" }, protocol = "http" },
}
local sender = process "sender" {
  run = { "{{scenario.dir}}/peer", "send", "{{web.direct_host}}", "{{web.direct_port}}", "90000" },
  connects = { web }, ready = { command = { "true" } },
}
local users = traffic "users" { to = web, op = "GET /", rate = "40/s", timeout = "5s" }
local twice = probe "twice" { http = "http://{{web.address}}/twice", value = true, every = "100ms" }
local late = probe "late" { http = "http://{{web.address}}/late", value = true, every = "100ms" }
local way = link(sender, web)

fault.duplicate { way, ratio = "20%", at = "1s", lasting = "1s" }
fault.reorder { way, ratio = "20%", gap = "20ms", at = "3s", lasting = "1s" }
fault.loss { way, burst = { p = "5%", r = "50%" }, by = "nfqueue", at = "4s", lasting = "1s" }
fault.corrupt { way, ratio = "20%", at = "4s", lasting = "1s" }
fault.bandwidth { way, rate = "100Mbit/s", at = "5s", lasting = "1s" }
fault.flap { way, up = "100ms", down = "100ms", at = "5s", lasting = "1s" }
fault.latency { link(users, web), add = "30ms", at = "1s", lasting = "2s", ramp = "500ms" }
fault.http_abort { web, status = 503, ratio = "50%", at = "5s", lasting = "1s" }
fault.partition { sender, web, direction = "to", at = "7s", lasting = "500ms" }

expect "some came twice" { at_end = twice.value:at_least(1) }
expect "some came late" { at_end = late.value:at_least(1) }
expect "latency is paid both ways" { sometimes = users.latency.p50:at_least "60ms" }
expect "requests are aborted" { sometimes = users.errors.ratio:at_least "10%" }
expect "before, all is well" {
  always = users.errors.ratio:equals "0%", during = { after = "0s", lasting = "1s" },
}
