-- A majority of disks that lies loses with the power what it acknowledged: ten seconds of a hundred
-- writes a second. It is counted, the rows are again what the logs say, and all that is written
-- later is read. A minority loses nothing, nor does the end of the processes alone. Where a minority
-- is honest it depends on who leads first: who has the longest log, or the others, whom it follows.
local form = param("form", { "rows", "overwritten", "sql" })
local who = param("who", { "all", "minority", "killed", "one honest", "honest is away" })
scenario "A group forgets what its disks did" { duration = "1m", warmup = "1s" }

local db = database "db" {
  nodes = 3, replication = "raft", query_time = "100us", disk = { latency = "200us" },
  schema = form == "sql" and "create table t(id integer primary key, n integer)" or nil,
}
local write = { rows = "write x", overwritten = "write x", sql = "insert into t(n) values (1)" }
traffic "writers" { to = db, op = write[form], rate = "100/s", arrivals = "constant",
                    timeout = "300ms",
                    keys = form == "overwritten" and dist.zipf { n = 50, skew = 1 } or nil }
if form ~= "sql" then
  traffic "readers" { to = db, op = "read x", rate = "50/s", arrivals = "constant",
                      timeout = "300ms", keys = dist.zipf { n = 50, skew = 1 } }
end

if who == "all" or who == "killed" then
  fault.fsync_lie { db, at = "20s", lasting = "30s" }
else
  fault.fsync_lie { db.node[2], at = "20s", lasting = "30s" }
end
if who == "one honest" or who == "honest is away" then
  fault.fsync_lie { db.node[3], at = "20s", lasting = "30s" }
end
fault[who == "killed" and "kill" or "down"] { db, at = "30s", lasting = "1s" }
if who == "honest is away" then
  fault.down { db.node[1], at = "29s", lasting = "10s" } -- and is back with what nobody has
end

local least, most = 0, 0
if who == "all" then least, most = 985, 1001 end
if who == "honest is away" then least, most = 700, 1001 end
if who == "one honest" then most = 1001 end
expect "as much is lost as the caches had" { at_end = db.lost_acks:between(least, most + 0.5) }
-- Reads that came before somebody led again have missed what was lost.
if form ~= "sql" then
  expect "what is written is read" { at_end = db.stale_reads:below(most > 0 and 150 or 0.5) }
end
expect "it goes on" { eventually = db.errors.ratio:below "0.1%", after = "40s", within = "10s",
                      holding = "5s" }
