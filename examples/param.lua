-- param: one run for each combination of values. Run: lorenz run examples/param.lua
-- `lorenz run examples/param.lua --set replicas=4` pins one of them.
scenario "Enough replicas keep the queue short" {
  duration = "1m",
  warmup   = "10s",
  xfail    = { replicas = 1 },      -- the point: one is not enough
}

local replicas = param("replicas", { 1, 2, 4 })

local web = service "web" { replicas = replicas, concurrency = 4, service_time = "10ms" }

traffic "users" { to = web, rate = "500/s" }

expect "hardly anyone waits" { always = web.queue.wait.p90:below "20ms" }
