-- D17, below its limit the lock of a row is an M/D/1 queue: writes that hold it for 5.5 ms each and
-- come half as often as it lets through wait 0.5 / (2 (1 - 0.5)) of 5.5 ms, 2.75 ms, on average
-- (Pollaczek, Khinchine).
scenario "A row's lock is a queue of one server" { duration = "40m", warmup = "10s" }

local db = database "db" { query_time = "500us", disk = { latency = "5ms" } }
traffic "all" { to = db, op = "write row", keys = dist.zipf { n = 1, skew = 1 }, rate = "90.909/s" }

expect "the mean wait for the lock" { at_end = db.locks.wait:between("2.68ms", "2.82ms") }
