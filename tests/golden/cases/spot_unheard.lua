-- A machine is reclaimed while the control plane is down: who would drain it asks the API and gets
-- no answer. Replicas serve until their kubelet ends them, 30 s before the machine goes; then they
-- refuse, then nobody answers for them, and callers who were told nothing go on asking. When the
-- control plane is back they are placed elsewhere. With it they move at the notice.
local plane = param("plane", { "up", "down", "back in time" })

scenario "A spot interruption without a control plane" { duration = "10m" }

local eu = region "eu" { zones = { "a", "b", "c" }, node_lifecycle = {} }
local api = service "api" { replicas = 3, on = eu.zone.b, control_plane_of = eu }
local web = service "web" { replicas = 3, spread = eu, startup = "5s", endpoint_delay = "1s",
  pre_stop = "2s" }
local users = traffic "users" { to = web, rate = "60/s", timeout = "1s",
  health = { by = "endpoints" } }

local lasting = { down = "6m", ["back in time"] = "90s" }
if lasting[plane] then fault.kill { api, at = "1m", lasting = lasting[plane] } end
local spot = fault.spot_interruption { eu.zone.a, at = "2m", lasting = "7m" }

if plane == "up" then
  expect "it moves at the notice" { eventually = web.replicas.ready:below(3), after = spot,
    within = "2s" }
  expect "nobody notices" { always = users.errors.ratio:equals "0%" }
  expect "and soon all are there" { eventually = web.replicas.ready:equals(3), after = spot,
    within = "20s", holding = "6m" }
elseif plane == "down" then
  expect "it serves on" { always = web.replicas.ready:equals(3),
    during = { after = spot, lasting = "85s" } }
  expect "refuses while it ends" { always = users.errors.ratio:between("20%", "45%"),
    during = { after = "213s", lasting = "26s" } }
  expect "at once" { always = users.latency.p99:below "100ms",
    during = { after = "213s", lasting = "26s" } }
  expect "then nobody answers" { always = users.latency.p99:above "900ms",
    during = { after = "243s", lasting = "175s" } }
  expect "until somebody decides" { eventually = users.errors.ratio:equals "0%", after = "7m",
    within = "20s", holding = "1m" }
else
  expect "it serves on" { always = web.replicas.ready:equals(3),
    during = { after = spot, lasting = "25s" } }
  expect "and moves when the API answers" { eventually = web.replicas.ready:below(3),
    after = "150s", within = "10s" }
  expect "nobody notices" { always = users.errors.ratio:equals "0%" }
end
