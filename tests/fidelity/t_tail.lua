-- Tails of calls that are fanned out, and what hedging makes of them.
--
-- Entries and sources:
--   T01  one of n leaves is slow with probability 1 - (1 - p)^n: Dean and Barroso, "The Tail at
--        Scale", CACM 56(2), 2013, p. 75 ("63 %", "almost one in five")
--   T03  the largest of n exponential times: mean H_n, quantiles -ln(1 - p^(1/n))
--   T04  leaf: 1 ms + Exp(2 ms) with 0.99, 1000 ms with 0.01; another request to another replica
--        after 10 ms, loser cancelled: survival S(t) S(t - d), closed form and an independent
--        simulation. The single leaf's p99 lies on the jump and is left out.
-- Leaves have workers for everybody: nobody queues. The network is left out of T04 and is 0.3 ms
-- of seconds elsewhere. Counts are chosen so that the slack is four standard errors.
local H = { [1] = 1, [2] = 1.5, [5] = 2.2833, [10] = 2.929, [100] = 5.1874, [1000] = 7.4855 }
local P50 = { [1] = 0.69315, [2] = 1.2279, [5] = 2.0445, [10] = 2.7036, [100] = 4.9751,
  [1000] = 7.2746 }
local P99 = { [1] = 4.6052, [2] = 5.2958, [5] = 6.2106, [10] = 6.9032, [100] = 9.2054,
  [1000] = 11.508 }
local rows = {
  ["T01 p=1% n=100"]    = { p = 0.01, n = 100, slow = 0.63397, slack = 0.02, requests = 10000 },
  ["T01 p=0.01% n=2000"] = { p = 0.0001, n = 2000, slow = 0.18128, slack = 0.05, requests = 1000 },
  ["T01 p=1% n=10"]     = { p = 0.01, n = 10, slow = 0.09562, slack = 0.005, requests = 60000 },
  ["T01 p=0.1% n=1000"] = { p = 0.001, n = 1000, slow = 0.6323, slack = 0.045, requests = 2000 },
  ["T04 single"]        = { hedge = false, requests = 200000 },
  ["T04 hedged"]        = { hedge = true, requests = 200000 },
  ["T04 fan"]           = { hedge = false, fan = true, requests = 8000 },
  ["T04 fan hedged"]    = { hedge = true, fan = true, requests = 20000 },
}
for n in pairs(H) do
  rows[("T03 n=%d"):format(n)] = { max_of = n, requests = n >= 100 and 2e5 // n * 5 or 1e5 }
end
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]
local rate = 100

scenario "fan-out and hedging" { duration = math.ceil(row.requests / rate) + 20 .. "s" }

-- 1 ms + Exp(2 ms) with probability 0.99, then the jump to a second.
local function leaf_time()
  local points = {}
  for i = 0, 999 do
    local q = i / 1000
    points[#points + 1] = { 0.99 * q, ("%dns"):format(1e6 - 2e6 * math.log(1 - q) // 1 | 0) }
  end
  points[#points + 1] = { 0.99 * 0.9999, ("%dns"):format(1e6 - 2e6 * math.log(1e-4) // 1 | 0) }
  points[#points + 1] = { 0.99, "1s" }
  return dist.empirical(points)
end

local function slow_with(p)
  return dist.empirical { { 0, "1ms" }, { 1 - p, "1ms" }, { 1 - p + 1e-9, "1s" }, { 1, "1s" } }
end

local leaf = service "leaf" {
  replicas = 10, concurrency = 60000,
  service_time = row.p and slow_with(row.p) or row.max_of and dist.exponential { mean = "1s" }
      or leaf_time(),
}
local hedge = row.hedge and { after = "10ms" } or nil
local how = { leaf, "get", timeout = "1h", balance = "random", hedge = hedge,
  fan_out = row.max_of or row.n or 100 }

local front = (row.p or row.max_of or row.fan) and service "front" {
  concurrency = 60000, service_time = "1us", calls = { call(how) },
}
local users = traffic "users" {
  to = front or leaf, rate = rate .. "/s", beside = true, balance = "random",
  timeout = row.p and "500ms" or row.fan and "900ms" or "1h", hedge = not front and hedge or nil,
}

local function near(metric, ms, slack)
  return metric:between(ms * (1 - slack) .. "ms", ms * (1 + slack) .. "ms")
end

if row.p then
  expect "as many requests are slow as have a slow leaf" {
    at_end = users.errors.ratio:between(row.slow - row.slack, row.slow + row.slack),
  }
elseif row.max_of then
  local n = row.max_of
  expect "the mean is the harmonic number" { at_end = near(users.latency.mean, H[n] * 1000, 0.015) }
  expect "the median is as computed" { at_end = near(users.latency.p50, P50[n] * 1000, 0.025) }
  expect "the 99th percentile is as computed" {
    at_end = near(users.latency.p99, P99[n] * 1000, 0.06),
  }
elseif not row.fan then
  expect "the median is the mixture's" { at_end = near(users.latency.p50, 2.4066, 0.02) }
  expect "the 95th percentile is the mixture's" { at_end = near(users.latency.p95, 7.4177, 0.02) }
  if row.hedge then
    expect "the 99th percentile is hedged" { at_end = near(users.latency.p99, 11.761, 0.02) }
    expect "the 99.9th percentile is hedged" { at_end = near(users.latency.p999, 15.919, 0.02) }
    expect "hedging costs 2.1 %" { at_end = users.hedges.per_call:between(0.0197, 0.0223) }
  else
    expect "the 99.9th percentile is a second" { at_end = near(users.latency.p999, 1000, 0.02) }
  end
elseif row.hedge then
  -- 0.3 ms of network are in these: front and leaf are not beside each other.
  expect "the median of 100 hedged leaves" { at_end = near(users.latency.p50, 12.345 + 0.3, 0.03) }
  expect "the 95th percentile of 100 hedged leaves" {
    at_end = near(users.latency.p95, 17.421 + 0.3, 0.04),
  }
  expect "one in a hundred takes a second" {
    at_end = users.errors.ratio:between(0.0099507 - 0.0028, 0.0099507 + 0.0028),
  }
else
  expect "two in three take a second" { at_end = users.errors.ratio:between(0.612, 0.656) }
end
