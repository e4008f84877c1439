-- Each in a network of its own: a server that is asked by HTTP, and somebody who sends datagrams.
scenario "in namespaces" { duration = "3s", network = "namespaces" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/peer", "serve", "{{host}}", "{{port}}" },
           protocol = "http", listens = 80 },
}
process "sender" {
  run = { "{{scenario.dir}}/peer", "send", "{{web.direct_host}}", "{{web.direct_port}}", "500" },
  connects = { web }, ready = { command = { "true" } },
}
local users = traffic "users" { to = web, op = "GET /", rate = "40/s", timeout = "1s" }
local calls = traffic "calls" {
  to = web, rate = "5/s", timeout = "5s", live = { command = { "true" } },
}
local received = probe "received" {
  http = "http://{{web.address}}/", value = true, every = "100ms",
}

expect "requests reach it" { always = users.errors.ratio:below "50%" }
expect "its proxy sees them" { sometimes = web.rate:above "10/s" }
expect "datagrams reach it" { at_end = received.value:at_least(1) }
expect "commands run" { sometimes = calls.success.ratio:above "50%" }
