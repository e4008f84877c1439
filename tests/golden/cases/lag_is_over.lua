-- Flushes come in step with what a lag that has ended still holds back: the last held message falls
-- due in the instant of a flush, and goes first. Were it overtaken, all that follows would wait.
scenario "Replication after a lag" { duration = "16s" }

local load = { { "0s", "1000/s" }, { "12s", "0/s" } }

for _, replication in ipairs { "sync", "async", "multi" } do
  local db = database(replication .. "_db") {
    nodes = replication == "multi" and 2 or 3, replication = replication, query_time = "3ms",
  }
  local u = traffic("users of " .. replication) {
    to = db, op = "write", rate = shape.steps(load), arrivals = "constant", timeout = "1s",
    beside = true,
  }
  fault.replication_lag { db, add = "1ms", at = "5s", lasting = "5s" }
  expect(replication .. ": nobody fails") { always = u.errors.ratio:equals("0%") }
  expect(replication .. ": all have all again") {
    eventually = db.lag.records:equals(0), after = "13s", within = "1s", holding = "2s",
  }
end
