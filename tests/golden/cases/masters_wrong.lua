-- What a rule may return is said where it returns something else.
scenario "A rule that makes a row" { duration = "90s" }

local db = database "db" {
  nodes = 2, replication = "multi", conflict = function(here) return { value = here.value } end,
}
traffic "users" { to = db, op = "write x", rate = "900/s", keys = dist.zipf { n = 1, skew = 0.5 } }
expect "rows are the same" { at_end = db.diverged:equals(0) }
