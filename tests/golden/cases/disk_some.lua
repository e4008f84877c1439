-- Of a disk's operations some are slow, as IOChaos' percent and methods have it: a share, each by its
-- own draw, and of the kinds that are named. What is spared is as fast as ever.
scenario "A third of the writes is slow" { duration = "3m", warmup = "10s" }

local db = database "db" { disk = { latency = "100us", miss_ratio = "100%" } }
local writers = traffic "writers" { to = db, op = "write x", rate = "100/s" }
local readers = traffic "readers" { to = db, op = "read x", rate = "100/s" }

local third = fault.disk_latency { db, add = "200ms", ratio = "33%", operations = { "write" },
    at = "1m", lasting = "1m" }

expect "readers do not notice" { always = readers.latency.p99:below "50ms" }
expect "half of the writers neither" { always = writers.latency.p50:below "50ms" }
expect "a tenth does" { always = writers.latency.p90:above "200ms", during = third }
expect "nine tenths do not" { always = writers.latency.p90:below "50ms", during = third }
