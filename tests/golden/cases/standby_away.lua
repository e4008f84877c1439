-- A standby that was away streams what it lacks from where it was, and applies it one record after
-- another: away for 50 s of 100 writes a second it is 5000 behind, and applying 200 a second while
-- 100 more come it is level 50 s later; with replay = "125/s", which is 25 more than come, not in
-- the 130 s that are left.
local how = param("how", { "200/s", "125/s" })
scenario "A standby that was away" { duration = "200s" }
local db = database "db" {
  nodes = 2, query_time = "1ms", failover = false, replay = how,
}
traffic "users" { to = db, op = "write x", rate = "100/s", arrivals = "constant" }
fault.kill { db.node[2], at = "20s", lasting = "50s" }

expect "5000 behind when it is back" { sometimes = db.lag.records:between(4990, 5010),
  during = { after = "70s", lasting = "2s" } }
if how == "125/s" then
  expect "it gains 25 a second" { at_end = db.lag.records:between(1740, 1760) }
else
  expect "half way 25 s later" { sometimes = db.lag.records:between(2390, 2510),
    during = { after = "95s", lasting = "2s" } }
  expect "level after 50 s" { always = db.lag.records:at_most(2),
    during = { after = "121s", lasting = "78s" } }
  expect "not sooner" { always = db.lag.records:above(100),
    during = { after = "71s", lasting = "47s" } }
end
