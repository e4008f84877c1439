-- What a rollout finds and leaves: versions that come back, pods that were long up, places that a
-- fault holds, pods that were on their way elsewhere, and faults that bring versions out one over
-- the other.
scenario "Versions come and go" { duration = "12m" }

local eu = region "eu" { zones = { "a", "b" } }
local function tier(name, options)
  local fields = { replicas = 4, concurrency = 8, service_time = "5ms", startup = "5s",
    versions = { v1 = {}, v2 = {}, v3 = {} }, version = "v1", rollout = {} }
  for key, value in pairs(options) do fields[key] = value end
  local s = service(name)(fields)
  traffic("users of " .. name) { to = s, rate = "50/s" }
  return s
end

-- Two bad deploys over each other: what is left at the end is what the scenario deployed.
local over = tier("over", {})
fault.bad_deploy { over, version = "v2", at = "1m", lasting = "2m" }
fault.bad_deploy { over, version = "v3", at = "2m", lasting = "2m" }
expect "v3 stays while its fault is active" {
  always = over:version("v3").rate:above "10/s", during = { after = "3m", lasting = "1m" },
}
expect "over is rolled back to what the scenario deployed" {
  always = over:version("v1").rate:above "10/s", during = { after = "5m", lasting = "7m" },
}

-- The same version twice: the first one's end is no rollback.
local twice = tier("twice", {})
fault.bad_deploy { twice, version = "v2", at = "1m", lasting = "2m" }
fault.bad_deploy { twice, version = "v2", error_ratio = "50%", at = "2m", lasting = "3m" }
expect "the second is active" {
  always = twice:version("v2").rate:above "10/s", during = { after = "2m", lasting = "3m" },
}
expect "then none is" {
  always = twice:version("v2").rate:equals "0/s", during = { after = "6m", lasting = "6m" },
}

-- The scenario's own deploy has the last word.
local own = tier("own", {})
fault.bad_deploy { own, version = "v2", at = "1m", lasting = "3m" }
drive("own release", function() sleep "2m"; own:deploy "v3" end)
expect "what the scenario deploys stays" {
  always = own:version("v3").rate:above "10/s", during = { after = "3m", lasting = "9m" },
}

-- Those of the beginning have long been up.
local long = tier("long", { rollout = { min_ready = "60s" } })
drive("early release", function() sleep "10s"; long:deploy "v2" end)
expect "three of long are available from the beginning" {
  always = long.replicas.available:at_least(3),
}

-- A version that comes back while its pods end is what it was: nobody waits for them.
local back = tier("back", { pre_stop = "60s", grace_period = "90s",
  rollout = { strategy = "recreate" } })
drive("back and forth", function() sleep "1m"; back:deploy "v2"; sleep "5s"; back:deploy "v1" end)
expect "v1 is back after its start-up" { eventually = back.deployed, after = "65s", within = "6s" }

-- A place that a fault holds down is left out while others are free.
local held = tier("held", { rollout = { max_surge = 1, max_unavailable = 0 } })
fault.stop { held.replica[1], at = "30s", lasting = "11m" }
drive("releases beside a fault", function()
  sleep "1m"
  held:deploy "v2"
  sleep "1m"
  held:deploy "v3"
end)
expect "v3 of held is deployed" { eventually = held.deployed, after = "2m", within = "1m" }

-- Who is evicted and then replaced has no successor: the next pod in its place starts from anew.
local moved = tier("moved", { spread = eu, startup = "40s", pre_stop = "20s",
  rollout = { max_surge = 0, max_unavailable = 4 } })
fault.evict { moved, at = "1m", lasting = "1m" }
drive("releases over an eviction", function()
  sleep "65s"
  moved:deploy "v2"
  sleep "5m"
  moved:deploy "v3"
end)
expect "each pod takes its start-up" {
  always = moved.replicas.available:equals(0), during = { after = "366s", lasting = "38s" },
}

-- A pod between two crashes that is replaced leaves no back-off to the next in its place.
local loop = tier("loop", { restart = "always", rollout = { max_surge = 0, max_unavailable = 1 } })
fault.crash_loop { loop.replica[1], life = "5s", at = "1m", lasting = "3m" }
drive("release over a crash loop", function() sleep "230s"; loop:deploy "v2"; sleep "1m"
  loop:deploy "v3"; sleep "1m"; loop:deploy "v2" end)
expect "loop is whole" { always = loop.replicas.up:equals(4), during = { after = "7m" } }
