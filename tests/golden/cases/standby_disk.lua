-- A standby writes what it is sent to its own disk, by one process that flushes it too and receives
-- nothing meanwhile (walreceiver). With commit = "on" the primary waits for the flush; with
-- remote_write for the write, which comes behind the flush before it; with local for nothing. What is
-- not flushed there is not replayed, so that the standby is behind. A flush that fails is tried again
-- after 5 s (wal_retrieve_retry_interval).
local commit = param("commit", { "on", "remote_write", "local" })
local what = param("what", { "hangs", "is full", "is slow" })
scenario "A standby's disk" { duration = "40s", warmup = "2s" }
local db = database "db" { nodes = 2, commit = commit, query_time = "1ms",
                           disk = { latency = "2ms" } }
local users = traffic "users" { to = db, op = "write", rate = "100/s", timeout = "30s",
                                keys = dist.zipf { n = 1000, skew = 0 } }
local WRONG = {
  hangs = function() return fault.disk_freeze { db.node[2], at = "10s", lasting = "4s" } end,
  ["is full"] = function() return fault.disk_full { db.node[2], at = "10s", lasting = "4s" } end,
  ["is slow"] = function()
    return fault.disk_latency { db.node[2], add = "100ms", at = "10s", lasting = "4s" }
  end,
}
WRONG[what]()
local WAITS = { hangs = { "3900ms", "4200ms" }, ["is full"] = { "4900ms", "5200ms" },
                ["is slow"] = { "100ms", "500ms" } }
if commit == "local" then
  expect "nobody waits for it" { never = users.latency.max:above "50ms" }
else
  expect "so long" { sometimes = users.latency.max:at_least(WAITS[what][1]) }
  expect "and no longer" { never = users.latency.max:above(WAITS[what][2]) }
end
if what ~= "is slow" then
  expect "the standby is behind" { sometimes = db.lag.time:above "3500ms" }
end
expect "and catches up" { at_end = db.lag.time:below "100ms" }
