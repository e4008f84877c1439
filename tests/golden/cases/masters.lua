-- Two masters 50 ms apart, partitioned for 20 s, under three rules; writes stop, and the rows that
-- differ are counted.
local rule = param("rule", { "last_writer_wins", "first_writer_wins", "a function" })
local rules = {
  ["a function"] = function(here, there) return here.at > there.at and here or there end,
}

scenario "Two masters" { duration = "90s", xfail = { rule = "first_writer_wins" } }

local both = region "both" { zones = { "a", "b" }, latency = "50ms" }
local db = database "db" {
  nodes = 2, spread = both, replication = "multi", conflict = rules[rule] or rule,
}
local work = shape.steps { { "0s", "20/s" }, { "60s", "0/s" } }
for i, name in ipairs { "a", "b" } do
  local app = service("app-" .. name) {
    on = both.zone[name], calls = { call { db, "write x", timeout = "1s" } },
  }
  traffic("users-" .. name) { to = app, rate = work, keys = dist.zipf { n = 10, skew = 0.5 } }
end
fault.partition { db.node[1], db.node[2], at = "20s", lasting = "20s" }

expect "nobody is refused" { always = db.errors.ratio:equals "0%" }
expect "rows differ meanwhile" { sometimes = db.diverged:at_least(5) }
expect "and are the same in the end" { at_end = db.diverged:equals(0) }
expect "writes give way to others" { at_end = db.lost_updates:at_least(100) }
