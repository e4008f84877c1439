local wrong = param("wrong", { "disk", "nothing", "fsync", "changes" })
scenario "What a cache cannot keep" { duration = "10s" }
local WRONG = {
  disk = { entries = 10, disk = { latency = "1ms" } },
  nothing = { entries = 10, persistence = { load_rate = "1MB/s" } },
  fsync = { entries = 10, persistence = { save = "1s", appendfsync = "no" } },
  changes = { entries = 10, persistence = { appendonly = true, save_changes = 3 } },
}
local redis = cache "redis"(WRONG[wrong])
traffic "users" { to = redis, rate = "1/s" }
expect "it is used" { sometimes = redis.entries:at_least(0) }
