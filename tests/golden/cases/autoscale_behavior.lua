-- The Horizontal Pod Autoscaler's own behavior must be kept: as fast up as 4 pods or twice as many
-- in 15 s, down when five minutes have wanted no more; policies, windows and targets that say otherwise.
-- The trajectory is autoscaling/v2's: 50 wanted from 10 is 20, 40, 50 at the looks of 15 s.
scenario "Replicas follow as Kubernetes lets them" { duration = "14m" }

local function tier(name, replicas, scale)
  scale.startup, scale.max = "0s", scale.max or 100
  return service(name) { cpu = 4, service_time = "1ms", replicas = replicas, autoscale = scale,
    pre_stop = "1s" }
end
local usual   = tier("usual", 10, { target_rate = "10/s" })
local slow    = tier("slow", 10, { target_rate = "10/s",
  scale_up = { policies = { { pods = 2, period = "1m" } } },
  scale_down = { stabilization_window = "0s", policies = { { percent = "10%", period = "1m" } } } })
local careful = tier("careful", 10, { target_rate = "10/s",
  scale_up = { stabilization_window = "2m" }, scale_down = { select_policy = "disabled" } })
local waiting = tier("waiting", 1, { target_in_flight = 2, target_rate = "10000/s" })

-- 500/s until 5m, 100/s after.
local RATE = shape.steps { { "0s", "500/s" }, { "5m", "100/s" } }
for _, s in ipairs { usual, slow } do
  traffic("users of " .. tostring(s)) { to = s, rate = RATE, arrivals = "constant" }
end
traffic "late users" { to = careful, arrivals = "constant",
  rate = shape.steps { { "0s", "100/s" }, { "1m", "500/s" }, { "5m", "100/s" } } }
-- 8 at once for a while: a request a second that takes 8 s each.
local held = service "held" { replicas = 1, service_time = "8s", concurrency = 64,
  autoscale = { max = 10, target_in_flight = 2, startup = "0s" }, pre_stop = "1s" }
traffic "holders" { to = held, rate = "1/s", arrivals = "constant", timeout = "30s" }
traffic "few" { to = waiting, rate = "1/s", arrivals = "constant" }
-- What a controller finds when it begins counts as wanted.
local idle = tier("idle", 10, { target_rate = "10/s" })
traffic "a few" { to = idle, rate = "1/s", arrivals = "constant" }
-- At 15 s six begin to drain for 45 s, and count no more: others are added beside them at 30 s and
-- 45 s, by as many as are wanted, so that there are more than max for a while.
local full = service "full" { replicas = 10, concurrency = 64,
  pre_stop = "1s", grace_period = "50s", service_time = "45s", autoscale = { max = 10, min = 3, target_in_flight = 8, startup = "0s",
    scale_up = { policies = { { pods = 4, period = "5m" } } },
    scale_down = { stabilization_window = "0s" } } }
traffic "slow ones" { to = full, rate = "2/s", arrivals = "constant", timeout = "2m" }

local function at(s, count, after, lasting)
  expect(("%s has %d after %s"):format(s, count, after)) {
    always = s.replicas.up:equals(count), during = { after = after, lasting = lasting },
  }
end
at(usual, 10, "1s", "13s")
at(usual, 20, "16s", "13s")
at(usual, 40, "31s", "13s")
at(usual, 50, "46s", "9m")             -- 100/s from 5m: five minutes later still 50
at(slow, 12, "16s", "58s")             -- two in a minute
at(slow, 14, "1m16s", "58s")
at(careful, 10, "1s", "2m58s")         -- 50 are wanted from 1m15s: for two minutes at 3m
at(careful, 20, "3m1s", "13s")
at(careful, 50, "3m31s", "10m")        -- and never fewer
at(held, 4, "1m", "12m")               -- 8 at once, 2 at each
at(waiting, 1, "1s", "13m")
at(idle, 10, "1s", "5m13s")
at(idle, 1, "5m17s", "8m")
expect "full has all again" { always = full.replicas.ready:at_least(9), during = { after = "46s" } }
expect "with those that drain there are more" { sometimes = full.replicas.up:at_least(15) }
expect "after five minutes of little there are few" {
  eventually = usual.replicas.up:between(10, 11), after = "10m", within = "30s", holding = "1m",
}
expect "a tenth in a minute" { sometimes = slow.replicas.up:equals(16) }
