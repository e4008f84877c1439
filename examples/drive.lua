-- drive: a coroutine beside the system, on virtual time. Run: lorenz run examples/drive.lua
scenario "An operator pauses a replica when the service is calm" { duration = "2m", warmup = "10s" }

local web = service "web" { replicas = 3, concurrency = 32, service_time = "5ms" }
local users = traffic "users" { to = web, rate = "200/s", timeout = "1s", retries = 2 }

drive("operator", function()
  sleep "30s"
  local calm = wait_until(web.latency.p99:below "50ms", { timeout = "30s" })
  if not calm then return end
  mark "exercise"
  fault.pause { web.replica[1], lasting = "5s" }    -- no `at`: now
  sleep "10s"
  log("errors are at %s", web.errors.ratio)
  mark "exercise over"
end)

expect "the exercise takes place" { sometimes = happened "exercise over" }
expect "users are well a moment after it" {
  eventually = users.success.ratio:at_least "99.9%",
  after = happened "exercise over", within = "10s", holding = "20s",
}
