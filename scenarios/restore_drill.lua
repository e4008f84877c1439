-- GitLab.com, 31 January 2017: the data directory of the primary database was removed by mistake
-- at 23:27 UTC. "Out of five backup/replication techniques deployed none are working reliably or
-- set up in the first place": pg_dump was of another version than the server and had failed
-- without a word, since its mails were rejected; the bucket that it wrote to was empty; disk
-- snapshots were not taken of database servers; replication was broken already. A snapshot made by
-- hand six hours before, for another purpose, was what there was; copying it back at about 60
-- Mbit/s took most of the 18 hours of outage (about.gitlab.com, "Postmortem of database outage of
-- January 31", 10 February 2017).
--
-- Here: a full backup a day, which has failed for days when the directory goes. Copying 300 GB at
-- 60 Mbit/s takes 11.1 hours: `rto`. What is lost is what was written since the newest backup that
-- can be read: without drills all of it, with one a day no more than somebody takes to mend it.
local drills = param("drills", { "none", "daily" })

scenario "A disaster costs what was measured, not what was believed" {
  duration = "8d", warmup = "1h", xfail = { drills = "none" },
}

local db = database "gitlabhq" {
  nodes = 1, query_time = "2ms",
  backup = {
    full = "24h", size = "300GB", throughput = "60Mbit/s", replay_rate = 5, keep = 7,
    drill = drills == "daily" and "23h" or nil,
  },
}
traffic "projects" {
  to = db, op = "write project", rate = "0.1/s", arrivals = "constant", timeout = "5s",
}

-- A drill that fails is seen the next morning; nobody looks at anything else.
fault.backup_fail { db, at = "6h", lasting = drills == "daily" and "44h" or "7d" }

drive("the night of 31 January", function()
  sleep "143h27m"
  log "the directory is gone"
  db:restore {}
  wait_until(db.restoring:below(1), { timeout = "30h" })
  mark "gitlab.com is back"
end)

expect "no more than two days are lost" { at_end = db.lost_acks:below(2 * 86400 // 10) }
expect "it comes back within a day" {
  eventually = db.restoring:below(1), after = "144h", within = "24h", holding = "1h",
}
expect "a backup that fails is noticed" { at_end = db.drills.failed:at_least(1) }
