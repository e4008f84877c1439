-- Write amplification by full_page_writes: who changes a page first since a checkpoint began logs
-- all of it, 8192 bytes (PostgreSQL's documentation, 30.5 and full_page_writes; xlog.c). Of P =
-- 2000 pages W uniformly drawn writes touch P (1 - (1 - 1/P)^W), so 100 writes a second log in T
-- seconds
--
--   W (128 + 8192 P/W (1 - (1 - 1/P)^W)) bytes, W = 100 T
--
-- which is 7.4 kB for each of the 100 writes with T = 5 (58 times its own bytes), 5.3 kB with 20
-- and 2.7 kB with 60. A checkpoint comes sooner when max_wal_size /
-- 1.9 bytes are written (CalculateCheckpointSegments). Flushes take their bytes' time: 8320 bytes
-- at 8.32 MB/s are 1 ms, 128 are 15 us.
local every = param("every", { 5, 20, 60 })
local pages, rate, seconds = 2000, 100, 600
local writes = rate * every
local touched = pages * (1 - (1 - 1 / pages) ^ writes)
local bytes = (writes * 128 + 8192 * touched) / every * seconds

scenario "Checkpoints make the log longer" { duration = "601s" }

-- Each write has a key of its own, and keys lie on pages by a hash.
local db = database "db" {
  query_time = "0s", disk = { latency = "100us", iops = 5000 },
  checkpoint = { timeout = every .. "s", pages = pages, bandwidth = "8.32MB/s" },
}
local small = database "small" {
  query_time = "0s",
  checkpoint = { timeout = "1h", pages = 100000, max_wal_size = "1.9MB", record = "1kB",
    full_page_writes = false },
}
traffic "writers" { to = db, op = "write x", rate = rate .. "/s", arrivals = "constant",
  beside = true }
traffic "others" { to = small, op = "write x", rate = "100/s", arrivals = "constant",
  beside = true }

expect "the log is as long as the formula says, but for chance" {
  at_end = db.wal.bytes:between(("%dB"):format(bytes * 0.985 // 1),
      ("%dB"):format(bytes * 1.015 // 1)),
}
expect "whole pages are what is touched first" {
  at_end = db.wal.full_pages:between(touched / every * seconds * 0.98,
      touched / every * seconds * 1.02),
}
expect "checkpoints come when it is time" { at_end = db.checkpoints:between(600 // every - 1,
    600 // every + 1) }
expect "and write what was changed, the last but in part" {
  at_end = db.checkpoints.pages:between(touched * (600 // every - 2), touched * (600 // every + 1)),
}
expect "1 MB of log is 10 s of it" { at_end = small.checkpoints.requested:between(59, 61) }
expect "a first touch waits for its page" {
  at_end = db.latency.max:between("1ms", "6ms"),
}
