-- A release that cannot serve: its readiness probe fails, it crashes as it starts, or there is no
-- image. A Deployment that may not go below what it needs stops at the first new pods, and the old
-- ones serve on; nobody notices but who waits for the release. One that is all replaced at once
-- (recreate) is down until somebody rolls it back.
local fails = param("fails", { "readiness", "start", "image" })

scenario "A release that cannot serve is stopped by its own readiness" {
  about = "kubernetes.io, \"Deployments\", failed deployment: a rollout that makes no progress is "
    .. "not rolled back by itself, and does no harm either while max_unavailable holds.",
  tags     = { "deploy", "readiness" },
  duration = "20m",
  warmup   = "1m",
}

local api = service "api" {
  replicas     = 10,
  concurrency  = 32,
  service_time = dist.lognormal { p50 = "8ms", p99 = "60ms" },
  startup      = dist.uniform { from = "8s", to = "15s" },
  readiness    = { period = "5s" },
  pre_stop     = "5s",           -- callers hear of it before SIGTERM
  endpoint_delay = "1s",
  versions     = {
    v1 = {},
    v2 = { fails = fails },
    v3 = { service_time = dist.lognormal { p50 = "7ms", p99 = "55ms" } },
  },
  version = "v1",
  rollout = { max_surge = "25%", max_unavailable = "10%", progress_deadline = "3m" },
  disruption_budget = { min_available = "80%" },
}

local users = traffic "users" { to = api, rate = "300/s", timeout = "2s" }

drive("release engineer", function()
  sleep "2m"
  api:deploy "v2"
  if not wait_until(api.stalled, { timeout = "10m" }) then return end
  log("%s of %s are available", api.replicas.available, api.replicas.desired)
  api:deploy "v1"
  mark "rolled back"
  sleep "3m"
  api:deploy "v3"
  mark "v3 begins"
end)

expect "the bad release stalls" { eventually = api.stalled, after = "2m", within = "5m" }
expect "nine replicas are always there" { always = api.replicas.available:at_least(9) }
expect "no more than the surge are there, and those that finish what they have" {
  always = api.replicas.up:at_most(18),
}
expect "no request is served by it" { always = api:version("v2").rate:equals "0/s" }
expect "no user notices" { never = users.errors.ratio:above "0%" }
expect "the good one is out within five minutes" {
  eventually = api:version("v3").rate:above "250/s",
  after = happened "v3 begins", within = "5m", holding = "30s",
}
