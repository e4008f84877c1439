-- Priorities in an M/M/1 queue, two and three classes: the class that is served first waits least.
-- Without preemption, Cobham (1954); Kleinrock, Queueing Systems II (1976), sec. 3.3:
-- Wq_k = rho / ((1 - sigma_{k-1}) (1 - sigma_k)), sigma_k the load of classes 1 to k. With it, a
-- worker taken from who is less urgent and given back later (preemptive resume, sec. 3.4):
-- T_k = 1 / (1 - sigma_{k-1}) + sigma_k / ((1 - sigma_{k-1}) (1 - sigma_k)).
-- `slack` leaves more than four standard errors of the mean over 1e6 customers.
local case = param("case", { "2 classes", "3 classes", "2 preemptive", "3 preemptive" })
local want = ({
  ["2 classes"] = { rate = { 0.4, 0.4 }, T = { 2.3333, 7.6667 }, slack = { 0.03, 0.55 } },
  ["3 classes"] = { rate = { 0.2, 0.3, 0.4 }, T = { 2.125, 3.25, 19 },
    slack = { 0.02, 0.06, 2.9 } },
  ["2 preemptive"] = { rate = { 0.4, 0.4 }, T = { 1.6667, 8.3333 }, slack = { 0.03, 0.55 },
    preemptive = true },
  ["3 preemptive"] = { rate = { 0.2, 0.3, 0.4 }, T = { 1.25, 2.5, 20 },
    slack = { 0.02, 0.06, 2.9 }, preemptive = true },
})[case]
local unit = 10     -- one service time is 10 ms
local rho = 0
for _, r in ipairs(want.rate) do rho = rho + r end

scenario "M/M/1 with priorities" { duration = (1e6 * unit / 1000 / rho) .. "s" }

local q = service "q" {
  concurrency  = 1,
  queue        = { max = "unbounded", preemptive = want.preemptive },
  service_time = dist.exponential { mean = unit .. "ms" },
}
local function ms(x) return x * unit .. "ms" end

for i, rate in ipairs(want.rate) do
  local users = traffic("class " .. i) {
    to = q, rate = (rate * 1000 / unit) .. "/s", priority = i - 1, timeout = "1000h", beside = true,
  }
  local T = want.T[i]
  expect("class " .. i .. " is served as the theory says") {
    at_end = users.latency.mean:between(ms(T - want.slack[i]), ms(T + want.slack[i])),
  }
end
