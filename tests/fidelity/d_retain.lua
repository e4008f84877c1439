-- Which of its log a primary keeps (PostgreSQL's documentation, 26.2.5, 26.2.6, wal_keep_size and
-- max_slot_wal_keep_size; xlog.c, KeepLogSeg). 100 writes a second of 64 KiB each are a segment of
-- 16 MiB every 2.56 s. A checkpoint begins every 20 s and writes pages for 0.9 of that: what lies
-- before its beginning is removed 18 s later. A standby that is killed at 25 s needs what was
-- written then: the checkpoint of 40 s ends at 58 s and removes it, so that one that is back at
-- 55 s follows and one that is back at 65 s does not, unless
--
--   a slot keeps it, which is then (t - 25 s) / 2.56 s segments at t and grows
--   wal_keep_size does: 480 MiB are 30 segments, 76.8 s
--   it is archived
--
-- A slot that may keep 160 MiB, 10 segments, keeps it until the first checkpoint that ends more
-- than 25.6 s later, which is at 58 s.
local how = param("how", { "none", "soon back", "slots", "limited slots", "keep", "archive",
  "copied" })

scenario "Standby away, log removed" { duration = "100s" }

local WAL = {
  none = {}, ["soon back"] = {}, slots = { slots = true },
  ["limited slots"] = { slots = true, max_slot_wal_keep_size = "160MiB" },
  keep = { wal_keep_size = "480MiB" }, archive = {},
  copied = { copy = { after = "20s", size = "1GB", rate = "200MB/s" } },
}
local archive = service "archive" {}
local db = database "db" {
  nodes = 2, query_time = "1ms", failover = false, wal = WAL[how],
  checkpoint = { timeout = "20s", max_wal_size = "100GiB", record = "64KiB",
    full_page_writes = false, pages = 1000 },
  backup = how == "archive" and { full = "1h", archive = "1s", to = archive } or nil,
}
traffic "writers" { to = db, op = "write x", rate = "100/s", arrivals = "constant", beside = true }
fault.kill { db.node[2], at = "25s", lasting = how == "soon back" and "30s" or "40s" }

-- From the beginning of one checkpoint to the end of the next, 38 s, and the one that is written.
local usual = 38 / 2.56 + 2
local is_lost = how == "none" or how == "limited slots" or how == "copied"
if is_lost then
  expect "the checkpoint that ends at 58 s removes it" { at_end = db.standbys.lost:equals(1) }
  expect "not sooner" { never = db.standbys.lost:above(0),
    during = { after = "0s", lasting = "57s" } }
else
  expect "it finds what it needs" { at_end = db.standbys.lost:equals(0) }
end
if how == "none" or how == "limited slots" then
  expect "and does not follow any more" { at_end = db.lag.records:above(7000) }
else
  expect "and follows" { at_end = db.lag.records:below(3) }
end
if how == "slots" then
  expect "the slot keeps 40 s more" {
    sometimes = db.wal.kept:at_least(("%dMiB"):format(16 * (40 / 2.56 // 1))) }
  expect "and gives it back" { at_end = db.wal.kept:at_most(("%dMiB"):format(16 * usual // 1)) }
elseif how == "keep" then
  expect "30 segments and the one that is written" { at_end = db.wal.kept:at_least "496MiB" }
  expect "and no more than come between two checkpoints" { never = db.wal.kept:above "656MiB" }
else
  expect "no more than two checkpoints" {
    never = db.wal.kept:above(("%dMiB"):format(16 * usual // 1)) }
end
