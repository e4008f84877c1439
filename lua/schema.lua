--- The blocks of the language as data: fields, types, defaults, one line each.
---
--- Types: duration offset rate load ratio size bandwidth count counts number amount limit budget
--- lateness outcomes share policies conditions labels label_matchers names durations blocks
--- text bool dist place calls through handlers table versions matcher anchor windows pick failover
--- argv argvs texts port place_to_ask connects matchers live (fields_live.lua),
--- ref:KIND|KIND, refs:KIND|KIND (a list), choice and words (with `choices`), block (with
--- `fields`), any.
--- Validation reads this table and nothing else; so will whatever explains or completes the
--- language.
---
--- `later = true` on a row, a choice in `later_choices` and a block in `M.not_run` are declared and
--- checked like the others, but a scenario that has them cannot be run yet.
local consensus = require "consensus"
local node = require "schema_node"
local broker = require "schema_broker"
local cache = require "schema_cache"
local store = require "schema_store"
local alert = require "schema_alert"
local replication = require "schema_replication"
local sessions = require "schema_sessions"
local backup = require "schema_backup"
local service = require "schema_service"
local sql = require "schema_sql"
local live = require "schema_live"

local M = {}

--- The version that brought a block, where it is not the first; a field says so itself (`since`).
M.FIRST = "0.1.0"
M.since = {}

local function with(own, more)
    local all = {}
    for _, f in ipairs(own) do all[#all + 1] = f end
    for _, f in ipairs(more) do all[#all + 1] = f end
    return all
end

local health = {
    { "every", "duration", "how often a replica is probed; default 1s" },
    { "timeout", "duration", "how long an answer may take; default 1s" },
    { "fails", "count", "failures in a row that take a replica out; default 3" },
    { "passes", "count", "passes in a row that bring it back; default 2" },
}

local balance = { "round_robin", "random", "least_requests", "power_of_two",
    "join_shortest_queue", "ring_hash", "maglev" }

local slow_start = {
    { "window", "duration", "until it has all of its weight", required = true },
    { "aggression", "number", "weight is (elapsed / window) ^ (1 / aggression); default 1" },
    { "least", "ratio", "share of its weight it begins with; default 10%" },
}

local outliers = {
    { "failures", "count", "failures in a row that eject a replica; default 5", min = 1 },
    { "every", "duration", "how often ejections are looked at again; default 10s" },
    { "ejection", "duration", "the n-th in a row lasts n times this; default 30s" },
    { "ejection_max", "duration", "the longest; default 300s" },
    { "share_max", "ratio", "of the replicas that may be out so; default 10%, but always one" },
}

-- What every caller that has a choice has.
local balancing = {
    { "choices", "count", "with power_of_two: replicas that are drawn; default 2", min = 1 },
    { "replacement", "bool", "with power_of_two: one may be drawn twice; default false" },
    { "weights", "counts", "of the replicas, in their order; default 1 each" },
    { "virtual_nodes", "count", "with ring_hash: points per replica and weight; default 160",
        min = 1 },
    { "load_bound", "ratio", "with a hash: how far above the mean load one may be; default none" },
    { "table_size", "count", "with maglev: entries, a prime; default 65537", min = 3 },
    { "zone_aware", "bool", "own zone first, then the region, then the rest; default false" },
    { "overprovisioning", "number", "with zone_aware: what near replicas can take; default 1.4" },
    { "panic", "ratio", "share thought alive below which all are tried; default when none is" },
    { "subset", "count", "replicas each caller knows; default all", min = 1 },
    { "slow_start", "block", "a replica that came back begins with little", fields = slow_start },
    { "outliers", "block", "replicas that answer badly are left alone", fields = outliers },
}

local retry_budget = {
    { "tokens", "amount", "the bucket, full at first; default none" },
    { "per_call", "amount", "a first attempt adds; default 0" },
    { "per_success", "amount", "a success adds; default 0" },
    { "per_failure", "amount", "a failure takes; default 0" },
    { "cost", "amount", "a retry takes; default 1" },
    { "timeout_cost", "amount", "one after a timeout takes; default the same" },
    { "above", "amount", "a retry needs more than this left; default 0" },
    { "refund", "bool", "a retry that succeeds gives its cost back; default false" },
    { "of_active", "ratio", "retries under way, of the calls that are; default no such limit" },
    { "at_least", "count", "with of_active: so many always; default 0" },
}

local breaker = {
    { "consecutive", "count", "failures in a row that open it; default not counted", min = 1 },
    { "ratio", "ratio", "share of failures that opens it; default 50% unless consecutive" },
    { "volume", "count", "calls below which ratio says nothing; default 20, or all of `calls`",
        min = 1 },
    { "calls", "count", "ratio is of the last so many; default of those in `over`", min = 1 },
    { "over", "duration", "ratio is of calls in this time; default 10s" },
    { "open", "duration", "how long nothing passes; default 5s" },
    { "probes", "count", "calls that then may pass, to decide; default 1", min = 1 },
}

local throttle = {
    { "k", "number", "how many times what is accepted may be asked for; default 2" },
    { "over", "duration", "the time that is looked back on; default 2m" },
}

local hedge = {
    { "after", "lateness", "how long to wait: a time, or a quantile such as \"p95\"",
        required = true },
    { "attempts", "count", "requests in all, at most 5; default 2", min = 2 },
    { "tied", "bool", "the replica that begins first tells the others; default false" },
    { "leave", "bool", "losers are left to go on; default false: they are cancelled" },
}

local connections = { "pool", "block",
    "its connections, of each calling instance; another call has others, to the same server too; "
        .. "default as many as it takes",
    fields = {
        { "max", "limit", "how many, or \"unbounded\"; default unbounded", min = 1 },
        { "idle_timeout", "duration", "an idle one is closed after it; default never",
            above_zero = true },
        { "max_age", "duration", "closed when it is that old and idle; default never",
            above_zero = true },
        { "warm", "bool", "open before the run begins; default true" },
    } }

-- What every way of calling has.
local calling = {
    { "timeout", "duration", "one caller's patience, for each attempt; default 60s",
        above_zero = true },
    { "overall_timeout", "duration", "for all attempts and waits together; default none",
        above_zero = true },
    { "retries", "count", "further attempts after the first; default 0", max = 1000 },
    { "retry_on", "outcomes", "what is tried again; default every failure" },
    { "backoff", "duration", "before the first retry, then doubling; default 100ms" },
    { "backoff_max", "duration", "the longest backoff; default 10s" },
    { "jitter", "choice", "how backoff is spread; default full",
        choices = { "full", "none", "equal", "decorrelated" } },
    { "retry_budget", "budget", "retries as a share of first attempts, a bucket of tokens, or "
        .. "\"off\"; default off", fields = retry_budget },
    { "breaker", "block", "a circuit breaker, per calling instance; default none",
        fields = breaker },
    { "throttle", "block", "adaptive throttling by the caller; default none", fields = throttle },
    { "hedge", "block", "ask another replica too when one is late; default never",
        fields = hedge },
    { "cancel", "bool", "a timeout cancels the work; default false" },
    { "stream", "bool", "a long answer is passed on while it arrives; for traffic, its first_byte "
        .. "is measured; default false: it is awaited as a whole" },
    { "size", "size", "of a request; default 512B, of a balancer's what it was sent",
        above_zero = true },
    { "response_size", "size", "of an answer; default 1KiB, of a balancer's what it was asked",
        above_zero = true },
    { "tcp", "block", "its sockets, by Linux' names", fields = {
        { "window", "size", "what may be unacknowledged; default 4MiB", above_zero = true },
        { "syn_retries", "count", "attempts to connect after the first; default 6", min = 1 },
        { "syn_linear_timeouts", "count", "so many wait 1s before it doubles; default 0" },
        { "retries2", "count", "retransmissions before it gives up; default 15", min = 1 },
        { "keepalive", "block", "probes while nothing is heard; default none", fields = {
            { "time", "duration", "of silence before the first; default 2h", above_zero = true },
            { "interval", "duration", "between two; default 75s", above_zero = true },
            { "probes", "count", "unanswered before it gives up; default 9", min = 1 },
        } },
    } },
    { "priority", "count", "class in its callee's queue, 0 to 7, 0 being served first; "
        .. "default that of the request it is made for, 0 for users" },
    connections,
    { "health", "block", "health checks of the replicas", fields = with(health, {
        { "by", "choice", "who says which are asked: its own checks, and its refused connections, "
            .. "or the platform's endpoints alone, as kube-proxy; default checks",
            choices = { "checks", "endpoints" } },
    }) },
}

local fan = {
    { "fan_out", "count", "how often it is made, side by side; default once", min = 1,
        max = 10000 },
    { "enough", "count", "of fan_out: so many good answers will do; default all", min = 1 },
}

local balanced = { "balance", "choice", "default round_robin", choices = balance }

local spread = { "spread", "place",
    "the place over whose zones it is spread; default the default region" }
local on = { "on", "place", "the same as spread; a host too" }
local auth = {
    { "issuer", "ref:service|balancer|gateway", "who issues tokens and publishes the keys",
        required = true },
    { "lifetime", "duration", "of a token; default 1h", above_zero = true },
    { "renew", "duration", "callers ask for the next so long before; default a tenth of it",
        above_zero = true },
    { "holders", "count", "tokens that the users of a traffic hold, at most 10000; default 100",
        min = 1 },
    { "refresh", "duration", "how often each replica fetches the keys; default 10m",
        above_zero = true },
    { "refresh_on_unknown", "bool", "an unknown key has them fetched; default false" },
    { "cooldown", "duration", "between two fetches for that reason; default 30s" },
    { "timeout", "duration", "of a request to the issuer; default 5s", above_zero = true },
    { "retry", "duration", "after one that failed; default 5s", above_zero = true },
}
local authenticating = { "auth", "block", "requests must show a token; default none",
    fields = auth }

--- How callers connect to what has these.
local connecting = {
    { "tls", "choice", "default off", choices = { "off", "1.2", "1.3" } },
    { "transport", "choice", "default tcp", choices = { "tcp", "quic" } },
    { "early_data", "bool", "who was there before sends with the first packet (0-RTT); "
        .. "default false" },
}

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
    { "cloud", "ref:cloud", "whose region it is; default nobody's" },
    node.lifecycle,
}
M.zone = { { "region", "ref:region|cloud", "whose zone it is; default the default region's" } }
M.cloud = {
    { "region", "text", "what the provider calls its region; for people" },
    { "zones", "table", "names of its zones; default one zone \"a\"" },
    { "latency", "dist", "one way between its zones; default 600us" },
    node.lifecycle,
}
M.host = with({
    { "zone", "ref:zone", "where it stands; default the default region's first zone" },
}, node.host)
M.service = with({
    { "replicas", "count", "default 1", min = 1, max = 100000 },
    spread,
    on,
    { "cpu", "number", "cores per replica; default as many as workers" },
    { "concurrency", "count", "workers per replica; default 64", min = 1 },
    { "queue", "block", "requests that wait for a worker, per replica", fields = {
        { "max", "limit", "how many, or \"unbounded\"; default 1024" },
        { "policy", "choice", "who is next, of the most urgent that wait; default fifo",
            choices = { "fifo", "lifo", "codel", "adaptive_lifo" } },
        { "timeout", "dist", "what has waited so long is refused; default it waits on" },
        { "target", "duration", "of codel: the wait that is good; default 5ms" },
        { "interval", "duration",
            "of codel: a wait above target for so long makes it drop; default 100ms" },
        { "preemptive", "bool", "who finds no worker takes that of somebody less urgent, who waits "
            .. "as the next of its class and then works on where it stopped. Only service_time "
            .. "can be interrupted: who is at its disk, its calls or its handler keeps its "
            .. "worker. Default false" },
    } },
    { "shed", "block", "a replica refuses what comes while it is overloaded", fields = {
        { "in_flight", "count", "while it has so many requests", min = 1 },
        { "cpu", "ratio", "while its cores were used as much over the last second" },
        { "queue_age", "duration", "while its oldest request waits so long" },
    } },
    { "adaptive_limit", "block",
        "a limit of requests in flight at each replica, learnt from their times (Vegas)", fields = {
            { "initial", "count", "the limit at first; default 20", min = 1 },
            { "max", "count", "default 1000", min = 1 },
        } },
    { "rate_limit", "block", "a token bucket at each replica; what finds no token is refused",
        fields = {
            { "rate", "rate", "tokens per second", required = true, above_zero = true },
            { "burst", "count", "tokens it holds; default one second's", min = 1 },
            { "status", "count", "of the refusal; default 429", min = 400 },
        } },
    authenticating,
    { "parallel", "bool", "its calls are made side by side, not in order; default false" },
    { "deadlines", "choice",
        "whether callers' deadlines are heeded: work past it is not begun, its own calls get what "
            .. "is left of it; default ignore", choices = { "ignore", "propagate" } },
    { "service_time", "dist", "time a worker is held before calls; default 1ms" },
    { "cpu_time", "dist", "CPU demand of a request; default all of service_time" },
    node.io,
    node.image,
    { "control_plane_of", "ref:region|cloud", "kubelets of its nodes renew their leases here, at "
        .. "what reaches most of the replicas that are up; default they always can" },
    { "calls", "calls", "what it asks of others, in order" },
    { "handle", "handlers", "its own code: { [\"GET /x\"] = function(req) ... end }" },
    { "error_ratio", "ratio", "share of its answers that are errors by themselves; default 0" },
    { "listen", "count", "its port; for people" },
    { "versions", "versions", "builds that can serve: { v2 = { error_ratio = \"4%\" } }",
        fields = {
            { "error_ratio", "ratio",
                "share of its answers that are errors by themselves; default the service's" },
            { "service_time", "dist", "time a worker is held before calls; default the service's" },
            { "cpu_time", "dist", "CPU demand of a request; default the service's" },
            { "fails", "choice", "with a rollout, why replicas made from it never serve: the "
                .. "readiness probe, the process as it starts, or its image; default they do",
                choices = { "readiness", "start", "image" } },
        } },
    { "version", "text",
        "the build that serves what no route gives to another; default the service as declared" },
    { "rollout", "block", "versions are deployed as by a Kubernetes Deployment, and each replica "
        .. "serves by the one it is made from; default requests are routed to versions",
        fields = service.rollout },
    { "disruption_budget", "block", "how many replicas may be evicted at once (fault.drain), as a "
        .. "PodDisruptionBudget; default all", fields = service.disruption_budget },
    { "autoscale", "block", "replicas follow the load, by the Horizontal Pod Autoscaler's rule: "
        .. "the target that wants most decides", fields = service.autoscale },
}, connecting)
M.balancer = with({
    { "to", "ref:service|balancer", "what it stands before", required = true },
    { "listen", "count", "its port; for people" },
    { "policy", "choice", "default round_robin", choices = balance },
    { "replicas", "count", "default 1", min = 1, max = 100000 },
    spread,
    on,
    { "service_time", "dist", "time it takes for a request; default 50us" },
    authenticating,
}, with(connecting, with(balancing, calling)))
M.database = with({
    { "engine", "choice", "default postgres", choices = { "postgres", "mysql" } },
    { "nodes", "count", "one primary, the rest replicas; default 1", min = 1 },
    spread,
    on,
    { "replication", "choice", "when a write is acknowledged; with multi every node takes writes, "
        .. "with raft the nodes are a Raft group; default async",
        choices = { "sync", "async", "multi", "raft" } },
    { "query_time", "dist", "of one query, the local flush included; default 1ms" },
    { "max_connections", "count", "default 100", min = 1 },
    { "cpu", "number", "cores per node; default as many as connections" },
    { "failover", "failover", "{ detect, promote }, or false; default on when nodes > 1",
        fields = replication.failover },
    { "reads", "choice", "where reads go; default primary", choices = { "primary", "replicas" } },
}, connecting)
M.consensus = with({ spread, on }, with(consensus.fields, connecting))
node.add_to(M.consensus, true)
node.add_to(M.service, true)
node.add_to(M.balancer)
node.add_to(M.database, true)
replication.add_to(M.database)
sessions.add_to(M.database)
backup.add_to(M.database)
sql.add_to(M.database)
M.traffic = with({
    { "to", "ref:service|balancer|database|consensus|dns|gateway|cache|store|topic"
        .. "|process|endpoint", "what the users call",
        required = true },
    { "rate", "load", "requests per second, or with sessions users who come: a rate or a shape",
        required = true, unless = { { "arrivals", "closed" }, { "gaps" } } },
    { "arrivals", "choice", "default poisson", choices = { "poisson", "constant", "closed" } },
    { "gaps", "dist", "time between two arrivals, in place of a rate: a renewal process" },
    { "batch", "count", "requests that arrive at once; the rate counts each; default 1", min = 1,
        max = 100000 },
    { "users", "count", "with closed arrivals: how many there are", min = 1 },
    { "think", "dist", "with closed arrivals or sessions: from an answer to the next request; "
        .. "default 0s" },
    { "session", "block", "each arrival is a user, who makes requests one after another", fields = {
        { "requests", "count", "how many", min = 1 },
        { "leave", "ratio", "chance to leave after each, in place of `requests`" },
    } },
    { "op", "text", "the operation, such as \"GET /product\"" },
    { "fresh", "ratio", "share of requests by somebody who has no connection yet and opens one; "
        .. "default 0" },
    { "keys", "dist", "what a request is about; default each its own, or its user's" },
    balanced,
    { "near", "ref:region|cloud", "users stand 15ms from it and 55ms from other regions; default "
        .. "15ms from everything" },
    { "beside", "bool", "users stand beside what they call, without a network; default false" },
}, with(broker.producer, with(balancing, calling)))
M.transaction = sessions.transaction(connections)
M.call = with({ balanced, { "key", "any", "what it is about, an integer or a text; in handlers" },
    { "value", "any", "what it writes: an integer, a text or a boolean; in handlers" },
    sessions.declared,
    { "fallback", "call", "made in its place when it has failed; of a service's `calls`" },
    { "optional", "bool", "its failure is left out of the answer; of a service's `calls`; "
        .. "default false" },
    { "bulkhead", "count", "calls in flight at once, per calling replica; what is more fails at "
        .. "once; default no limit", min = 1 },
    { "single_flight", "bool", "a call waits for the answer of one with its key that is under "
        .. "way; default false" } },
    with(cache.call, with(store.call, with(balancing, with(fan, calling)))))
M.cache = with({ spread, on }, with(cache.cache, connecting))
node.add_to(M.cache, true)
M.broker = with({ spread, on }, broker.broker)
M.topic = broker.topic
M.consumers = with({ spread, on }, broker.consumers)
node.add_to(M.consumers)
node.add_to_broker(M.broker)
--- What traffic to a topic has alone, and what it has not.
function M.of_producers()
    return broker.producer, broker.not_of_producers, broker.not_of_transactional
end
M.store = with({ spread, on }, with(store.store, connecting))
node.add_to(M.store)
M.alert, M.rule, M.monitoring = alert.alert, alert.rule, alert.monitoring
M.dns = {
    { "ttl", "duration", "how long an answer is good; default 60s" },
    { "answers", "refs:service|balancer|gateway", "in order of preference", required = true },
    { "policy", "choice", "which of them: the first that is healthy, by weight, the nearest, or "
        .. "the nearest whose route is announced; default failover",
        choices = { "failover", "weighted", "geo", "anycast" } },
    { "convergence", "dist", "with anycast: until a source's routers know of a route that is "
        .. "withdrawn or announced; default uniform from 0s to 30s" },
    { "weights", "numbers", "with the weighted policy: of each answer; default all 1" },
    { "health", "block", "health checks of the answers; without them all count as healthy",
        fields = health },
    { "negative_ttl", "duration", "how long it is kept that there is no answer; default 15m, "
        .. "as at Route 53" },
    { "lookup_time", "dist", "of its servers, besides the way there and back; default 0s" },
    { "resolvers", "block", "how the caches between callers and the name behave", fields = {
        { "count", "count", "behind which the users of one traffic stand; default 1000", min = 1 },
        { "honour_ttl", "ratio", "share of resolvers that ask again in time; default 100%" },
        { "stale_at_most", "duration", "how long the others keep an answer, each for a time of "
            .. "its own between the TTL and this; default 15m" },
    } },
}
M.gateway = with({
    { "to", "ref:service|balancer", "what it stands before", required = true },
    { "listen", "count", "its port; for people" },
    { "policy", "choice", "default round_robin", choices = balance },
    { "replicas", "count", "default 1", min = 1, max = 100000 },
    spread,
    on,
    { "limit", "rate", "requests per second that all replicas together let through; default all" },
    { "burst", "count", "how many at once: tokens of the bucket, by default those of one second; "
        .. "with a leaky bucket what it holds beside the first, by default none" },
    { "algorithm", "choice", "of the limit: a bucket of tokens, or nginx's limit_req; "
        .. "default token_bucket", choices = { "token_bucket", "leaky_bucket" } },
    { "delay", "count", "of a leaky bucket: what it holds is let in one by one, as the limit "
        .. "allows, but for so many that pass at once: nginx's `delay`, whose default is 0; "
        .. "without it all pass at once (nodelay)" },
    { "limit_status", "count", "of what exceeds the limit; default 429", min = 100 },
    authenticating,
    { "waf", "block", "a web application firewall at the door", fields = {
        { "blocked", "ratio", "share of requests that it blocks with 403; default 0" },
        { "latency", "dist", "how long it looks at each; default 0s" },
    } },
    { "cache", "block", "what it answers by itself, as the edge of a CDN does", fields = {
        { "hit_ratio", "ratio", "share of the requests; or, without it, by keys:" },
        { "ttl", "duration", "how long a key is good; default until it is pushed out" },
        { "refresh", "choice", "its time counts from fetching it, or from its last use; default "
            .. "fixed", choices = { "fixed", "sliding" } },
        { "entries", "count", "keys at most, per replica, the least recently used go first; "
            .. "default 10000", min = 1 },
    } },
    { "service_time", "dist", "time it takes for a request; default 100us" },
}, with(connecting, with(balancing, calling)))
node.add_to(M.gateway)
--- A channel that loses in bursts, by the names of tc-netem(8); `bad` is its 1-h, `good` its 1-k.
local burst = {
    { "p", "ratio", "Gilbert-Elliott: from good to bad, after each packet" },
    { "r", "ratio", "from bad to good; default 1 - p" },
    { "bad", "ratio", "loss while bad; default 100%" },
    { "good", "ratio", "loss while good; default 0%" },
    { "p13", "ratio", "four states: from a gap into a burst" },
    { "p31", "ratio", "from a burst into a gap; default 1 - p13" },
    { "p32", "ratio", "in a burst, to packets that arrive; default 0%" },
    { "p23", "ratio", "from those back to lost ones; default 100%" },
    { "p14", "ratio", "in a gap, lost alone; default 0%" },
}
function M.burst_fields() return burst end

M.link = {
    { "latency", "dist", "one way" },
    { "correlation", "ratio", "how often the latency is that of the packet before; default 0" },
    { "loss", "ratio", "share of packets lost; default 0" },
    { "burst", "burst", "loss in bursts instead: Gilbert-Elliott or four states",
        fields = burst },
    { "corrupt", "ratio", "share of packets damaged, and dropped for it; default 0" },
    { "duplicate", "ratio", "share of packets that come twice; default 0" },
    { "reorder", "ratio", "share of packets that come `gap` later; default 0" },
    { "gap", "duration", "how much later reordered ones come; default 10ms" },
    { "loss_correlation", "ratio", "how often a packet fares as the one before; default 0" },
    { "bandwidth", "bandwidth", "such as \"1Gbit/s\", in each direction; default no limit",
        above_zero = true },
    { "buffer", "size", "what may wait for the line; default 256KiB", above_zero = true },
    { "direction", "choice", "default both", choices = { "both", "to" } },
}
M.fault = { -- and the parameters of its kind
    { "at", "duration", "an instant, counted from the start; \"4m +- 30s\": by chance" },
    { "lasting", "duration", "how long; default to the end", above_zero = true },
    { "every", "duration", "again after this period", above_zero = true },
    { "ramp", "duration", "its magnitude grows from nothing over this time; default at once" },
    { "mtbf", "duration", "in a chaos: how far apart two of them are, on average",
        above_zero = true },
    { "pick", "pick", "\"all\", \"one\", a count, \"50%\" or \"random 50%\"; default all" },
}

--- Those of them that a kind has: some have no magnitude that could `ramp`, some are not about
--- instances of which one could `pick`.
function M.fault_fields(kind)
    local list = {}
    for _, f in ipairs(M.fault) do
        local has = f[1] == "ramp" and kind.ramps or f[1] == "pick" and kind.picks
        if has or f[1] ~= "ramp" and f[1] ~= "pick" then list[#list + 1] = f end
    end
    return list
end

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
    { "during", "windows",
        "only inside this window, or while a fault is in force", fields = window },
    { "except", "windows",
        "everywhere but inside this window, or while a fault is in force", fields = window },
    { "over", "duration", "averaging window, whole seconds; default 1s" },
    because,
    severity,
}
local history = require "schema_history"
for i, row in ipairs(history.fields) do table.insert(M.expect, 5 + i, row) end -- behind at_end
M.histories = history.models
M.chaos = require "schema_chaos"
M.slo = {
    { "of", "ref:service|balancer|gateway|traffic|database|consensus|cache|store",
        "whose errors count", required = true },
    { "objective", "ratio", "share that must succeed", required = true },
    { "over", "duration", "the window of the budget; default the whole run" },
    because,
    severity,
}

--- What may follow the function of `check`.
M.check = { because, severity }

--- What can be called, measured and hit: words of the form kind "name" { ... }.
M.components = { "service", "balancer", "gateway", "database", "consensus", "cache", "store",
    "broker", "topic", "consumers", "dns", "traffic", "alert", "rule" }
live.add_to(M)

--- Blocks that are declared and checked, but cannot be run yet.
M.not_run = {}

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

--- Shapes of a rate over time. `steps` is a list of { at, rate }, `replay` takes a file's name,
--- `constant` a rate.
M.shape_fields = {
    ramp = {
        { "from", "rate", "at the start", required = true },
        { "to", "rate", "at the end of `over`, and from then on", required = true },
        { "over", "duration", "how long it takes", required = true },
    },
    sine = {
        { "mean", "rate", "the middle", required = true },
        { "amplitude", "rate", "how far it goes up and down", required = true },
        { "period", "duration", "from crest to crest", required = true },
    },
    burst = {
        { "base", "rate", "between bursts", required = true },
        { "peak", "rate", "in a burst", required = true },
        { "every", "duration", "from one burst's start to the next", required = true },
        { "lasting", "duration", "the length of a burst", required = true },
    },
}

--- Words of the language that another version brings.
M.later = { "data" }

--- Metrics that are declared and checked, but not measured yet; the others are C's.
M.metrics_later = {
    cloud = {}, zone = {},
    version = {},
}

--- C's metrics with these beside them, in place.
function M.add_metrics(metrics)
    for kind, list in pairs(M.metrics_later) do
        metrics[kind] = metrics[kind] or {}
        for name, info in pairs(list) do metrics[kind][name] = metrics[kind][name] or info end
    end
end

return M
