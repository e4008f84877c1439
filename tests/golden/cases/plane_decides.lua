-- A cluster's control plane that is down decides nothing: no rollout, scaling, eviction or start.
-- What was to be done is done when it is back. While most of it is there it decides.
scenario "A control plane decides while it is there" { duration = "10m" }

local function cluster(name)
  local at = region(name) { zones = { "a", "b", "c" }, node_lifecycle = {} }
  local plane = service("api of " .. name) { replicas = 3, spread = at, control_plane_of = at }
  local web = service("web of " .. name) { replicas = 3, spread = at, startup = "5s",
    rollout = {}, versions = { v1 = {}, v2 = {} }, version = "v1", disruption_budget = {
      max_unavailable = 1 } }
  local free = service("free of " .. name) { spread = at, concurrency = 4, service_time = "20ms",
    autoscale = { min = 1, max = 10, target_cpu = 0.5, startup = "5s" } }
  traffic("users of " .. tostring(web)) { to = web, rate = "20/s" }
  traffic("users of " .. tostring(free)) { to = free,
    rate = shape.steps { { "0s", "20/s" }, { "2m", "400/s" } } }
  drive("release in " .. name, function()
    sleep "80s"
    web:deploy "v2" -- it has just begun when the control plane dies
    sleep "1m"
    if name == "dead" then log("%s, %s", web:deploy "v1") end
  end)
  return at, plane, web, free
end

local down = { after = "90s", lasting = "4m50s" }
local _, dead, web, free = cluster "dead"
fault.kill { dead, at = "81s", lasting = "5m" }
expect "two of three serve on as they did" { always = web:version("v1").rate:above "1/s",
  during = down }
expect "nothing is deployed" { never = web.deployed, during = down }
expect "nothing is scaled" { always = free.replicas.desired:equals(1), during = down }
expect "it goes on when it is back" { eventually = web.deployed, after = "381s", within = "1m" }
expect "so does scaling" { sometimes = free.replicas.up:above(3) }

local _, hurt, other, more = cluster "hurt"
fault.kill { hurt.replica[1], at = "81s", lasting = "5m" }
expect "two of three deploy" { eventually = other.deployed, after = "81s", within = "1m" }
expect "and scale" { eventually = more.replicas.up:above(3), after = "2m", within = "2m" }

local _, rest, third, none = cluster "rest"
fault.kill { rest.replica[1], at = "81s", lasting = "5m" }
fault.kill { rest.replica[2], at = "81s", lasting = "5m" }
fault.evict { third, at = "2m", pick = "one" }
expect "one of three deploys nothing" { never = third.deployed, during = down }
expect "nor evicts" { always = third.replicas.ready:at_least(3), during = down }
expect "but later" { eventually = third.replicas.ready:below(3), after = "381s", within = "3m" }
expect "nor scales" { always = none.replicas.desired:equals(1), during = down }
