-- A primary is back before anybody has missed it (redis.io, "Safety of replication when master has
-- persistence turned off"): without files it is empty, and its replicas copy that; with them all is
-- there. It reads them at 100 KiB/s, and answers 503 (LOADING) meanwhile.
local mode = param("mode", { "sentinel", "cluster" })
local has_files = param("has_files", { false, true })
scenario "A primary is soon back" { duration = "60s", warmup = "2s" }
local redis = cache "redis" {
  entries = 100000, restart = "always", mode = mode, nodes = mode == "cluster" and 6 or 3,
  cluster = mode == "cluster" and { replicas = 1 } or nil, value_size = "100B",
  persistence = has_files and { appendonly = true, load_rate = "100KiB/s" } or nil,
}
local users = traffic "users" { to = redis, op = "set", rate = "200/s", timeout = "1s",
                                keys = dist.zipf { n = 100000, skew = 0 } }
local kill = fault.kill { redis.node[1], at = "28500ms" }
expect "nobody else leads" { never = redis.failovers:above(0) }
if has_files then
  expect "nothing is lost" { never = redis.lost_acks:above(0) }
  expect "it loads for a while" { sometimes = users.errors.ratio:above "10%" }
  expect "and serves" { eventually = users.errors.ratio:equals "0%", after = kill, within = "8s",
                        holding = "10s" }
else
  expect "its keys are" { at_end = redis.lost_acks:above(mode == "cluster" and 1500 or 5000) }
end
