-- D15, what backups are worth: with a full one a day a loss costs up to 24 hours and 12 on average,
-- with the log archived every 60 s up to 60 s and 30 on average. Restoring 500 GB at 200 MB/s takes
-- 2500 s, replaying 12 hours of log at five times the speed it was written 2.4 hours: 3.0944 hours.
-- Arithmetic; exactly, but for the second by which a gauge is sampled.
local archived = param("archived", { "no", "yes" })
local is_archived = archived == "yes"

scenario "A restore takes, and loses, what its backups say" { duration = "64h", warmup = "24h" }

local db = database "db" {
  backup = { full = "24h", archive = is_archived and "60s" or nil,
             size = is_archived and "500GB" or nil, throughput = "200MB/s", replay_rate = 5 },
}
traffic "writes" { to = db, op = "write row", rate = "0.1/s", arrivals = "constant",
  beside = true }

drive("a disaster at noon of the third day", function()
  sleep "60h1s"
  log("restore: %s", tostring(db:restore {}))
  wait_until(db.restoring:below(1))
  mark "restored"
end)

local day = { after = "24h", lasting = "24h" }
if is_archived then
  expect "at most a minute is at risk" { always = db.rpo:at_most "60s", during = day }
  expect "half of that on average, half a minute later" {
    eventually = db.rpo:between("30s", "30s"), after = "30h", within = "31s", holding = "0s",
  }
  expect "copying and replaying" { at_end = db.rto:between("11139.9s", "11140.1s") }
  expect "nothing archived is lost" { at_end = db.lost_acks:at_most(1) }
else
  expect "a day is at risk" { sometimes = db.rpo:at_least "86399s", during = day }
  expect "never more" { always = db.rpo:at_most "24h", during = day }
  expect "half of that on average, at noon" {
    eventually = db.rpo:between("43199s", "43201s"), after = "36h", within = "1s", holding = "0s",
  }
  expect "half a day is lost" { at_end = db.lost_acks:between(4320, 4321) }
end
expect "it was restored" { at_end = happened "restored" }
