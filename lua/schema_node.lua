--- What every component that runs on nodes may say about its processes: how they start, stop, are
--- probed, and what they may use. Rows as in schema.lua; the words are Kubernetes'.
local M = {}

--- Kubernetes' probe: every instance is asked by its own host.
local probe = {
    { "initial_delay", "duration", "after the process began; default 0s" },
    { "period", "duration", "from one probe to the next; default 10s" },
    { "timeout", "duration", "how long an answer may take; default 1s" },
    { "failure_threshold", "count", "failures in a row that count; default 3", min = 1 },
    { "success_threshold", "count", "successes in a row that count; default 1", min = 1 },
    { "work", "duration", "CPU time of an answer; default 0s: it is always quick" },
}

--- It passes once for each process: Kubernetes has a successThreshold of 1 and no other.
local startup_probe = {}
for _, row in ipairs(probe) do
    if row[1] ~= "success_threshold" then startup_probe[#startup_probe + 1] = row end
end

M.life = {
    { "startup", "dist", "from a process's beginning until it listens; default at once" },
    { "restart", "choice", "who is started again by a supervisor; default always with liveness, "
        .. "startup_probe, memory or a rollout, else never",
        choices = { "always", "on_failure", "never" } },
    { "crash_backoff", "block", "of the supervisor, between restarts; the first is at once",
        fields = {
            { "first", "duration", "before the second restart; default 10s" },
            { "max", "duration", "it doubles up to this; default 5m" },
            { "reset", "duration", "it is forgotten when the latest start is longer ago; default "
                .. "10m" },
        } },
    { "grace_period", "duration", "from being told to stop until it is killed; default 30s" },
    { "pre_stop", "duration", "from being told to stop until SIGTERM, at most the grace_period; "
        .. "default 0s" },
    { "endpoint_delay", "dist", "until callers hear who is an endpoint and who is not; "
        .. "default 0s" },
    { "liveness", "block", "the probe whose failure restarts a process", fields = probe },
    { "readiness", "block", "the probe whose failure takes it from the endpoints",
        fields = probe },
    { "startup_probe", "block", "until it has passed there is no other probe, and no endpoint; "
        .. "what fails it is restarted", fields = startup_probe },
}

M.cpu = {
    { "cpu_limit", "number", "cores it may use over each period, as limits.cpu; default all" },
    { "cpu_period", "duration", "of that quota, 1ms to 1s; default 100ms", above_zero = true },
    { "cpu_weight", "number", "among those that share a host's cores, 1 to 10000; default 100" },
}

M.memory = {
    { "memory", "block", "what a process may use, and uses", fields = {
        { "limit", "size", "above it, it is killed", required = true },
        { "base", "size", "of a process without requests; default 0B" },
        { "per_request", "size", "more for each request that is there; default 0B" },
        { "oom", "choice", "what happens above the limit; default kill",
            choices = { "kill", "swap" } },
        { "swap_penalty", "number", "swapping, work takes 1 + this * the share swapped out as "
            .. "long; default 100" },
        { "oom_score_adj", "signed", "who is killed first when the host is full, -1000 (never) "
            .. "to 1000; default 0" },
    } },
}

M.limits = {
    { "limits", "block", "what a process may have at once; default as many as it likes", fields = {
        { "fds", "count", "file descriptors: requests there, and calls they have open", min = 1 },
        { "threads", "count", "requests there", min = 1 },
        { "pids", "count", "requests there, and the process itself", min = 1 },
        { "ports", "count", "calls that are open", min = 1 },
    } },
}

local disk = {
    { "latency", "dist", "of an operation; default none beside query_time" },
    { "iops", "number", "operations per second; default without end" },
    { "bandwidth", "bandwidth", "bytes per second; default without end" },
    { "size", "size", "how much it holds; default without end" },
    { "used", "size", "how much of that at the start; default 0B" },
    { "write_bytes", "size", "of a write's record; default 8KiB" },
    { "miss_ratio", "ratio", "share of reads that are not in memory; default 0" },
    { "checksums", "bool", "a changed page is an error, not an answer; default false" },
}

M.disk = {
    { "disk", "block", "of each node; default one that takes no time and is never full",
        fields = disk },
}

--- What a request does on the disk of the replica that serves it.
M.io = { "io", "block", "what a request does on the disk, before its calls; default nothing",
    fields = {
        { "reads", "number", "so many, one after another; 0.5: every other request; default 0" },
        { "writes", "number", "so many, after the reads; default 0" },
        { "flush", "bool", "an fsync after the writes; default false" },
    } }

--- Where a service's processes come from.
M.image = { "image", "block", "what its processes are made from; default where one has run",
    fields = {
        { "pull_policy", "choice", "when the registry is asked, as imagePullPolicy; default "
            .. "if_not_present", choices = { "if_not_present", "always", "never" } },
        { "pull_time", "dist", "of a pull, where the node does not have it; default in startup" },
    } }

--- What a host may say about what it has.
M.host = {
    { "cores", "number", "shared by all that stand on it; default each replica has its own" },
    { "memory", "size", "shared by all that stand on it; default without end" },
    { "disk", "block", "shared by all that stand on it; default each node has its own",
        fields = disk },
    { "clock", "block", "what its clock reads; default the true time", fields = {
        { "offset", "offset", "how far it is ahead; may be below 0s" },
        { "ppm", "signed", "parts per million that it runs fast, from the start" },
    } },
}

--- What a region says about its hosts as the nodes of one cluster.
M.lifecycle = { "node_lifecycle", "block", "its hosts are a cluster's nodes: who is on one that is "
    .. "not heard of leaves the endpoints, and is put elsewhere; default it waits for its host",
    fields = {
        { "lease_renew", "duration", "how often a kubelet is heard of; default 10s; 0s: up to the "
            .. "instant of its node's loss, or the last look before it was cut off" },
        { "monitor_period", "duration", "how often the node controller looks, 1s to 24h; default "
            .. "5s", above_zero = true },
        { "monitor_grace", "duration", "not heard of for so long, a node is not ready; default "
            .. "50s, 40s before Kubernetes 1.32", above_zero = true },
        { "toleration", "duration", "how long replicas stay on one that is tainted; default 5m" },
        { "eviction_rate", "rate", "nodes of a zone that are tainted; default 0.1/s" },
        { "secondary_rate", "rate", "the same in a zone that is disrupted and large; default "
            .. "0.01/s; of one that is not large: none" },
        { "unhealthy_zone", "ratio", "share of its nodes, and three of them, whose silence "
            .. "disrupts a zone; default 55%", above_zero = true },
        { "large_zone", "count", "a zone of more nodes is large; default 50" },
        { "room", "count", "replicas that the other nodes of each zone take; default any number" },
    } }

--- A broker's: it has processes and a disk; appending is no work for a CPU.
function M.add_to_broker(block)
    for _, part in ipairs { M.disk, M.life } do
        for _, row in ipairs(part) do block[#block + 1] = row end
    end
end

--- The rows of all, for a component's block.
function M.add_to(block, with_disk)
    for _, row in ipairs(with_disk and M.disk or {}) do block[#block + 1] = row end
    for _, part in ipairs { M.life, M.cpu, M.memory, M.limits } do
        for _, row in ipairs(part) do block[#block + 1] = row end
    end
end

return M
