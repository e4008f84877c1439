-- Slack, 2021-01-04 ("Slack's Outage on January 4th 2021", slack.engineering): on the first
-- working day of the year the gateway between two networks did not grow as fast as the load. Web
-- servers waited for what lies behind it, so their CPU fell, and the autoscaler that goes by it
-- took servers away while work was waiting; then threads in use had it add more than before. Who
-- scales by the requests that a server has as well keeps its servers: the target that wants most
-- decides.
local by = param("scale_by", { "cpu", "cpu and in flight" })

scenario "Servers that wait for a network are not taken away" {
  about = "Slack 2021: a slow network makes CPU fall, and an autoscaler takes servers away.",
  tags = { "autoscale", "network", "incident" }, duration = "25m", warmup = "5m",
  xfail = { scale_by = "cpu" },
}

local front, back = region "front" {}, region "back" {}
link { front, back, latency = "500us", bandwidth = "500Mbit/s", buffer = "4MiB" }

local db = database "messages" { on = back, query_time = "3ms", max_connections = 4000 }
local web = service "web" {
  on = front, replicas = 10, concurrency = 32, cpu = 2, service_time = "12ms", pre_stop = "2s",
  calls = { call { db, "select messages", timeout = "2s", retries = 1, response_size = "20KiB" } },
  autoscale = {
    min = 4, max = 60, target_cpu = "50%", target_in_flight = by ~= "cpu" and 12 or nil,
    scale_down = { stabilization_window = "2m" },
  },
}
local users = traffic "users" { to = web, rate = "800/s", timeout = "10s" }

-- 131 Mbit/s are needed.
local saturated = fault.bandwidth {
  link(front, back), rate = "75Mbit/s", at = "10m", lasting = "8m",
}

expect "users are served before" {
  always = users.success.ratio:above "99.9%", over = "10s", except = { after = saturated },
}
expect "the network is what is short: it is bad for everybody" {
  sometimes = users.success.ratio:below "50%", over = "10s",
}
expect "no server is taken away while work waits" {
  never = web.replicas.desired:below(10), during = { after = saturated, lasting = "8m" },
}
expect "half a minute after it users are served" {
  eventually = users.success.ratio:above "99%", after = saturated.ends, within = "30s",
  holding = "5m",
}
