-- Somebody deletes everything at 100 s. What is brought back is as of 95 s, from the full backup of
-- a minute and the log behind it; what was written since is counted as lost. Backups are kept on a
-- box of their own, which is cut off for a while: until then nothing new is archived.
scenario "What was deleted is brought back" { duration = "4m" }

local where = region "eu" { zones = { "a", "b" } }
local shelf = service "shelf" { on = where.zone.b }
local db = database "db" {
  on = where.zone.a,
  backup = { full = "1m", archive = "5s", drill = "50s", to = shelf, keep = 2, size = "1GB",
             throughput = "200MB/s", replay_rate = 10 },
}
local api = service "api" { handle = {
  ["POST /row"] = function(req)
    return req:call { db, "write row", key = req.key, value = req.key }.status
  end,
  ["GET /first"] = function(req)
    log("row 1 is %s", tostring(req:call { db, "read row", key = 1 }.value))
    return 200
  end,
  ["DELETE /all"] = function(req)
    for key = 1, 900 do req:call { db, "delete row", key = key, value = 0 } end
    return 200
  end,
} }
traffic "writers" { to = api, op = "POST /row", rate = "10/s", arrivals = "constant" }
traffic "reader" { to = api, op = "GET /first", rate = "0.02/s", arrivals = "constant" }
traffic "somebody" { to = api, op = "DELETE /all", rate = "0.01/s", arrivals = "constant" }

fault.partition { shelf, db, at = "150s", lasting = "30s" }

drive("whoever notices", function()
  sleep "105s"
  log("%s", select(2, db:restore { at = "10m" }))
  log("%s", tostring(db:restore { at = "95s" }))
  log("%s", select(2, db:restore {}))
end)

expect "it takes five seconds, and a tenth of the 35 of log" {
  eventually = db.rto:between("8.4s", "8.6s"), after = "105s", within = "10s", holding = "0s",
}
expect "the drill that finds them cut off fails" { at_end = db.drills.failed:equals(1) }
expect "more is at risk while they are" { always = db.rpo:at_most "35s" }
expect "it is known what is lost" { at_end = db.lost_acks:above(100) }
