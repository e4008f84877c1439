-- Priorities in an M/M/1 queue, two and three classes, without preemption: the class that is
-- served first waits least. Expected: Cobham (1954); Kleinrock, Queueing Systems II (1976), sec.
-- 3.3: Wq_k = rho / ((1 - sigma_{k-1}) (1 - sigma_k)), sigma_k the load of classes 1 to k.
-- `slack` leaves more than four standard errors of the mean over 1e6 customers.
local case = param("case", { "2 classes", "3 classes" })
local want = ({
  ["2 classes"] = { rate = { 0.4, 0.4 }, Wq = { 1.3333, 6.6667 }, slack = { 0.03, 0.55 } },
  ["3 classes"] = { rate = { 0.2, 0.3, 0.4 }, Wq = { 1.125, 2.25, 18 },
    slack = { 0.02, 0.06, 2.9 } },
})[case]
local unit = 10     -- one service time is 10 ms
local rho = 0
for _, r in ipairs(want.rate) do rho = rho + r end

scenario "M/M/1 with priorities" { duration = (1e6 * unit / 1000 / rho) .. "s" }

local q = service "q" {
  concurrency  = 1,
  queue        = { max = "unbounded" },
  service_time = dist.exponential { mean = unit .. "ms" },
}
local function ms(x) return x * unit .. "ms" end

for i, rate in ipairs(want.rate) do
  local users = traffic("class " .. i) {
    to = q, rate = (rate * 1000 / unit) .. "/s", priority = i - 1, timeout = "1000h", beside = true,
  }
  local T = want.Wq[i] + 1
  expect("class " .. i .. " waits as Cobham says, and is served") {
    at_end = users.latency.mean:between(ms(T - want.slack[i]), ms(T + want.slack[i])),
  }
end
