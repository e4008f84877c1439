-- PostgreSQL on five nodes over three sites with a cache before it, kept by Patroni as it is set up
-- (dynamic_configuration.rst): the leader holds a lease of 30 s and renews it every 10 s; a commit
-- waits for any two standbys, so that any two nodes may be lost. The leader's site is lost: its
-- lease runs out 20 to 30 s later, another leads, and no write that was acknowledged is missing.
-- The same rows on five masters: nobody has to take over, and what two sites write at once is lost.
local mode = param("mode", { "leader", "masters" })

scenario "Five nodes lose a site" {
  about = "PostgreSQL with Patroni and a cache, or five masters: what the loss of a site costs.",
  tags = { "db", "failover", "cache", "multi-master" },
  duration = "10m",
  warmup = "30s",
  xfail = { mode = "masters" },
}

-- Backups go to another region, the log every minute, and are tried out: two masters have two logs,
-- which no archive can follow.
local us = region "us" { zones = { "a" } }
local vault = service "vault" { on = us.zone.a }
local eu = region "eu" { zones = { "a", "b", "c" }, latency = "5ms" }
local db = database "orders" {
  nodes = 5, spread = eu, query_time = "2ms", wal_flush = "1ms",
  replication = mode == "masters" and "multi" or nil,
  commit = mode == "leader" and "quorum" or nil, quorum = mode == "leader" and 2 or nil,
  reads = mode == "leader" and "replicas" or nil,
  read_your_writes = mode == "leader" or nil,
  failover = mode == "leader"
      and { ttl = "30s", loop_wait = "10s", retry_timeout = "10s", promote = "2s",
            rejoin = "rewind" } or nil,
  backup = mode == "leader"
      and { full = "2m", archive = "1m", drill = "3m", to = vault, size = "2GB",
            throughput = "100MB/s" } or nil,
}
local redis = cache "redis" { entries = 10000, ttl = "10s", spread = eu }
local api = service "api" {
  replicas = 6, spread = eu,
  handle = {
    ["GET /order"] = function(req)
      if req:call { redis, "get", key = req.key, timeout = "100ms" }.ok then return 200 end
      local row = req:call { db, "select order", key = req.key, timeout = "500ms" }
      if not row.ok then return 503 end
      req:call { redis, "set", key = req.key, value = row.value, timeout = "100ms" }
      return 200
    end,
    ["POST /order"] = function(req)
      local put = req:call { db, "write order", key = req.key, timeout = "1s", retries = 1 }
      return put.ok and 200 or 503
    end,
  },
}
local readers = traffic "readers" {
  to = api, op = "GET /order", rate = "100/s", timeout = "2s",
  keys = dist.zipf { n = 2000, skew = 0.8 },
}
local writers = traffic "writers" {
  to = api, op = "POST /order", rate = "40/s", timeout = "3s",
  keys = dist.zipf { n = 2000, skew = 0.8 },
}
local lost = fault.down { eu.zone.a, at = "3m", lasting = "2m" }

expect "no acknowledged order is lost" { always = db.lost_acks:equals(0) }
expect "nor overwritten unseen" { always = db.lost_updates:equals(0) }
expect "writes are good again a lease and a promotion later" {
  eventually = writers.errors.ratio:below "1%", after = lost, within = "35s", holding = "30s",
}
expect "reads go on meanwhile" { always = readers.success.ratio:above "50%", over = "10s" }
expect "in the end all follow" {
  eventually = db.lag.records:at_most(10), after = lost.ends, within = "1m", holding = "30s",
}
if mode == "leader" then
  expect "at most two stretches of the log are not in the other region" {
    always = db.rpo:at_most "2m",
  }
  expect "and what is there can be read" { at_end = db.drills.failed:equals(0) }
  expect "as was tried" { at_end = db.drills:at_least(3) }
end
