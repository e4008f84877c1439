-- Redis beside a disk that stalls, fills up, fails or lies. Under a flush of 5 s writes go on for the
-- first two and then nobody is answered until it ends (flushAppendOnlyFile): 3 s at most. Who cannot
-- write his files takes no writes and goes on reading (MISCONF); with "always" he ends himself.
local what = param("what", { "stalls", "is_full", "is_full_for_snapshots", "fails", "lies" })
scenario "A cache's disk" { duration = "60s", warmup = "2s" }
local saves = what == "is_full_for_snapshots"
local redis = cache "redis" {
  entries = 100000, restart = "always", disk = { latency = "2ms" },
  persistence = { appendonly = not saves, save = saves and "5s" or nil,
                  appendfsync = what == "fails" and "always" or nil },
}
local writers = traffic "writers" { to = redis, op = "set", rate = "200/s", timeout = "10s",
                                    keys = dist.zipf { n = 100000, skew = 0 } }
local readers = traffic "readers" { to = redis, op = "exists", rate = "20/s", timeout = "10s" }
local BROKEN = {
  stalls = function() return fault.disk_freeze { redis, at = "20s", lasting = "5s" } end,
  is_full = function() return fault.disk_full { redis, at = "20s", lasting = "10s" } end,
  fails = function() return fault.disk_error { redis, at = "20s", lasting = "5s" } end,
  lies = function() return fault.fsync_lie { redis, at = "20s", lasting = "15s" } end,
}
local broken = (BROKEN[what] or BROKEN.is_full)()
if what == "lies" then fault.down { redis, at = "30500ms", lasting = "1s" } end

if what == "stalls" then
  expect "nobody waits longer" { never = writers.latency.max:above "3100ms" }
  expect "but so long" { sometimes = writers.latency.max:above "2900ms" }
  expect "readers too" { sometimes = readers.latency.max:above "2900ms" }
  expect "nothing is lost" { never = redis.lost_acks:above(0) }
elseif what:find "full" then
  expect "no writes" { always = writers.errors.ratio:equals "100%",
                       during = { after = "22s", lasting = "7s" } }
  expect "reads" { always = readers.errors.ratio:equals "0%" }
  expect "writes again" { eventually = writers.errors.ratio:equals "0%", after = broken.ends,
                          within = "6s", holding = "10s" }
elseif what == "fails" then
  expect "it ends" { sometimes = readers.errors.ratio:above "50%" }
  expect "nothing is lost" { never = redis.lost_acks:above(0) }
else
  expect "ten seconds are lost" { at_end = redis.lost_acks:between(1900, 2400) }
  expect "and known beforehand" { sometimes = redis.unflushed:above(1900) }
end
