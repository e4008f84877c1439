-- Retries, budgets and throttling against their arithmetic.
--
-- Entries and sources:
--   R03  layers of retries multiply: 4^3 = 64 (SRE book, ch. 22), 3^5 = 243 (AWS Builders'
-- Library,        "Timeouts, retries and backoff with jitter"); attempts per call (1 - p^m)/(1 -
-- p)   R04  10,100/s at a limit of 10,000/s, failures tried again after a second: 100, 200, 300,
-- ...        retries per second (SRE book, ch. 22, steps 1 to 5)
--   R07  adaptive throttling: a backend of capacity C is sent min(D, K C) (SRE book, ch. 21)
--   R08  up to three attempts in an outage: 3 times the load without a budget, 1.1 times with one
--        of 10 % (SRE book, ch. 21), 1.2 to 1.25 with Envoy's of 20 % of what is active, at
-- least 3
local rows = {
  ["R03 3 layers of 4"]    = { layers = 3, attempts = 4, factor = 64 },
  ["R03 3 layers of 3"]    = { layers = 3, attempts = 3, factor = 27 },
  ["R03 5 layers of 3"]    = { layers = 5, attempts = 3, factor = 243 },
  ["R03 p=50% max 4"]      = { p = "50%", attempts = 4, mean = 1.875, success = 1 - 0.5 ^ 4 },
  ["R03 p=10% max 3"]      = { p = "10%", attempts = 3, mean = 1.11, success = 0.999 },
  ["R04"]                  = { growth = true },
  ["R07 K=2"]              = { k = 2, sent = 200, rejected = 0.8 },
  ["R07 K=1.1"]            = { k = 1.1, sent = 110, rejected = 0.89 },
  ["R08 no budget"]        = { p = "100%", attempts = 3, mean = 3, success = 0 },
  ["R08 budget of 10 %"]   = { p = "100%", attempts = 3, mean = 1.1, success = 0, budget = "10%" },
  ["R08 Envoy's budget"]   = { p = "100%", attempts = 3, mean = 1.225, within = 0.025, success = 0,
    budget = { of_active = "20%", at_least = 3 } },
}
local names = {}
for name in pairs(rows) do names[#names + 1] = name end
table.sort(names)
local row = rows[param("row", names)]

-- With a small K the way back from the first burst is long: K times as much every two minutes.
scenario "retries" { duration = row.k and "1800s" or "100s", warmup = row.k and "800s" or "0s" }

local function around(metric, x, share)
  return metric:between(x * (1 - (share or 0.02)), x * (1 + (share or 0.02)))
end
local function per_second(metric, x, share)
  share = share or 0.02
  return metric:between(x * (1 - share) .. "/s", x * (1 + share) .. "/s")
end

if row.layers then
  local below = service "s0" { error_ratio = "100%", concurrency = 1000, service_time = "1us" }
  local bottom = below
  for i = 1, row.layers - 1 do
    below = service("s" .. i) {
      concurrency = 60000, service_time = "1us",
      calls = { call { below, retries = row.attempts - 1, backoff = "1ms", jitter = "none" } },
    }
  end
  local users = traffic "users" {
    to = below, rate = "10/s", arrivals = "constant", beside = true,
    retries = row.attempts - 1, backoff = "1ms", jitter = "none",
  }
  expect "every layer multiplies" { at_end = per_second(bottom.rate, 10 * row.factor, 0.02) }
  expect "nobody is served" { at_end = users.success.ratio:at_most "0%" }
elseif row.p then
  local q = service "q" { error_ratio = row.p, concurrency = 60000, service_time = "100ms" }
  local users = traffic "users" {
    to = q, rate = "1000/s", beside = true, retries = row.attempts - 1, backoff = "1ms",
    retry_budget = row.budget,
  }
  expect "attempts per request" {
    at_end = around(amplification(users, q), row.mean, row.within or 0.01),
  }
  expect "the rest succeeds" {
    at_end = users.success.ratio:between(math.max(0, row.success - 0.005),
        math.min(1, row.success + 0.005)),
  }
elseif row.growth then
  local q = service "q" { concurrency = 10, service_time = "1ms", queue = { max = 2 } }
  local users = traffic "users" {
    to = q, rate = "10100/s", arrivals = "constant", beside = true,
    retries = 1000, backoff = "1s", jitter = "none", backoff_max = "1s",
  }
  for k = 1, 5 do
    expect(("after %d s there are %d retries a second"):format(k, 100 * k)) {
      always = per_second(users.retries.rate, 100 * k, 0.05),
      during = { after = k .. "s", lasting = "1s" },
    }
    expect(("after %d s there are %d attempts a second"):format(k, 10100 + 100 * k)) {
      always = per_second(q.rate, 10100 + 100 * k), during = { after = k .. "s", lasting = "1s" },
    }
  end
else
  -- 100 a second is what it can do, and it refuses the rest; ten times that is asked for. The queue
  -- is there so that chance leaves no worker idle.
  local q = service "q" { concurrency = 10, service_time = "100ms", queue = { max = 300 } }
  local users = traffic "users" {
    to = q, rate = "1000/s", beside = true, throttle = { k = row.k },
  }
  expect "K times the capacity is sent" { at_end = per_second(q.rate, row.sent, 0.05) }
  expect "the caller rejects the rest itself" {
    at_end = around(users.rejected.ratio, row.rejected, 0.02),
  }
end
