-- A zone loses a node for good. Whoever called the replicas there by kube-proxy waits for timeouts
-- until the node controller finds it not ready; what is left serves with less until the pods are
-- deleted and their successors are up, five minutes later; a database's node waits for its own.
--
-- Numbers to reproduce: not ready 40 to 55 s after the loss (leases every 10 s, a look every 5 s, a
-- grace of 50 s), deleted 300 s later, up after 10 s of start-up: 350 to 365 s. kubernetes.io,
-- "Nodes" and "Taints and Tolerations".
local tolerates = param("tolerates", { "5m", "30s" })

scenario "The loss of a node is over within a minute and a half" {
  about = "Kubernetes' node loss with its defaults, and with a toleration of 30 s: how long until "
    .. "callers are spared, and until the capacity is back.",
  tags     = { "kubernetes", "node-loss", "capacity" },
  duration = "10m",
  warmup   = "30s",
  xfail    = { tolerates = "5m" },
}

local eu = region "eu-west-1" { zones = { "a", "b", "c" },
  node_lifecycle = { toleration = tolerates } }

local db = database "orders-db" { engine = "postgres", nodes = 2, spread = eu, query_time = "1ms" }

-- A replica does 100 requests a second, six of them 600; 400 are asked for.
local api = service "api" { replicas = 6, spread = eu, cpu = 1, concurrency = 100,
  queue = { max = 100 }, service_time = dist.exponential { mean = "10ms" }, startup = "10s",
  endpoint_delay = dist.uniform { from = "200ms", to = "2s" }, pre_stop = "2s",
  calls = { call { db, "read order", timeout = "500ms" } } }

local users = traffic "users" { to = api, rate = "400/s", timeout = "1s",
  health = { by = "endpoints" } }

local loss = fault.down { api.replica[2], at = "1m" }

expect "callers are spared within a minute" {
  eventually = users.errors.ratio:below "0.1%", after = loss, within = "1m", holding = "20s",
}
expect "the capacity is back within a minute and a half and the start-up" {
  eventually = api.replicas.ready:at_least(6), after = loss, within = "100s", holding = "2m",
}
expect "it is back before long in any case" {
  eventually = api.replicas.ready:at_least(6), after = loss, within = "367s", holding = "2m",
}
