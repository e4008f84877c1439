-- A drain evicts within a disruption budget, and asks again every 5 s; what is lost counts against
-- it and is not held back by it. Two of four replicas stand in the zone that is drained.
scenario "Drains keep to budgets" { duration = "10m" }

local eu = region "eu" { zones = { "a", "b" } }

local function tier(name, budget)
  local s = service(name) { replicas = 4, spread = eu, concurrency = 8, service_time = "5ms",
    startup = "12s", readiness = { period = "1s" }, pre_stop = "2s", endpoint_delay = "1s",
    disruption_budget = budget }
  local users = traffic("users of " .. name) { to = s, rate = "40/s" }
  return s, users
end

local web, users = tier("web", { min_available = "75%" })
local one        = tier("one", { max_unavailable = "10%" }) -- of 4: rounded up to 1
local stuck      = tier("stuck", { max_unavailable = 0 })
local hurt       = tier("hurt", { min_available = 3 })
local loose      = tier("loose")

local drain = fault.drain { eu.zone.a, at = "1m", lasting = "8m" }
fault.kill { hurt.replica[2], at = "50s", lasting = "2m" }

expect "one after another" { always = web.replicas.ready:at_least(3) }
expect "the first is told at once" { sometimes = web.replicas.ready:equals(3) }
expect "both have gone in half a minute" { always = web.replicas.ready:equals(4),
  during = { after = "1m40s" } }
expect "nobody notices" { never = users.errors.ratio:above "0%" }
expect "10 % of 4 is one" { always = one.replicas.ready:at_least(3) }
expect "of stuck none may go" { always = stuck.replicas.ready:equals(4) }
expect "a kill asks nobody" { sometimes = hurt.replicas.ready:equals(3) }
expect "and uses the budget up" { always = hurt.replicas.ready:equals(3),
  during = { after = "51s", lasting = "1m58s" } }
expect "then one may go" { sometimes = hurt.replicas.ready:equals(3),
  during = { after = "3m5s", lasting = "30s" } }
expect "without a budget all go at once" { sometimes = loose.replicas.ready:equals(2) }
