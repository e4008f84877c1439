-- A snapshot is work for its node's CPU, which requests share.
scenario "A snapshot takes its time" { duration = "20s", warmup = "2s" }
local slow = param("snapshot", { "none", "300ms" })
local etcd = consensus "etcd" {
  nodes = 3, cpu = 1, request_time = "3ms",
  snapshot = { every = 600, keep = 300, time = slow ~= "none" and slow or nil },
}
local users = traffic "users" { to = etcd, rate = "600/s" }
expect "snapshots are taken" { sometimes = etcd.snapshots:above(0) }
expect "nobody waits" { always = users.latency.p99:below "50ms" }
