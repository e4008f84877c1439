-- Who is new has no connection yet, however those of others are counted: with nothing that tells
-- connections apart, with a pool, with long answers, and with faults that strike single ones, while
-- they last and after. A round trip takes 10 ms, and a request two of them.
local case = param("case", { "plain", "pool", "long", "marked", "reset", "limit_data" })

scenario "Everybody is new" { duration = "30s" }

local row = ({
  plain = {},
  pool = { pool = { max = 1 } }, -- somebody new does not wait for it
  long = { response = "14kB" },
  marked = {},
  reset = { fails = true },
  limit_data = { fails = true },
})[case]

local web = service "web" { service_time = "0s" }
local users = traffic "users" {
  to = web, rate = "100/s", arrivals = "constant", batch = 2, fresh = "100%", timeout = "1m",
  pool = row.pool, response_size = row.response,
}
local way = link(users, web)
link { users, web, latency = "5ms" }

if case == "marked" then
  fault.latency { way, add = "1us", ratio = "1%", per = "connection", at = "10s", lasting = "10s" }
elseif case == "reset" then
  fault.reset { way, ratio = "30%", at = "10s", lasting = "10s" }
elseif case == "limit_data" then
  fault.limit_data { way, ratio = "30%", bytes = "1B", at = "10s", lasting = "10s" }
end

expect "two round trips, always" { always = users.latency.p50:between("19.9ms", "20.1ms") }
if row.fails then
  expect "a share of them fails" {
    always = users.errors.ratio:between("15%", "45%"), during = { after = "10s", lasting = "10s" },
  }
else
  expect "no request fails" { always = users.errors.ratio:equals "0%" }
end
