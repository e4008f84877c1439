--- Kubernetes as a scenario sees it: pods behind a Service, and what the platform does to them.
---
--- ```lua
--- local k8s  = use "kubernetes"
--- local shop = k8s.deployment { "shop", replicas = 4, cpu = 2, service_time = "5ms",
---                               startup = "20s", readiness = { period = "5s" } }
--- traffic "users" { to = shop.service, rate = "400/s" }
--- k8s.rollout_restart { shop, at = "2m" }
--- ```
---
--- The pods are a service with a `rollout`: `shop.pods:deploy "v2"` in drive brings another of its
--- `versions` out, and `shop.pods.deployed` is when it is there.
---
--- A Service's addresses follow the readiness probes of its pods, and it has no work of its own: it
--- is a balancer that knows its endpoints and nothing else (kube-proxy), and refuses when there is
--- none. Written in the public vocabulary: copy it and change it.
local M = {}

---@class (exact) kubernetes.Readiness  as a readinessProbe has it
---@field period? string  default 10s
---@field timeout? string  default 1s
---@field failure_threshold? integer  failures in a row that take a pod out; default 3
---@field success_threshold? integer  passes in a row that bring it back; default 1

---@class (exact) kubernetes.Deployment
---@field name string
---@field pods any     the service whose replicas are the pods: metrics, faults, calls
---@field service any  what callers call: the Service in front of them
---@field replicas integer
---@field startup any  from a pod's start until it serves, a duration

--- Refuse what is not one of these, so that a misspelt option does not do nothing.
local function check_options(what, options, known)
  if type(options) ~= "table" then
    error(("%s takes a table of options"):format(what), 3)
  end
  for key in sorted(options) do
    if type(key) == "string" and not known[key] then
      local names = {}
      for name in sorted(known) do names[#names + 1] = name end
      error(("%s has no option `%s`: it has %s"):format(what, key, table.concat(names, " ")), 3)
    end
  end
end

local DEPLOYMENT = { replicas = true, spread = true, cpu = true, concurrency = true, queue = true,
  service_time = true, cpu_time = true, calls = true, handle = true, startup = true,
  readiness = true, startup_probe = true, autoscale = true, rollout = true,
  disruption_budget = true, versions = true, version = true, grace_period = true,
  pre_stop = true, image = true }
local READINESS = { period = true, timeout = true, failure_threshold = true,
  success_threshold = true }

--- Pods and the Service in front of them.
---@param options table  [1] the name; as of `service`; startup (default 10s), readiness,
---  startup_probe, autoscale, rollout (default {}: Kubernetes' own), disruption_budget, versions
---@return kubernetes.Deployment
function M.deployment(options)
  check_options("kubernetes.deployment", options, DEPLOYMENT)
  local name = options[1]
  if type(name) ~= "string" then
    error('kubernetes.deployment needs a name: deployment { "shop", ... }', 2)
  end
  local probe = options.readiness or {}
  check_options("readiness", probe, READINESS)
  local replicas = options.replicas or 1
  local period = probe.period or "10s"
  local pods = service(name .. "-pods") {
    replicas = replicas, spread = options.spread, cpu = options.cpu,
    concurrency = options.concurrency, queue = options.queue,
    service_time = options.service_time, cpu_time = options.cpu_time,
    calls = options.calls, handle = options.handle, autoscale = options.autoscale,
    startup = options.startup or "10s", readiness = { period = period,
      timeout = probe.timeout, failure_threshold = probe.failure_threshold,
      success_threshold = probe.success_threshold },
    startup_probe = options.startup_probe, grace_period = options.grace_period,
    pre_stop = options.pre_stop, image = options.image,
    rollout = options.rollout or {}, disruption_budget = options.disruption_budget,
    versions = options.versions, version = options.version,
  }
  local front = balancer(name) {
    to = pods, spread = options.spread, service_time = "1us", timeout = "1h",
    health = { by = "endpoints" },
  }
  return {
    name = name, pods = pods, service = front, replicas = replicas,
    startup = dur(options.startup or "10s"),
  }
end

local RESTART = { at = true }

local function check_deployment(what, d)
  if type(d) ~= "table" or d.pods == nil or d.startup == nil then
    error(what .. ": the first entry is a deployment", 3)
  end
end

--- Every pod is replaced, as `kubectl rollout restart` does it: within what the deployment's
--- `rollout` allows.
---@param options table  [1] the deployment; at
---@return any mark  when all are replaced, for the first time: an anchor
function M.rollout_restart(options)
  if type(options) == "table" and options.max_unavailable ~= nil then
    error("max_unavailable is the deployment's: deployment { ..., "
      .. "rollout = { max_unavailable = 2 } }", 2)
  end
  check_options("kubernetes.rollout_restart", options, RESTART)
  local d, at = options[1], dur(options.at)
  check_deployment("kubernetes.rollout_restart", d)
  drive(("rollout restart of %s at %s"):format(d.name, at), function()
    sleep(at)
    d.pods:deploy()
  end)
  return d.pods.deployed
end

local CRASH = { at = true, pod = true, times = true, backoff = true }

--- CrashLoopBackOff: a pod that ends each time it is up, with a pause that doubles up to 5 minutes.
---@param options table  [1] the deployment; at; pod (its place, default 1), times (default 5),
---  backoff (10s)
---@return table faults
function M.crash_loop(options)
  check_options("kubernetes.crash_loop", options, CRASH)
  local d = options[1]
  check_deployment("kubernetes.crash_loop", d)
  local at, pause, faults = dur(options.at), dur(options.backoff or "10s"), {}
  local most = dur("5m")
  for i = 1, options.times or 5 do
    faults[i] = fault.kill { d.pods.replica[options.pod or 1], at = at, lasting = pause }
    at = at + pause + d.startup + dur("1s")
    pause = pause * 2
    if most < pause then pause = most end
  end
  return faults
end

return M
