-- Every fault that a proxy carries out, one after another, on a server that is really there.
scenario "a real server behind a bad network" { duration = "24s" }

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http" },
}
local users = traffic "users" { to = web, op = "GET /", rate = "40/s", timeout = "1s" }
local way = link(users, web)

fault.latency { way, add = "40ms", at = "1s", lasting = "1s" }
fault.loss { way, ratio = "20%", at = "2s", lasting = "1s" }
fault.corrupt { way, ratio = "20%", at = "3s", lasting = "1s" }
fault.reset { way, at = "5s", lasting = "500ms" }
fault.http_abort { web, status = 503, ratio = "50%", at = "6s", lasting = "1s" }
fault.http_delay { web, add = "30ms", at = "7s", lasting = "500ms" }
fault.http_replace { web, status = 500, at = "8s", lasting = "500ms" }
fault.throttle { web, rate = "5/s", burst = 1, at = "9s", lasting = "500ms" }
fault.waf_false_positive { web, ratio = "50%", at = "10s", lasting = "500ms" }
fault.bandwidth { way, rate = "1Mbit/s", at = "11s", lasting = "500ms" }
fault.slicer { way, size = "10B", delay = "1ms", at = "11.5s", lasting = "500ms" }
fault.limit_data { way, bytes = "100B", at = "12s", lasting = "500ms" }
fault.slow_close { way, delay = "50ms", at = "12s", lasting = "1s" }
fault.flap { way, up = "200ms", down = "100ms", at = "13s", lasting = "1s" }
fault.partition { way, at = "15s", lasting = "2500ms" }
fault.blackhole { web, at = "19.5s", lasting = "500ms" }
fault.http_reset { web, path = "/", method = "GET", at = "21.5s", lasting = "500ms" }
fault.http_reset { web, side = "answer", of_status = 200, ratio = "50%", at = "22.2s",
                   lasting = "300ms" }
fault.http_delay { web, side = "answer", add = "60ms", header = "host", at = "23s",
                   lasting = "800ms" }
fault.http_replace { web, set_header = "x-seen: yes", at = "23s", lasting = "800ms" }

expect "latency is paid both ways" {
  sometimes = users.latency.p50:at_least "80ms", during = { after = "1s", lasting = "2s" },
}
expect "half of the requests are aborted" {
  sometimes = users.errors.ratio:at_least "20%", during = { after = "6s", lasting = "2s" },
}
expect "nothing gets through a partition" {
  sometimes = users.errors.ratio:at_least "99%", during = { after = "15s", lasting = "4s" },
}
expect "who is meant is reset" {
  sometimes = users.errors.ratio:at_least "20%", during = { after = "21s", lasting = "1s" },
}
expect "and when it is answered" {
  sometimes = users.errors.ratio:at_least "5%", during = { after = "22s", lasting = "1s" },
}
expect "an answer is late" {
  sometimes = users.latency.p50:at_least "60ms", during = { after = "23s", lasting = "1s" },
}
expect "before, all is well" {
  always = users.errors.ratio:equals "0%", during = { after = "0s", lasting = "1s" },
}
