-- D01, what a commit waits for at each level of synchronous_commit: the stages are serial, since
-- the walsender ships only what is flushed at home. Local flush and standby flush 5 ms, standby
-- write 0.5 ms, apply 10 ms, round trips of 1 and of 70 ms. Expected, exactly: PostgreSQL's
-- documentation, runtime-config-wal, and its walsender (GetFlushRecPtr); the sums are arithmetic.
-- A model that ships before the local flush would say 6 and 75 ms for "on".
local trip = param("trip", { 1, 70 })
local level = param("level", { "async", "local", "remote_write", "on", "remote_apply", "quorum" })
local flush, write, apply = 5, 0.5, 10
local expected = ({
  async = 0, ["local"] = flush, remote_write = flush + trip + write, on = flush + trip + flush,
  remote_apply = flush + trip + flush + apply, quorum = flush + trip + flush,
})[level]

scenario "A commit takes what its level says" { duration = "30s", warmup = "1s" }

local box = host "box" {}
local db = database "db" {
  on = box, nodes = 3, query_time = "0s", commit = level, quorum = level == "quorum" and 2 or nil,
  wal_flush = flush .. "ms", standby_write = write .. "ms", apply_time = apply .. "ms",
  wal_writer_delay = "200ms",
}
link { db, db, latency = trip / 2 .. "ms" }
traffic "writers" {
  to = db, op = "write x", rate = "2/s", arrivals = "constant", timeout = "10s", beside = true,
}

expect "exactly" {
  always = db.latency.mean:between(math.max(0, expected - 0.001) .. "ms",
      expected + 0.001 .. "ms"),
  during = { after = "2s", lasting = "26s" },
}
expect "writes are made" { at_end = db.acked:at_least(50) }
expect "none is lost" { at_end = db.lost_acks:equals(0) }
