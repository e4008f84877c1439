-- Taken back half-way: of the pods that go, those go first that have been ready for the shortest
-- time, so that none that is available goes for one that is not yet (ActivePodsWithRanks).
scenario "A rollout that is taken back" { duration = "3m" }
local web = service "web" { replicas = 5, service_time = "10ms",
  versions = { v1 = {}, v2 = {} }, version = "v1",
  rollout = { max_surge = "50%", max_unavailable = "34%", min_ready = "10s" } }
traffic "users" { to = web, rate = "20/s" }
drive("release", function() sleep "59s" web:deploy "v2" sleep "19s" web:deploy "v1" end)
expect "as many are available as must be" { always = web.replicas.available:at_least(4) }
expect "and it is back" { at_end = web:version("v1").share:equals "100%" }
