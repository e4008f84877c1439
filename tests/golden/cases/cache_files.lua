-- What of a cache is there after its end, by what it keeps on its disk (redis.io, "Redis persistence":
-- with everysec "you may lose 1 second of data"). A process alone takes nothing that the system has;
-- the power takes what was not flushed: of 200 writes a second a second's at most, which is what one
-- flush a second leaves; with a snapshot each 10 s what came since it began.
local files = param("files", { "none", "always", "everysec", "no", "save" })
local ends = param("ends", { "process", "power" })
scenario "A cache ends" { duration = "50s", warmup = "2s" }
local KEPT = {
  always = { appendonly = true, appendfsync = "always" }, everysec = { appendonly = true },
  no = { appendonly = true, appendfsync = "no" }, save = { save = "10s" },
}
local redis = cache "redis" { entries = 100000, restart = "always", persistence = KEPT[files],
                              disk = KEPT[files] and { latency = "2ms" } }
traffic "users" { to = redis, op = "set", rate = "200/s", timeout = "1s",
                  keys = dist.zipf { n = 100000, skew = 0 } }
if ends == "process" then
  fault.kill { redis, at = "28500ms" }
else
  fault.down { redis, at = "28500ms", lasting = "2s" }
end
local most = files == "none" and 1e9 or files == "always" and 0 or files == "save" and 10 * 200
             or ends == "process" and 0 or files == "everysec" and 200 or 1e9
expect "no more is lost than that" { never = redis.lost_acks:above(most * 1.1) }
if most == 1e9 then expect "nearly all is" { at_end = redis.lost_acks:above(4000) } end
if files == "save" or files == "everysec" and ends == "power" then
  expect "and something is" { at_end = redis.lost_acks:at_least(1) }
end
