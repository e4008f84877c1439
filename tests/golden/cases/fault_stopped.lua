-- A runbook ends what somebody has begun: a fault that is in force is over at once, whatever its
-- time would have been; one that is not is left alone.
scenario "A fault is stopped" { duration = "60s", warmup = "2s" }
local db = service "db" {}
local web = service "web" { calls = { call { db, timeout = "300ms" } } }
traffic "users" { to = web, rate = "50/s" }

local slow = fault.latency { link(web, db), add = "100ms", at = "10s", lasting = "40s" }
local gone = fault.kill { db, at = "30s" }
local late = fault.blackhole { db, at = "58s" }
local again = fault.latency {
  link(web, db), add = "120ms", at = "36s", every = "10s", lasting = "4s",
}

drive("operator", function()
  sleep "15s"
  assert(slow:stop())
  local ok, why = slow:stop()
  log("%s", why)
  ok, why = late:stop()
  log("%s", why)
  assert(not ok)
  sleep "17s"
  assert(gone:stop())
  local own = fault.pause { db.replica[1], lasting = "30s" }
  sleep "1s"
  assert(own:stop())
  sleep "4s"
  assert(again:stop()) -- this time; it comes again
end)

expect "its end is when it ended" {
  eventually = web.latency.p50:below "50ms", after = slow.ends, within = "2s", holding = "5s",
}
expect "it was slow" {
  always = web.latency.p50:above "100ms", during = { after = "11s", lasting = "3s" },
}
expect "and is not any more" {
  always = web.latency.p50:below "50ms", during = { after = "16s", lasting = "13s" },
}
expect "nobody answers while it is gone" {
  always = web.errors.ratio:above "90%", during = { after = "31s", lasting = "1s" },
}
expect "it is started again" {
  always = web.errors.ratio:below "1%", during = { after = "34s", lasting = "20s" },
}
expect "this once" {
  always = web.latency.p50:below "50ms", during = { after = "38s", lasting = "7s" },
}
expect "and not the next" {
  always = web.latency.p50:above "200ms", during = { after = "47s", lasting = "2s" },
}
