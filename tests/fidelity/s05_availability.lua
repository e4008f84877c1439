-- S05, availability of what stands in a row, side by side, or is mended (any text on reliability;
-- the AWS Builders' Library and the SRE book's appendix A have the same table).
--
--   in a row      n parts that are there for 99.9 %: 0.999^n
--   side by side  n parts that are there for 99 %, one of which will do: 1 - 0.01^n
--   mended        MTBF 1000 h and MTTR 1 h: 1000/1001; an hour is a tenth of a second here
--
-- Slack: four standard errors; of the last, of the renewals, at most sqrt(2 N) MTTR / T, and of
-- those who ask.
local case = param("case", { "1 in a row", "5 in a row", "10 in a row", "30 in a row",
  "2 side by side", "mended" })
local count, shape = case:match "^(%d+) (.*)$"
count = math.tointeger(count)
local requests = 4e4
local want

if shape == "in a row" then
  scenario "Availability" { duration = (requests / 400) .. "s" }
  local part = service "part" { error_ratio = "0.1%", service_time = "1us" }
  local calls = {}
  for _ = 1, count do calls[#calls + 1] = call { part } end
  want = { 0.999 ^ count, service "whole" { calls = calls, service_time = "1us" } }
elseif shape == "side by side" then
  scenario "Availability" { duration = (requests / 400) .. "s" }
  local part = service "part" { error_ratio = "1%", replicas = count, service_time = "1us" }
  want = { 1 - 0.01 ^ count, service "whole" {
    calls = { call { part, retries = count - 1, backoff = "1us" } }, service_time = "1us" } }
end

if want then
  local share, whole = want[1], want[2]
  local users = traffic "users" { to = whole, rate = "400/s" }
  local slack = 4 * math.sqrt(share * (1 - share) / requests)
  expect "as many succeed as the parts' product says" {
    at_end = users.success.ratio:between(share - slack, math.min(1, share + slack)),
  }
else
  local cycles, hour = 4000, 0.1
  scenario "Availability" { duration = (cycles * 1001 * hour) .. "s" }
  local part = service "part" { service_time = "1us" }
  local users = traffic "users" { to = part, rate = "1/s", beside = true }
  drive("nature", function()
    while true do
      sleep(dist.exponential { mean = (1000 * hour) .. "s" })
      fault.kill { part, lasting = hour .. "s" }
      sleep(hour .. "s")
    end
  end)
  local length = cycles * 1001 * hour
  local slack = 4 * (math.sqrt(2 * cycles) * hour / length + math.sqrt(0.001 / length))
  expect "it is there for MTBF / (MTBF + MTTR)" {
    at_end = users.success.ratio:between(1000 / 1001 - slack, 1000 / 1001 + slack),
  }
end
