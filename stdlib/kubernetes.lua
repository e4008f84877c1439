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
--- A Service's addresses follow the readiness probes of its pods, so it is a balancer with health
--- checks and no work of its own. Written in the public vocabulary: copy it and change it.
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
---@field settle any   from then until the Service sends it requests

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
  readiness = true, autoscale = true }
local READINESS = { period = true, timeout = true, failure_threshold = true,
  success_threshold = true }

--- Pods and the Service in front of them.
---@param options table  [1] the name; as of `service`; startup (default 10s), readiness, autoscale
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
  }
  local front = balancer(name) {
    to = pods, spread = options.spread, service_time = "1us", timeout = "1h",
    health = {
      every = period, timeout = probe.timeout or "1s",
      fails = probe.failure_threshold or 3, passes = probe.success_threshold or 1,
    },
  }
  return {
    name = name, pods = pods, service = front, replicas = replicas,
    startup = dur(options.startup or "10s"),
    settle = dur(period) * ((probe.success_threshold or 1) + 1),
  }
end

local RESTART = { at = true, max_unavailable = true }

local function check_deployment(what, d)
  if type(d) ~= "table" or d.pods == nil or d.startup == nil then
    error(what .. ": the first entry is a deployment", 3)
  end
end

--- Every pod is replaced, so many at a time; the next ones go when those before serve again.
---@param options table  [1] the deployment; at; max_unavailable (default 1)
---@return table faults  one for each pod, in order: the last one's `.ends` is the rollout's end
function M.rollout_restart(options)
  check_options("kubernetes.rollout_restart", options, RESTART)
  local d, at_once = options[1], options.max_unavailable or 1
  check_deployment("kubernetes.rollout_restart", d)
  if math.type(at_once) ~= "integer" or at_once < 1 then
    error("max_unavailable is a count of at least 1", 2)
  end
  local faults = {}
  for i = 1, d.replicas do
    local wave = (i - 1) // at_once
    faults[i] = fault.kill {
      d.pods.replica[i],
      at = dur(options.at) + (d.startup + d.settle) * wave,
      lasting = d.startup,
    }
  end
  return faults
end

local CRASH = { at = true, pod = true, times = true, backoff = true }

--- CrashLoopBackOff: a pod that ends each time it is up, with a pause that doubles up to 5 minutes.
---@param options table  [1] the deployment; at; pod (default 1), times (default 5), backoff (10s)
---@return table faults
function M.crash_loop(options)
  check_options("kubernetes.crash_loop", options, CRASH)
  local d = options[1]
  check_deployment("kubernetes.crash_loop", d)
  local at, pause, faults = dur(options.at), dur(options.backoff or "10s"), {}
  local most = dur("5m")
  for i = 1, options.times or 5 do
    local away = pause + d.startup
    faults[i] = fault.kill { d.pods.replica[options.pod or 1], at = at, lasting = away }
    at = at + away + dur("1s")
    pause = pause * 2
    if most < pause then pause = most end
  end
  return faults
end

return M
