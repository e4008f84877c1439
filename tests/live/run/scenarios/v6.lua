-- A server that listens at ::1 alone: its proxy is there too, and so are load and probes.
scenario "By IPv6" { duration = "2s" }

local api = process "api" {
  run = { "{{scenario.dir}}/keys", "{{host}}", "{{port}}" }, protocol = "http", family = "ipv6",
  ready = { http = "/health" },
}
local back = process "back" {
  run = { "{{scenario.dir}}/keys", "{{host}}", "{{port}}" }, protocol = "http", connects = { api },
  files = { ["where"] = "{{api.address}} {{api.host}}" },
}
local users = traffic "users" { to = api, op = "GET /health", rate = "40/s", timeout = "20s" }
local asked = probe "asked" { tcp = "{{api.direct_address}}", every = "100ms", timeout = "20s" }
local there = probe "there" {
  of = back, command = { "grep", "-x", "\\[::1\\]:[0-9]* ::1", "where" }, timeout = "20s",
}
fault.latency { link(users, api), add = "80ms", at = "500ms", lasting = "1300ms" }

expect "it accepts" { sometimes = asked.up:at_least(1) }
expect "others are told where" { at_end = there.up:at_least(1) }
expect "the way is slow for a while" { sometimes = users.latency.p50:above "70ms" }
