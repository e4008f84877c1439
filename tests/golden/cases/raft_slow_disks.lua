-- etcd's election storms: while a disk flushes its node says nothing, so that a flush that takes
-- longer than an election timeout (1 s to 2 s) ends a leader. With flushes of 10 ms, etcd's advice
-- for their 99th percentile, nobody notices; where they vary about 1.5 s, leaders come and go until
-- the disks are quick again.
local each = param("each", { "10ms", "1500ms" })
scenario "Slow disks make leaders come and go" { duration = "2m", warmup = "1s" }

local etcd = consensus "etcd" { nodes = 3 }
traffic "writers" { to = etcd, op = "put", rate = "20/s", arrivals = "constant", timeout = "5s" }
fault.disk_latency {
  etcd, add = each == "10ms" and each or dist.exponential { mean = each },
  at = "10s", lasting = "1m",
}

if each == "10ms" then
  expect "nobody notices" { always = etcd.errors.ratio:equals(0) }
  expect "no election" { at_end = etcd.elections:equals(0) }
else
  expect "a storm of elections" { at_end = etcd.elections:at_least(5) }
  expect "and of errors" { sometimes = etcd.errors.ratio:above "50%" }
end
expect "it recovers" {
  eventually = etcd.errors.ratio:below "0.1%", after = "70s", within = "20s", holding = "20s",
}
