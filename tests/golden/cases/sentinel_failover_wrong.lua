-- What cannot be moved, and how.
scenario "An operator asks for what is not there" { duration = "1m" }
local way = param("way", { "single", "mode", "node", "all" })
local redis = cache "redis" {
  nodes = 3, entries = 100, mode = way == "single" and "single" or "sentinel",
}
traffic "users" { to = redis, op = "set", rate = "20/s" }
if way == "single" then fault.failover { redis, at = "20s" } end
if way == "mode" then fault.failover { redis, mode = "force", at = "20s" } end
if way == "node" then fault.failover { redis.primary, to = 5, at = "20s" } end
if way == "all" then fault.pause { redis.sentinel, at = "20s", lasting = "10s" } end
expect "it answers" { at_end = redis.errors.ratio:below "1%" }
