-- A standby that is away and has a slot: the primary keeps the log for it until its disk has no
-- room for the next segment, and stops with a PANIC (PostgreSQL's documentation, 26.2.6 and 28.6). 100
-- writes a second of 64 KiB are a segment every 2.56 s. Nothing is removed from 25 s on, when the
-- ninth is written, and 500 MB are 29 segments beside the first: the 39th is not to be had, at
-- 99.84 s. Who is promoted has no log for who was away. A slot that may keep 160 MiB keeps the
-- primary, and loses its standby. Started again by a supervisor, it stops again: its disk is full
-- until what it has is thrown away (rejoin = "rebuild").
local how = param("how", { "alone", "failover", "limited", "started again", "thrown away",
  "somebody else" })
scenario "A slot fills the disk" { duration = "150s" }
local is_many = how ~= "alone" and how ~= "somebody else"
local db = database "db" {
  nodes = 3, query_time = "1ms", restart = how ~= "alone" and how ~= "failover" and "always" or nil,
  failover = is_many and { detect = "5s", promote = "2s",
    rejoin = how == "thrown away" and "rebuild" or nil,
    size = how == "thrown away" and "1GB" or nil },
  wal = { slots = true, max_slot_wal_keep_size = how == "limited" and "160MiB" or nil },
  disk = { size = "10GB", used = how == "somebody else" and "1GB" or "9.5GB", latency = "100us" },
  checkpoint = { timeout = "20s", max_wal_size = "100GiB", record = "64KiB",
    full_page_writes = false, pages = 1000 },
}
local users = traffic "users" { to = db, op = "write x", rate = "100/s", arrivals = "constant" }
if how == "somebody else" then
  -- The disk is full for 20 s: the next segment is not to be had, now and each time it is started.
  fault.disk_full { db.node[1], at = "50s", lasting = "20s" }
  expect "it stops within a segment" { sometimes = db.wal.panics:at_least(1),
    during = { after = "50s", lasting = "3s" } }
  expect "and again, at once and 10 s later" { at_end = db.wal.panics:equals(3) }
  expect "until there is room" { eventually = users.success.ratio:equals(1), after = "70s",
    within = "30s", holding = "40s" }
else
  fault.kill { db.node[3], at = "25s", lasting = "120s" }
  if how == "limited" then
    expect "the primary goes on" { at_end = db.wal.panics:equals(0) }
    expect "without its standby" { at_end = db.standbys.lost:equals(1) }
  else
    expect "its disk is full" { sometimes = db.wal.panics:at_least(1),
      during = { after = "99s", lasting = "2s" } }
    expect "not sooner" { never = db.wal.panics:above(0),
      during = { after = "0s", lasting = "99s" } }
    expect "so often" { at_end = db.wal.panics:equals(
      ({ ["started again"] = 4, ["thrown away"] = 2 })[how] or 1) }
    expect "others lead" { at_end = db.failovers:equals(is_many and 1 or 0) }
  end
end
