-- M/G/1 with processor sharing: the mean time in system is 1/(1 - rho) for every distribution
-- of the work (Kleinrock II (1976), sec. 4.4; Harchol-Balter (2013), ch. 30). A first-in-first-out
-- model fails this at once.
-- `slack` is four standard errors over 1e6 customers, from 20 seeds (the larger of the three).
local rho  = param("rho", { 0.5, 0.8 })
local kind = param("work", { "exponential", "constant", "hyperexponential" })
local want = ({ [0.5] = { T = 2, slack = 0.04 }, [0.8] = { T = 5, slack = 0.32 } })[rho]
local unit = 10     -- the mean work is 10 ms of one core

scenario "M/G/1-PS" { duration = (1e6 * unit / 1000 / rho) .. "s" }

local work = ({
  exponential      = dist.exponential { mean = "10ms" },
  constant         = dist.constant "10ms",
  -- balanced means, squared coefficient of variation 10
  hyperexponential = dist.hyperexponential { { 0.952267, "5.250631ms" }, { 0.047733,
      "104.7493ms" } },
})[kind]

local q = service "q" { cpu = 1, concurrency = 60000, service_time = work }
traffic "customers" { to = q, rate = (rho * 1000 / unit) .. "/s", timeout = "1000h", beside = true }

local function ms(x) return x * unit .. "ms" end

expect "the mean time in system does not depend on the distribution" {
  at_end = q.latency.mean:between(ms(want.T - want.slack), ms(want.T + want.slack)),
}
expect "the core is busy for a share rho of the last hour" {
  at_end = q.cpu:between(rho - 0.03, rho + 0.03), over = "1h",
}
