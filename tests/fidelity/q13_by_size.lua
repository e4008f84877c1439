-- M/G/1 with processor sharing, by the size of the work: who brings x waits x/(1 - rho) on average,
-- whatever the others bring (Kleinrock II (1976), sec. 4.4; Harchol-Balter (2013), ch. 30). What
-- favours the small (SRPT) or the large (FIFO: x + Wq) fails one of the sizes.
-- Each size is a class of users: their own work is a constant, that of the others exponential.
-- `slack` leaves four standard errors over 5e4 customers, from 20 seeds.
local rho  = param("rho", { 0.5, 0.8 })
local n    = param("customers", 5e4)
local q    = use "./_queue.lua"

local classes = ({
  [0.5] = { { x = 5, load = 0.1, T = 10, slack = 0.075 } },
  [0.8] = { { x = 0.1, load = 0.01, T = 0.5, slack = 0.24 },
    { x = 10, load = 0.2, T = 50, slack = 0.31 } },
})[rho]

scenario "M/G/1-PS, by size" { duration = q.duration(n, rho) }

local work = { ["GET any"] = function(req)
  req:work(q.exp(1))
  return 200
end }
local left = rho
for i, c in ipairs(classes) do
  left = left - c.load
  work["GET " .. i] = function(req)
    req:work(q.time(c.x))
    return 200
  end
end
local core = service "core" { cpu = 1, concurrency = 60000, service_time = "0s", handle = work }

local function users(name, op, rate)
  return traffic(name) { to = core, op = op, rate = q.rate(rate), timeout = "1000h", beside = true }
end
users("others", "GET any", left)
for i, c in ipairs(classes) do
  local t = users("size " .. c.x, "GET " .. i, c.load / c.x)
  expect("work of " .. c.x .. " takes its own time over 1 - rho") {
    at_end = q.near(t.latency.mean, c.T, c.slack),
  }
end
