-- Q19, three M/M/1 in a row: 6/s through servers of 10, 8 and 20/s. The departures of one are
-- Poisson and the three times independent: hypoexponential (4, 2, 14). Expected: Burke (1956),
-- Reich (1957); mean 0.82143 s, quantiles 0.68807, 1.915 and 2.7249 s.
-- The front has workers for everybody and does nothing; it stands on the same host as the tiers,
-- 20 us from each, which is 120 us in all.
-- `error` is the relative standard error of T over a million customers, from 20 seeds.
local n = param("customers", 3e5)
local error_of_million = 0.0028
local slack = 4 * error_of_million * math.sqrt(1e6 / n)

scenario "Three tiers" { duration = math.ceil(n / 6) .. "s" }

local rack = host "rack" {}
local calls = {}
for i, mu in ipairs { 10, 8, 20 } do
  local tier = service("tier " .. i) {
    on = rack, concurrency = 1, queue = { max = "unbounded" },
    service_time = dist.exponential { mean = 1000 / mu .. "ms" },
  }
  calls[i] = call { tier, "GET /", timeout = "1000h" }
end
local front = service "front" { on = rack, concurrency = 60000, service_time = "0s", calls = calls }
traffic "customers" { to = front, rate = "6/s", timeout = "1000h", beside = true }

local function near(metric, want, share)
  return metric:between(("%.9gs"):format(want * (1 - share) + 120e-6),
    ("%.9gs"):format(want * (1 + share) + 120e-6))
end
expect "the mean is the sum of the three" { at_end = near(front.latency.mean, 0.82143, slack) }
expect "the median is the hypoexponential's" {
  at_end = near(front.latency.p50, 0.68807, 0.01 + slack),
}
expect "the 95th percentile is the hypoexponential's" {
  at_end = near(front.latency.p95, 1.915, 0.01 + 1.5 * slack),
}
expect "the 99th percentile is the hypoexponential's" {
  at_end = near(front.latency.p99, 2.7249, 0.01 + 2 * slack),
}
