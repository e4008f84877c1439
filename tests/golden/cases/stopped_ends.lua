-- A fault without `lasting` that a drive stops has an end all the same, from which is judged. One
-- that nobody stopped has none: what counts from there is inconclusive.
local stops = param("stops", { "in time", "too late", "never" })
scenario "An outage ends when the operator ends it" { duration = "1m", warmup = "5s" }

local web = service "web" { replicas = 2 }
traffic "users" { to = web, rate = "50/s", arrivals = "constant", timeout = "100ms" }
local outage = fault.blackhole { web, at = "20s" }
drive("operator", function()
  if stops == "never" then return end
  sleep(stops == "in time" and "30s" or "59s")
  outage:stop()
end)

expect "it is back 3 s after the end" {
  after = outage.ends, within = "3s", eventually = web.rate:above "40/s", holding = "10s",
}
expect "good from then on" {
  always = web.rate:above "40/s", during = { after = outage.ends },
}
