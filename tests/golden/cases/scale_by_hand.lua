-- An operator says how many replicas there are, as `kubectl scale` does. By hand they stay; where an
-- autoscaler looks after them, its next look has the last word: it has wanted two for its five
-- minutes, so eight are six too many at once. What a metric is now can be asked for.
local how = param("how", { "by hand", "followed" })
scenario "An operator scales a service" { duration = "8m", xfail = { how = "followed" } }

local eu = region "eu" {}
local web = service "web" {
  on = eu, replicas = 2, service_time = "1ms", cpu = 1,
  autoscale = how == "by hand" and { max = 8, startup = "5s", by_hand = true }
      or { min = 2, max = 8, startup = "5s", target_cpu = "50%" },
}
local users = traffic "users" { to = web, rate = "20/s" }

drive("operator", function()
  sleep "6m2s"
  log("%g are up, %g wanted, errors %g", web.replicas.up:value(), web.replicas.desired:value(),
    users.errors.ratio:value())
  assert(web.replicas.up:value() == 2 and users.errors.ratio:value() == 0)
  assert(web:scale(8))
  sleep "5500ms"
  assert(web.replicas.up:value() == 8, "a level is as it is now")
  sleep "500ms"
  sleep "10s"
  log("%g are up", web.replicas.up:value())
  fault.control_plane_down { eu, lasting = "10s" }
  sleep "1s"
  log("%s, %s", web:scale(4))
  sleep "10s"
  log("%s", web:scale(2))
end)

expect "eight are there when they were asked for" {
  always = web.replicas.up:equals(8), during = { after = "6m9s", lasting = "8s" },
}
expect "two are, and no others, at the end" { at_end = web.replicas.up:equals(2) }
expect "no user notices" { always = users.errors.ratio:equals "0%" }
