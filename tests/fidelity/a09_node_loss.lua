-- A09: kubelets renew leases every 10 s, the node controller looks every 5 s and waits for a grace
-- of 40 s (50 s since 1.32): a node is NotReady 40 to 45 s (50 to 55 s) after it was last heard of,
-- and its pods are deleted after a toleration of 300 s more, 340 to 345 s (350 to 355 s). Heard of
-- to the instant of its loss (`renew` 0s), these are the times since the loss; with leases every
-- 10 s it is up to 10 s less. Who calls by endpoints waits for its timeouts until NotReady.
-- Source: kube-controller-manager's reference (node-monitor-period, node-monitor-grace-period) and
-- kubernetes.io, "Taints and Tolerations", taint based evictions. unit/test_nodes.c has the times
-- of many nodes, and how fast a zone's are evicted.
local grace, renew = param("grace", { "40s", "50s" }), param("renew", { "0s", "10s" })
local probed = param("readiness", { "no", "yes" }) == "yes" -- whose kubelet is lost with the node

scenario "Replicas of a lost node serve elsewhere when Kubernetes lets them" { duration = "8m" }

local eu = region "eu" { zones = { "a", "b", "c" },
  node_lifecycle = { monitor_grace = grace, lease_renew = renew } }
local api = service "api" { replicas = 6, spread = eu, service_time = "1ms",
  readiness = probed and { period = "5s" } or nil }
local users = traffic "users" { to = api, rate = "60/s", arrivals = "constant", timeout = "100ms",
  health = { by = "endpoints" } }

local LOSS = dur("60s")
fault.down { api.replica[2], at = LOSS }

local unready = dur(grace) - dur(renew) -- at the earliest

expect "a sixth of the requests fails until the node is not ready" {
  always = users.errors.ratio:between("15%", "18%"),
  during = { after = LOSS + dur("1s"), lasting = unready - dur("2s") },
}
expect "none does from then on" {
  always = users.errors.ratio:equals(0),
  during = { after = LOSS + dur(grace) + dur("7s"), lasting = "5m" },
}
expect "five serve until its pods are deleted" {
  always = api.replicas.ready:equals(5),
  during = { after = LOSS + dur("1s"), lasting = unready + dur("298s") },
}
expect "six do when they are" {
  eventually = api.replicas.ready:equals(6), after = LOSS + dur(grace) + dur("300s"),
  within = probed and "13s" or "7s", holding = "60s",
}
