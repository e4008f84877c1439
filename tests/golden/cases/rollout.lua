-- A version replaces another as a Kubernetes Deployment has it: new replicas start beside the old
-- ones, become ready, and only then do old ones go, ever between the fenceposts. What is never
-- ready, ends as it starts or has no image holds it up, and the old ones serve on.
scenario "Versions are rolled out" { duration = "20m" }

local function tier(name, options)
  local fields = { replicas = 4, concurrency = 8, service_time = "5ms", startup = "10s",
    readiness = { period = "5s" }, grace_period = "30s", pre_stop = "2s", endpoint_delay = "1s",
    versions = { v1 = {}, v2 = { service_time = "4ms" }, deaf = { fails = "readiness" },
      crash = { fails = "start" }, gone = { fails = "image" } }, version = "v1", rollout = {} }
  for key, value in pairs(options) do fields[key] = value end
  local s = service(name)(fields)
  local users = traffic("users of " .. name) { to = s, rate = "50/s" }
  return s, users
end

-- A good one, the same again, and none of the requests fails.
local good, good_users = tier("good", {})
drive("release", function()
  sleep "1m"
  good:deploy "v2"
  wait_until(good.deployed)
  log("replicas %s, updated %s", good.replicas.up, good.replicas.updated)
  sleep "5m"
  good:deploy "v2" -- is there: nothing happens
  sleep "1m"
  good:deploy()    -- the same again
end)
expect "never more than 5, never fewer than 3 available" {
  always = good.replicas.available:at_least(3),
}
expect "v2 is deployed" { eventually = good.deployed, after = "1m", within = "2m" }
expect "all is v2 at the end" { always = good:version("v2").rate:above "0/s",
  during = { after = "10m", lasting = "9m" } }
expect "v1 is gone" { always = good:version("v1").rate:equals "0/s",
  during = { after = "10m", lasting = "9m" } }
expect "no request of a good release fails" { never = good_users.errors.ratio:above "0%" }

-- Bad ones stop where they begin: of 4 one may be missing and one may be more.
local bad = {}
for _, how in ipairs { "deaf", "crash", "gone" } do
  local s, users = tier(how, { rollout = { progress_deadline = "2m" } })
  bad[how] = s
  drive("release of " .. how, function()
    sleep "1m"
    s:deploy(how)
    sleep "6m"
    s:deploy "v1" -- rolled back by hand
  end)
  expect("three of " .. how .. " serve on") { always = s.replicas.available:at_least(3) }
  expect(how .. " stalls") { eventually = s.stalled, after = "1m", within = "3m" }
  expect(how .. " is rolled back") { eventually = s.deployed, after = "7m", within = "1m" }
  expect("no request of " .. how .. " fails") { never = users.errors.ratio:above "0%" }
end

-- max_unavailable = 0: all old ones stay until a new one is ready.
local careful, careful_users = tier("careful", { rollout = { max_surge = 1, max_unavailable = 0,
  min_ready = "20s" } })
drive("careful release", function() sleep "1m"; careful:deploy "v2" end)
expect "four are always available" { always = careful.replicas.available:at_least(4) }
expect "each takes min_ready and more" { never = careful.deployed, during = { after = "1m",
  lasting = "2m" } }
expect "careful is deployed" { eventually = careful.deployed, after = "1m", within = "4m" }
expect "no request of a careful release fails" { never = careful_users.errors.ratio:above "0%" }

-- All at once, as recreate does it: for a while nobody serves.
local anew = tier("anew", { rollout = { strategy = "recreate" } })
drive("recreate", function() sleep "1m"; anew:deploy "v2" end)
expect "for a while there is none" { sometimes = anew.replicas.available:equals(0) }
expect "then all are" { eventually = anew.deployed, after = "1m", within = "1m" }

-- A fault brings a bad one out, and its end is the rollback.
local hit = tier("hit", { rollout = { progress_deadline = "1m" } })
fault.bad_deploy { hit, version = "deaf", at = "2m", lasting = "3m" }
expect "hit is rolled back" { eventually = hit.deployed, after = "5m", within = "1m" }
