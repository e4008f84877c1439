-- Q35, M/M/1 with a server that breaks down, also when it is idle, and goes on where it was when
-- it is repaired. Expected: White and Christie (1958), solved as a quasi-birth-death process: T
-- = 4.4646 and 8.7352 service times. The same availability with repairs ten times as long:
-- 22.646, five times as much; who only scales capacity finds no difference.
-- What arrives at a paused process is seen by it when it goes on, so time counts at the customers.
-- A breakdown is fault.pause for an exponential time; there may be 10,000 of them in a run.
-- `error` is the relative standard error of T over a million time units, from 20 seeds.
local units = param("customers", 5e5)
local case = param("case", { "lam=.5 short", "lam=.7 short", "lam=.5 long" })
local want = ({
  ["lam=.5 short"] = { rate = 0.5, up = 100, down = 10, T = 4.4646, error = 0.014 },
  ["lam=.7 short"] = { rate = 0.7, up = 100, down = 10, T = 8.7352, error = 0.03 },
  ["lam=.5 long"]  = { rate = 0.5, up = 1000, down = 100, T = 22.646, error = 0.06 },
})[case]
local slack = 4 * want.error * math.sqrt(1e6 / units)

scenario "A server that breaks down" { duration = math.ceil(units / 100) .. "s" }

local q = service "q" { concurrency = 1, queue = { max = "unbounded" },
  service_time = dist.exponential { mean = "10ms" } }
local customers = traffic "customers" {
  to = q, rate = want.rate * 100 .. "/s", timeout = "1000h", beside = true,
}

local function exponential(mean)
  return ("%dns"):format(math.floor(-math.log(1 - rand()) * mean * 1e7))
end
drive("breakdowns", function()
  while true do
    sleep(exponential(want.up))
    local repair = exponential(want.down)
    fault.pause { q, lasting = repair }
    sleep(repair)
  end
end)

expect "the mean time in system is White and Christie's" {
  at_end = customers.latency.mean:between(("%.9gs"):format(want.T / 100 * (1 - slack)),
    ("%.9gs"):format(want.T / 100 * (1 + slack))),
}
