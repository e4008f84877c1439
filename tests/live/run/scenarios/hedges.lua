-- Every fourth answer takes 400 ms: who asks again after 50 ms need not wait, and who is asked for
-- nothing more is told so.
scenario "A second request is quicker" { duration = "3s" }

local leave = param("leave", { false })

local web = service "web" {
  service_time = "1ms",
  live = { run = { "{{scenario.dir}}/keys", "127.0.0.1", "{{port}}" }, protocol = "http",
           ready = { http = "/health" } },
}
local users = traffic "users" {
  to = web, op = "GET /late", rate = "40/s", timeout = "20s",
  hedge = { after = "50ms", leave = leave },
}
local gone = probe "gone" {
  http = "http://{{web.direct_address}}/gone", value = true, every = "100ms",
}

expect "there is a second without anybody who waits" {
  sometimes = users.latency.p90:below "350ms",
}
expect "who loses is given up" { at_end = gone.value:at_least(leave and 0 or 1) }
expect "or left to go on" { at_end = gone.value:at_most(leave and 0 or 100000) }
