-- Q21, a closed interactive system: N users who think for 1 s, and three servers in a row with
-- demands of 50, 40 and 60 ms. Expected: exact mean value analysis, Reiser and Lavenberg (1980);
-- Lazowska et al., Quantitative System Performance (1984), ch. 6. The knee is at N = 19.17.
-- The front has workers for everybody; it stands 20 us from each tier, 120 us in all.
-- `error` is the relative standard error of X over a million requests; R's is larger by Z/R.
local n = param("customers", 5e4)
local users = param("users", { 1, 5, 10, 20, 30, 50, 100 })
local want = ({
  [1]   = { X = 0.86957, R = 0.15,    U3 = 0.052174 },
  [5]   = { X = 4.2366,  R = 0.1802,  U3 = 0.25419 },
  [10]  = { X = 8.0983,  R = 0.23482, U3 = 0.4859 },
  [20]  = { X = 13.822,  R = 0.44692, U3 = 0.82935 },
  [30]  = { X = 16.111,  R = 0.86211, U3 = 0.96665 },
  [50]  = { X = 16.652,  R = 2.0026,  U3 = 0.99914 },
  [100] = { X = 16.667,  R = 5,       U3 = 1 },
})[users]
local slack = 4 * 0.0012 * math.sqrt(1e6 / n)

scenario "A closed system" { duration = math.ceil(n / want.X) .. "s" }

local rack = host "rack" {}
local calls, tiers = {}, {}
for i, demand in ipairs { 50, 40, 60 } do
  tiers[i] = service("tier " .. i) {
    on = rack, concurrency = 1, queue = { max = "unbounded" },
    service_time = dist.exponential { mean = demand .. "ms" },
  }
  calls[i] = call { tiers[i], "GET /", timeout = "1000h" }
end
local front = service "front" { on = rack, concurrency = 60000, service_time = "0s", calls = calls }
local people = traffic "people" {
  to = front, arrivals = "closed", users = users, think = dist.exponential { mean = "1s" },
  timeout = "1000h", beside = true,
}

expect "the throughput is mean value analysis's" {
  at_end = people.rate:between(("%.9g/s"):format(want.X * (1 - slack)),
    ("%.9g/s"):format(want.X * (1 + slack))),
}
-- R = N/X - Z: what is uncertain of X is as much of R + Z.
local wide = slack * (1 + 1 / want.R)
expect "the response time is mean value analysis's" {
  at_end = people.latency.mean:between(("%.9gs"):format(want.R * (1 - wide) + 120e-6),
    ("%.9gs"):format(want.R * (1 + wide) + 120e-6)),
}
