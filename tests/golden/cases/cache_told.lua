-- Redis that is told to end writes what it has: with `save` a last snapshot, at 100 kB a second here,
-- so that five seconds' grace are not enough for some 700 kB and what came since the last one is lost;
-- with an append-only file a flush, so that the power may go a moment later (SHUTDOWN).
local files = param("files", { "save", "append" })
local grace = param("grace", { "30s", "5s" })
scenario "A cache is told to end" { duration = "60s", warmup = "2s" }
local redis = cache "redis" {
  entries = 100000, restart = "always", disk = { latency = "2ms" }, value_size = "100B",
  persistence = files == "save" and { save = "10s", save_rate = "0.1MB/s" }
                or { appendonly = true, appendfsync = "no" },
}
local users = traffic "users" { to = redis, op = "set", rate = "250/s", timeout = "1s",
                                keys = dist.zipf { n = 100000, skew = 0 } }
fault.stop { redis, at = "28500ms", graceful = grace, lasting = "20s" }
fault.down { redis, at = "40s", lasting = "5s" }
if files == "save" and grace == "5s" then
  expect "it is not done in time" { at_end = redis.lost_acks:above(100) }
else
  expect "nothing is lost" { never = redis.lost_acks:above(0) }
end
expect "it is back" { at_end = redis.entries:above(6000) }
