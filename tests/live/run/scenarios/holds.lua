-- The same file is simulated: web has a model beside what it really is.
scenario "A server that is killed is back in time" { duration = "6s", warmup = "1s" }
local web = service "web" {
  replicas = 1, service_time = "1ms",
  live = { run = { "{{scenario.dir}}/server", "{{port}}" }, protocol = "http",
           ready = { http = "/health" }, restart = "always", backoff = "300ms" },
}
local users = traffic "users" { to = web, rate = "100/s", op = "GET /", timeout = "500ms",
                                beside = true }
local pause = fault.pause { web, at = "1500ms", lasting = "1s" }
local outage = fault.kill { web, at = "3s" }
expect "requests reach it" { sometimes = web.rate:above "50/s" }
expect "it is back" {
  eventually = users.errors.ratio:below "1%", after = outage, within = "3s", holding = "1s",
}
