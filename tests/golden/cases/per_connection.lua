-- A share of the connections, each drawn once, as Toxiproxy's toxicity is: with `per` a connection
-- that is struck is so with all it carries, without it each message is drawn by itself. 16 callers
-- have one connection each: 30 % of them, 4.8 +- 7.3 (four standard errors), are slow, and stay so;
-- or all of them are now and then.
local per = param("per", { "connection", "message" })
scenario "A share of the connections is slow" { duration = "2m" }

local db = service "db" { concurrency = 1000 }
fault.latency {
  db, add = "400ms", ratio = "30%", per = per, direction = "to", at = "5s", lasting = "110s",
}
local late = {}
for i = 1, 16 do
  local web = service("web" .. i) { calls = { call { db, timeout = "1h", pool = { max = 1 } } } }
  traffic("users" .. i) { to = web, rate = "1/s", beside = true }
  late[i] = web.latency.max:above "390ms"
end
drive("somebody", function()
  sleep "10s"
  local first, second, same = 0, 0, true
  local seen = {}
  for i = 1, 16 do
    seen[i] = wait_until(late[i], { timeout = "3s" })
    first = first + (seen[i] and 1 or 0)
  end
  for i = 1, 16 do
    local is_late = wait_until(late[i], { timeout = "3s" })
    second = second + (is_late and 1 or 0)
    same = same and is_late == seen[i]
  end
  log(first .. " callers were slow, then " .. second)
  if same and first >= 1 and first <= 12 then mark "some callers are slow and stay so" end
end)

expect "some callers are slow and stay so, or all of them" {
  at_end = happened "some callers are slow and stay so",
  severity = per == "message" and "warn" or nil,
}
