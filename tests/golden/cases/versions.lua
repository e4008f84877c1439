-- Versions: what each of them serves is what the route gives it, worse versions show, and a route
-- that makes no sense is refused where it is made.
scenario "Builds share a service by their routes" { duration = "1m", warmup = "1s" }

local api = service "api" {
  replicas = 2, cpu = 64, concurrency = 64, service_time = "4ms", error_ratio = "10%",
  versions = {
    v1 = { error_ratio = 0 },
    v2 = { service_time = "9ms", cpu_time = "1ms" },       -- errors as the service's: 10 %
    v3 = { error_ratio = "50%" },                          -- times as the service's
  },
  version = "v1",
}
traffic "users" { to = api, rate = "1000/s" }

local function said(why) return (why:gsub("^versions%.lua:%d+: ", "")) end -- where, and what

drive("operator", function()
  sleep "10s"
  api:route { v2 = "20%", v3 = 0.05 }
  sleep "20s"
  api:route { v2 = "100%" }
  sleep "10s"
  api:route { v1 = "30%" }                                 -- the rest is its anyway
  sleep "10s"
  for _, wrong in ipairs { { v2 = "90%", v1 = "20%" }, { v4 = "5%" }, { v2 = 5 }, { v2 = "5ms" } } do
    local ok, why = pcall(function() api:route(wrong) end)
    mark(ok and "accepted" or said(why))
  end
  local _, why = pcall(function() api:route "v2" end)
  mark(said(why))
end)

local routed = { after = "11s", lasting = "18s" }
local whole  = { after = "31s", lasting = "8s" }
expect "a fifth goes to v2" { always = api:version("v2").rate:between("150/s", "250/s"), during = routed }
expect "the weight of v2 is exact" { always = api:version("v2").share:equals "20%", during = routed }
expect "a twentieth goes to v3" { always = api:version("v3").rate:between("25/s", "75/s"), during = routed }
expect "v3 is wrong half of the time" {
  always = api:version("v3").errors.ratio:between("40%", "60%"), during = routed, over = "10s",
}
expect "v2 is wrong as often as the service is" {
  always = api:version("v2").errors.ratio:between("8%", "12%"), during = routed, over = "10s",
}
expect "v1 is never wrong" { always = api:version("v1").errors.ratio:equals(0) }
expect "v2 takes its own time" { always = api:version("v2").latency.p50:between("8.9ms", "9.1ms") }
expect "v3 takes the service's time" { always = api:version("v3").latency.p50:between("3.9ms", "4.1ms") }
expect "all of it goes to v2" { always = api:version("v1").rate:equals "0/s", during = whole }
expect "the others have their route again" { at_end = api:version("v1").share:equals "100%" }

local REFUSALS = {
  "route: the shares of api add up to 110%, at most 100% is there",
  'route: service "api" has no version "v4"; its versions are v1 v2 v3',
  "route: share of v2: a share lies between 0 and 1, or 0% and 100%, got 5",
  'route: share of v2: "5ms" is not a share',
  'route takes shares by version, got "v2": write api:route { v2 = "5%" }',
}
for i, text in ipairs(REFUSALS) do
  expect("refusal " .. i .. " says: " .. text) { sometimes = happened(text) }
end
expect "nothing wrong is accepted" { never = happened "accepted" }
