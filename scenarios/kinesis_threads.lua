-- AWS, "Summary of the Amazon Kinesis Event in the Northern Virginia Region", 2020-11-25
-- (aws.amazon.com/message/11201): each front-end server keeps a thread of the operating system for
-- every other one. A small addition of capacity took all of them over the number of threads that
-- they may have, at once; more servers are what makes it worse. It was over when the fleet was as
-- small as before. A server with a limit that leaves room, or a fleet that is cut into cells, has
-- none of it.
local kind = param("fleet", { "one, 32 threads", "one, 100 threads", "four cells" })

scenario "Capacity that is added to a front end is capacity" {
  about = "Kinesis 2020: a thread for each other server, and one server too many for all of them.",
  tags = { "overload", "incident" }, duration = "15m", warmup = "1m",
  xfail = { fleet = "one, 32 threads" },
}

local threads = kind == "one, 100 threads" and 100 or 32
local cells = kind == "four cells" and 4 or 1

local fleet = service "front-end" {
  replicas = 24, concurrency = 16,
  service_time = dist.lognormal { p50 = "12ms", p99 = "80ms" },
  autoscale = { min = 20, max = 40, by_hand = true, startup = "30s" },
}
local producers = traffic "producers" {
  to = fleet, rate = "2k/s", timeout = "1s", retries = 2, backoff = "200ms",
}

-- What is left for requests of a server's threads when it has one for each other in its cell. A
-- limit that no request would come near is no limit.
drive("each server knows all others", function()
  local known, limit
  while true do
    local up = fleet.replicas.up:value()
    if up ~= known then
      local left = math.floor(threads - up / cells)
      if limit then limit:stop() end
      limit = left < 8 and fault.thread_limit { fleet, limit = math.max(1, left) } or nil
      log("%g servers: %d threads each for requests", up, left)
      known = up
    end
    sleep "1s"
  end
end)

drive("operator", function()
  sleep "5m"
  fleet:scale(32)
  mark "capacity is added"
  if wait_until(producers.errors.ratio:above "5%", { timeout = "2m" }) then
    sleep "5m"
    fleet:scale(24)
    mark "it is taken away"
  end
end)

expect "producers notice nothing" {
  always = producers.errors.ratio:below "1%", over = "10s",
}
expect "and need no second attempt" {
  always = amplification(producers, fleet):below(1.1), over = "10s",
}
expect "the capacity is there for a while" { sometimes = fleet.replicas.up:at_least(32) }
