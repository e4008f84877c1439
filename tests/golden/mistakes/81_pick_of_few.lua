-- More are picked than there are; where their number may change, nobody knows.
scenario "Five of four" { duration = "20s" }
local web = service "web" { replicas = 4 }
local db = database "db" { nodes = 2 }
local more = service "more" { replicas = 4, autoscale = { max = 8, by_hand = true } }
for i, to in ipairs { web, db, more } do traffic("users " .. i) { to = to, rate = "1/s" } end
fault.pause { web, pick = 5, at = "5s", lasting = "2s" }
fault.pause { db, pick = 3, at = "5s", lasting = "2s" }
fault.pause { more, pick = 5, at = "5s", lasting = "2s" }
fault.pause { web, pick = 4, at = "5s", lasting = "2s" }
expect "it answers" { sometimes = web.success.ratio:at_least "99%" }
