-- Where a drain empties a zone nothing new is placed either; while the control plane is down nothing
-- is decided, deployed or evicted; and a version's share is what its ready replicas serve.
scenario "Nothing is placed where it is drained" { duration = "10m" }

local eu = region "eu" { zones = { "a", "b" } }
local us = region "us" { zones = { "c", "d" } }
local function tier(name, place, options)
  local fields = { replicas = 4, spread = place, concurrency = 8, service_time = "5ms",
    startup = "5s", versions = { v1 = {}, v2 = {} }, version = "v1", rollout = {} }
  for key, value in pairs(options) do fields[key] = value end
  local s = service(name)(fields)
  traffic("users of " .. name) { to = s, rate = "20/s" }
  return s
end

local s = tier("s", eu, {})
fault.drain { eu.zone.a, at = "1m", lasting = "8m" }
drive("release into a drained zone", function() sleep "3m"; s:deploy "v2" end)
fault.down { eu.zone.a, at = "5m", lasting = "1m" }
expect "nobody of s is in zone a" {
  always = s.replicas.up:at_least(4), during = { after = "5m", lasting = "1m" },
}
expect "at first all is v1" {
  always = s:version("v1").share:equals "100%", during = { after = "10s", lasting = "2m" },
}
expect "then all is v2" {
  always = s:version("v2").share:equals "100%", during = { after = "4m", lasting = "5m" },
}
expect "and nothing v1" {
  always = s:version("v1").share:equals(0), during = { after = "4m", lasting = "5m" },
}

-- Nobody decides: what is under way stands still, and goes on afterwards.
local t = tier("t", us, { rollout = { max_unavailable = "50%" }, startup = "30s" })
drive("release before an outage", function()
  sleep "110s"
  t:deploy "v2"
  sleep "1m"
  log("%s, %s", t:deploy "v1")
end)
fault.control_plane_down { us, at = "2m", lasting = "4m" }
fault.drain { us.zone.c, at = "3m", lasting = "5m" }
expect "two of t serve on as they did" {
  always = t:version("v1").rate:above "1/s", during = { after = "2m", lasting = "4m" },
}
expect "no rollout ends" { never = t.deployed, during = { after = "2m", lasting = "4m" } }
expect "afterwards it does" { eventually = t.deployed, after = "6m", within = "2m" }
