-- A15: a replica is told to stop and leaves the endpoints at the same instant; who calls by
-- kube-proxy hears of it `d` later, and it listens no more from SIGTERM on, `pre_stop` after it was
-- told. What is sent to it in between is refused: rate * (d - pre_stop) / replicas, and nothing if
-- it sleeps as long as the news takes.
-- Source: kubernetes.io, "Pod Lifecycle", termination of Pods (endpoints are removed while the
-- kubelet begins to shut the pod down); arithmetic. Four standard errors of a binomial count.
local d, pre_stop = param("d", { "1s", "4s" }), param("pre_stop", { "0s", "500ms", "4s" })
local replicas = param("replicas", { 5, 10 })

local RATE, DURATION = 1000, 30
local SECONDS = { ["0s"] = 0, ["500ms"] = 0.5, ["1s"] = 1, ["4s"] = 4 }
local refused = RATE * math.max(SECONDS[d] - SECONDS[pre_stop], 0) / replicas
local total, slack = RATE * DURATION, 4 * math.sqrt(refused)

scenario "A replica that stops is asked until its leaving is known" { duration = DURATION .. "s" }

local api = service "api" { replicas = replicas, service_time = "1ms", pre_stop = pre_stop,
  endpoint_delay = d }
local users = traffic "users" { to = api, rate = RATE .. "/s", arrivals = "poisson",
  timeout = "1s", beside = true, health = { by = "endpoints" } }
-- One that takes a replica out at its first refusal, as a client-side balancer does.
local quick = traffic "quick" { to = api, rate = RATE .. "/s", arrivals = "poisson",
  timeout = "1s", beside = true }

fault.stop { api.replica[2], at = "10s" }

expect "refused is what is sent to it before the news" {
  at_end = users.errors.ratio:between(math.max(refused - slack, 0) / total,
    (refused + slack + 1e-6) / total),
}
expect "who minds a refusal is refused no more than once, or what was on its way" {
  at_end = quick.errors.ratio:at_most(5 / total),
}
