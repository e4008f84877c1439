-- The standard library's Kubernetes: a rollout that nobody notices, and a pod that crashes.
scenario "A rolling restart goes unnoticed" { duration = "5m", warmup = "30s" }
local k8s = use "kubernetes"
local shop = k8s.deployment {
  "shop", replicas = 4, cpu = 2, service_time = "5ms", startup = "15s",
  readiness = { period = "2s", failure_threshold = 1 }, pre_stop = "3s",
  rollout = { max_surge = 0, max_unavailable = 2 },
}
local users = traffic "users" { to = shop.service, rate = "50/s", retries = 1, backoff = "20ms" }
local replaced = k8s.rollout_restart { shop, at = "1m" }
local crash = k8s.crash_loop { shop, at = "3m", times = 2, backoff = "5s", pod = 3 }

expect "users are served while pods are replaced" {
  always = users.success.ratio:at_least "95%", over = "5s",
}
expect "half of the pods stay" { always = shop.pods.replicas.up:at_least(2) }
expect "all are back when the rollout ends" {
  eventually = shop.pods.replicas.ready:equals(4), after = replaced, within = "10s",
}
expect "two waves of 15 s and more" { never = replaced, during = { after = "1m", lasting = "30s" } }
expect "they are replaced in a minute" { eventually = replaced, after = "1m", within = "1m" }
expect "the crashing pod comes back" {
  eventually = shop.pods.replicas.up:equals(4), after = crash[2].ends, within = "5s",
}

-- A Service has no address where no pod is ready: what calls it is refused, and nobody is asked.
local deaf = k8s.deployment {
  "deaf", replicas = 2, service_time = "5ms", startup = "5s", readiness = { period = "2s" },
  versions = { good = {}, mute = { fails = "readiness" } }, version = "good",
  rollout = { strategy = "recreate" },
}
local callers = traffic "callers" { to = deaf.service, rate = "20/s" }
drive("a release that is never ready", function() sleep "1m"; deaf.pods:deploy "mute" end)
expect "pods that are not ready serve nobody" {
  never = deaf.pods:version("mute").rate:above "0/s",
}
expect "callers are refused" {
  always = callers.errors.ratio:equals "100%", during = { after = "70s" },
}
