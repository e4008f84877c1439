-- A drain that picks some of a place cordons the hosts of those alone: what leaves them stays in the
-- zone, and nothing comes back to them. Where two drains leave two of three zones, all goes to the
-- third; where they leave all zones, nothing has anywhere to go before one is over.
scenario "Drains leave each other's places alone" { duration = "10m" }

local eu = region "eu" { zones = { "a", "b" } }
local us = region "us" { zones = { "c", "d", "e" } }
local ap = region "ap" { zones = { "f", "g" } }
local function tier(name, place, replicas, options)
  local fields = { replicas = replicas, spread = place, concurrency = 8, service_time = "5ms",
    startup = "5s" }
  for key, value in pairs(options) do fields[key] = value end
  local s = service(name)(fields)
  traffic("users of " .. name) { to = s, rate = "20/s" }
  return s
end

-- One of two leaves its host, and not the zone; with the rest of the zone its new host is lost.
local s = tier("s", eu, 4, {})
fault.drain { eu.zone.a, pick = 1, at = "1m", lasting = "8m" }
fault.down { eu.zone.a, at = "3m", lasting = "30s" }
expect "both of zone a are still in zone a" {
  always = s.replicas.up:equals(2), during = { after = "181s", lasting = "28s" },
}

-- On a drained host nothing is placed, whoever starts it: its pod of the next set goes elsewhere.
local t = tier("t", eu, 4, { rollout = { strategy = "recreate" },
  versions = { v1 = {}, v2 = {} }, version = "v1" })
drive("release", function() sleep "5m"; t:deploy "v2" end)
expect "all of v2 are up" {
  always = t.replicas.up:equals(4), during = { after = "5m10s", lasting = "3m" },
}

local u = tier("u", us, 3, {})
fault.drain { us.zone.c, at = "1m", lasting = "8m" }
fault.drain { us.zone.d, at = "1m", lasting = "8m" }
fault.down { us.zone.e, at = "3m", lasting = "30s" }
expect "all of u are in zone e" {
  always = u.replicas.up:equals(0), during = { after = "181s", lasting = "28s" },
}

local v = tier("v", ap, 2, {})
fault.drain { ap.zone.f, at = "1m", lasting = "8m" }
fault.drain { ap.zone.g, at = "2m", lasting = "2m" }
expect "both of v are in zone g at first" {
  always = v.replicas.up:equals(2), during = { after = "80s", lasting = "40s" },
}
expect "then there is no place" {
  always = v.replicas.up:equals(0), during = { after = "122s", lasting = "1m50s" },
}
expect "until zone g has" { always = v.replicas.up:equals(2), during = { after = "4m10s" } }
