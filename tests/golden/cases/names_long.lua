-- Names may be long, and what is found by them differs at their ends alone: each way has its own
-- link, and each callee its own attempts.
scenario "Long names" { duration = "20s" }

local long = ("name "):rep(37)
local near = service(long .. "near") { service_time = "5ms" }
local far = service(long .. "far") { service_time = "300ms" }
local web = service "web" {
  service_time = "5ms", calls = { call { near }, call { far, timeout = "200ms", retries = 3 } },
}
traffic "users" { to = web, rate = "5/s", timeout = "3s" }

fault.loss { link(web, near), ratio = "30%", at = "5s", lasting = "5s" }
fault.latency { link(web, far), add = "50ms", at = "5s", lasting = "5s" }

expect "near: no delay" { always = link(web, near).latency:below "10ms" }
expect "far: no loss" { at_end = link(web, far).lost:equals(0) }
expect "far: a delay" { sometimes = link(web, far).latency:above "10ms" }
expect "near: loss" { at_end = link(web, near).lost:above(0) }
expect "near: each once" { at_end = amplification(web, near):below(1.1) }
expect "far: again and again" { at_end = amplification(web, far):above(3) }
