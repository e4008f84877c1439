-- S01, error budgets (Site Reliability Engineering, appendix A, per day; thirty times as much in
-- 30 days): 99 % leave 14.4 minutes of an outage, 99.9 % 1.44 and 99.99 % 8.64 s. A system that
-- is away for one request less than that is within its budget; for one more, it has overdrawn it.
local nines  = param("objective", { "99%", "99.9%", "99.99%" })
local outage = param("outage", { "shorter", "longer" })
local budget = ({ ["99%"] = 864, ["99.9%"] = 86.4, ["99.99%"] = 8.64 })[nines]
local gap = budget / 24 -- between two requests
local seconds = budget + (outage == "longer" and 1 or -1) * gap

scenario "An error budget is so many minutes of a day" {
  duration = "24h", xfail = { outage = { "longer" } },
}
local shop = service "shop" {}
traffic "users" { to = shop, rate = (1 / gap) .. "/s", arrivals = "constant" }
fault.http_abort { shop, at = "5h", lasting = ("%.3fs"):format(seconds) }
slo "the shop answers" { of = shop, objective = nines }
