-- What a restore undoes is counted from the state that it puts back, and not from what whoever
-- leads had applied when it was saved.
scenario "A snapshot of who is behind" { duration = "20s", warmup = "1s" }

local from = param("from", { 1, 3 })
local db = database "db" {
  nodes = 3, replication = "raft", query_time = "1ms", disk = { latency = "500us" },
  schema = "create table x (id integer primary key, v integer)",
}
local jobs = service "jobs" {
  handle = {
    ["GET /"] = function(req)
      if now() > dur "10s" then return 200 end
      local row = req:sql { db, "insert into x (v) values (?)", { 7 }, timeout = "1s" }
      return row.ok and 200 or 500
    end,
  },
}
traffic "users" { to = jobs, rate = "50/s", arrivals = "constant", op = "GET /" }

for n = 1, 2 do fault.partition { db.node[3], db.node[n], at = "5s", lasting = "12s" } end
drive("operator", function()
  sleep "8s"
  assert(db:snapshot_save { node = db.node[from] })
  sleep "4s"
  assert(db:snapshot_restore())
end)

if from == 1 then
  expect "two seconds of writes are undone" { at_end = db.lost_acks:between(80, 120) }
else
  expect "five are" { at_end = db.lost_acks:between(200, 300) }
end
