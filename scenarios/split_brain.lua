-- GitHub, 21 October 2018 (github.blog, "October 21 post-incident analysis"): routine work cut the
-- East Coast data centre off for 43 seconds. Orchestrator, with a majority elsewhere, promoted
-- replicas in the West; for those seconds the East's primaries had taken writes that nobody else
-- had, 954 of them on the busiest cluster. When the cut was over both sides had writes that the
-- other had not, and 24 hours went into making one of two.
--
-- Here: five nodes of one cluster, the primary and one replica in the East, two in the West, one
-- more elsewhere, 30 ms one way; 20 writes a second in the East (954 in 43 s are 22) and 10 in the
-- West. Without fencing the East's primary serves the East on. With fencing it stops once it is
-- given up, and what it had taken until then is lost all the same. Only a write that waits for two
-- standbys, and so for another site, is never lost; it costs each of them a crossing.
local how = param("how", { "unfenced", "fenced", "fenced and synchronous" })
local is_sync = how == "fenced and synchronous"

scenario "A primary is cut off for 43 seconds" {
  about = "GitHub, October 2018: two primaries, and writes that only one of them has.",
  tags = { "db", "failover", "incident" },
  duration = "10m",
  warmup = "30s",
  xfail = { how = { "unfenced", "fenced" } },
}

local us = region "us" { zones = { "east", "west", "hub" }, latency = "30ms" }
local east, west = host "east-1" { zone = us.zone.east }, host "west-1" { zone = us.zone.west }
local db = database "mysql" {
  engine = "mysql", nodes = 5, spread = us, query_time = "2ms",
  commit = is_sync and "quorum" or "local", quorum = is_sync and 2 or nil,
  failover = {
    detect = "10s", promote = "5s", discovery = "2s", fencing = how ~= "unfenced",
    rejoin = "rebuild", size = "40GB", rate = "200MB/s",
  },
}

local function site(name, where, rate)
  local app = service("app-" .. name) {
    on = where, calls = { call { db, "update issue", timeout = "2s", retries = 1 } },
  }
  return traffic("users-" .. name) {
    to = app, rate = rate, timeout = "5s", keys = dist.zipf { n = 100000, skew = 0.5 },
  }
end
site("east", east, "20/s")
site("west", west, "10/s")

local cut = fault.partition { us.zone.east, us.zone.west, at = "3m", lasting = "43s" }
fault.partition { us.zone.east, us.zone.hub, at = "3m", lasting = "43s" }

expect "there is never more than one primary" { always = db.primaries:at_most(1) }
expect "no acknowledged write is lost" { always = db.lost_acks:equals(0) }
expect "the West takes over" { sometimes = db.failovers:at_least(1) }
expect "in the end nobody has rows of its own" {
  eventually = db.diverged:equals(0), after = cut.ends, within = "5m", holding = "30s",
}
