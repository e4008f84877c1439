-- What was on its way to a standby that could not be reached when its primary\'s host was lost never
-- comes. The primary is back before anybody takes its place: standbys connect anew, each from where
-- its log ends.
scenario "A standby catches up" { duration = "40s" }

local db = database "db" { nodes = 3, replication = "async", failover = false }
traffic "writers" { to = db, op = "write", rate = shape.steps { { "0s", "50/s" }, { "20s", "0/s" } },
  arrivals = "constant", timeout = "500ms" }
local away = fault.blackhole { db.node[3], at = "5s", lasting = "7s" }
fault.down { db.node[1], at = "10s", lasting = "4s" }

expect "it falls behind" { eventually = db.lag.records:above(200), after = away, within = "6s" }
expect "and has all again" {
  eventually = db.lag.records:equals(0), after = "21s", within = "1s", holding = "15s" }
