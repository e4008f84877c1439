--- The blocks of the language as data: fields, types, defaults, one line each.
---
--- Types: duration rate ratio size count number limit budget text bool dist place calls handlers
--- table matcher anchor windows pick failover ref:KIND|KIND, choice (with `choices`), block (with
--- `fields`), any. Validation reads this table and nothing else; so will whatever explains or
--- completes the language.
local M = {}

local health = {
    { "every", "duration", "how often a replica is probed; default 1s" },
    { "timeout", "duration", "how long an answer may take; default 1s" },
    { "fails", "count", "failures in a row that take a replica out; default 3" },
    { "passes", "count", "passes in a row that bring it back; default 2" },
}

local balance = { "round_robin", "random", "least_requests" }

-- What every way of calling has.
local calling = {
    { "timeout", "duration", "one caller's patience, for each attempt; default 60s" },
    { "retries", "count", "further attempts after the first; default 0" },
    { "backoff", "duration", "before the first retry, doubling up to 10s; default 100ms" },
    { "jitter", "choice", "how backoff is spread; default full", choices = { "full", "none" } },
    { "retry_budget", "budget", "retries as a share of first attempts, or \"off\"; default off" },
    { "cancel", "bool", "a timeout cancels the work; default false" },
    { "health", "block", "health checks of the replicas", fields = health },
}

local balanced = { "balance", "choice", "default round_robin", choices = balance }

local function with(own, more)
    local all = {}
    for _, f in ipairs(own) do all[#all + 1] = f end
    for _, f in ipairs(more) do all[#all + 1] = f end
    return all
end

local spread = { "spread", "place", "region or zone over which it is spread" }
local on = { "on", "place", "the same as spread; a host too" }
local because = { "because", "text", "why it matters" }
local severity = { "severity", "choice", "default error", choices = { "error", "warn" } }

M.scenario = {
    { "about", "text", "what it shows, in a sentence or two" },
    { "tags", "table", "words to select it by" },
    { "duration", "duration", "how long the run is", required = true },
    { "warmup", "duration", "judging begins after it, whole seconds; default 0s" },
    { "seeds", "count", "how many seeds a sweep runs by default" },
    { "xfail", "table", "parameter values whose cases are meant to fail" },
}
M.region = {
    { "zones", "table", "names of its zones; default one zone \"a\"" },
    { "latency", "dist", "one way between its zones; default 600us" },
}
M.host = { { "zone", "ref:zone", "where it stands; default the default region's first zone" } }
M.service = {
    { "replicas", "count", "default 1", min = 1 },
    spread,
    on,
    { "cpu", "number", "cores per replica; default as many as workers" },
    { "concurrency", "count", "workers per replica; default 64", min = 1 },
    { "queue", "block", "requests that wait for a worker, per replica", fields = {
        { "max", "limit", "how many, or \"unbounded\"; default 1024" },
        { "policy", "choice", "who is next; default fifo", choices = { "fifo", "lifo" } },
    } },
    { "service_time", "dist", "time a worker is held before calls; default 1ms" },
    { "cpu_time", "dist", "CPU demand of a request; default all of service_time" },
    { "calls", "calls", "what it asks of others, in order" },
    { "handle", "handlers", "its own code: { [\"GET /x\"] = function(req) ... end }" },
    { "error_ratio", "ratio", "share of its answers that are errors by themselves; default 0" },
    { "listen", "count", "its port; for people" },
}
M.balancer = with({
    { "to", "ref:service|balancer", "what it stands before", required = true },
    { "listen", "count", "its port; for people" },
    { "policy", "choice", "default round_robin", choices = balance },
    { "replicas", "count", "default 1", min = 1 },
    spread,
    on,
    { "service_time", "dist", "time it takes for a request; default 50us" },
}, calling)
M.database = {
    { "engine", "choice", "default postgres", choices = { "postgres", "mysql" } },
    { "nodes", "count", "one primary, the rest replicas; default 1", min = 1 },
    spread,
    on,
    { "replication", "choice", "when a write is acknowledged; default async",
        choices = { "sync", "async" } },
    { "query_time", "dist", "of one query, the local flush included; default 1ms" },
    { "max_connections", "count", "default 100", min = 1 },
    { "cpu", "number", "cores per node; default as many as connections" },
    { "failover", "failover", "{ detect, promote }, or false; default on when nodes > 1", fields = {
        { "detect", "duration", "from the primary's death until it is declared dead; default 5s" },
        { "promote", "duration", "from then until a replica leads; default 4s" },
    } },
    { "reads", "choice", "where reads go; default primary", choices = { "primary", "replicas" } },
}
M.traffic = with({
    { "to", "ref:service|balancer|database", "what the users call", required = true },
    { "rate", "rate", "requests per second", required = true },
    { "arrivals", "choice", "default poisson", choices = { "poisson", "constant" } },
    { "op", "text", "the operation, such as \"GET /product\"" },
    { "keys", "dist", "what a request is about; default each its own" },
    balanced,
    { "beside", "bool", "users stand beside what they call, without a network; default false" },
}, calling)
M.call = with({ balanced, { "key", "any", "what the call is about; in handlers" } }, calling)
M.link = {
    { "latency", "dist", "one way" },
    { "loss", "ratio", "share of messages lost; default 0" },
    { "direction", "choice", "default both", choices = { "both", "to" } },
}
M.fault = { -- and the parameters of its kind
    { "at", "duration", "an instant, counted from the start of the run" },
    { "lasting", "duration", "how long; default to the end" },
    { "every", "duration", "again after this period" },
    { "pick", "pick", "\"all\", \"one\", a count, \"50%\" or \"random 50%\"; default all" },
}
local window = {
    { "after", "anchor", "a fault, its .ends, a mark, an instant" },
    { "lasting", "duration", "how long the window is; default to the end" },
}
M.expect = {
    { "always", "matcher", "every sample satisfies it" },
    { "never", "matcher", "no sample satisfies it" },
    { "eventually", "matcher", "it becomes true by after + within, and stays for holding" },
    { "at_end", "matcher", "it is true at the end" },
    { "sometimes", "matcher", "it was true at least once" },
    { "after", "anchor", "what `within` counts from" },
    { "within", "duration", "a deadline; `eventually` must have one" },
    { "holding", "duration", "must stay true this long to count" },
    { "during", "windows", "only inside this window", fields = window },
    { "except", "windows", "everywhere but inside this window", fields = window },
    { "over", "duration", "averaging window, whole seconds; default 1s" },
    because,
    severity,
}
M.slo = {
    { "of", "ref:service|balancer|traffic|database", "whose errors count", required = true },
    { "objective", "ratio", "share that must succeed", required = true },
    { "over", "duration", "the window of the budget; default the whole run" },
    because,
    severity,
}

--- Distributions: name, and the parameters.
M.dist = {
    constant = { "value" },
    uniform = { "from", "to" },
    exponential = { "mean" },
    normal = { "mean", "sd" },
    lognormal = { "p50", "p99" },
    pareto = { "min", "alpha" },
    weibull = { "scale", "shape" },
    gamma = { "mean", "shape" },
    zipf = { "n", "skew" },
}
M.dist_plain = { alpha = true, shape = true, n = true, skew = true } -- without a unit

--- Words of the language that another version brings.
M.later = { "cloud", "cache", "broker", "topic", "consumers", "store", "dns", "gateway", "shape",
    "use", "check" }

--- Words other tools use for a fault of ours.
M.fault_words = { slow = "latency", delay = "latency", lag = "latency", crash = "kill",
    stop = "kill", drop = "loss", packet_loss = "loss", freeze = "pause", sigstop = "pause",
    netsplit = "partition", stress = "cpu", burn = "cpu", outage = "down", poweroff = "down" }

return M
