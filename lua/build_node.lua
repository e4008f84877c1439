--- What a component says about its processes (schema_node.lua), handed to C.
local M = {}

local function probe(p)
    return p and { is_on = true, initial_delay = p.initial_delay, period = p.period,
        timeout = p.timeout, failure_threshold = p.failure_threshold,
        success_threshold = p.success_threshold, work = p.work }
end

local function life(C, c)
    local f = c.fields
    local backoff = f.crash_backoff or {}
    local said = f.startup or f.restart or f.crash_backoff or f.grace_period or f.pre_stop
        or f.endpoint_delay or f.liveness or f.readiness or f.startup_probe or f.memory
        or f.rollout
    if not said then return true end
    return C.life(c.id, { startup = f.startup,
        restart = f.restart or (f.liveness or f.startup_probe or f.memory or f.rollout) and "always"
            or "never",
        backoff = backoff.first, backoff_max = backoff.max, backoff_reset = backoff.reset,
        grace_period = f.grace_period, pre_stop = f.pre_stop, endpoint_delay = f.endpoint_delay,
        liveness = probe(f.liveness), readiness = probe(f.readiness),
        startup_probe = probe(f.startup_probe) })
end

local function cpu(C, c)
    local f = c.fields
    if f.cpu_period and not f.cpu_limit then
        return nil, "cpu_period is that of cpu_limit: give a cpu_limit too"
    end
    if not (f.cpu_limit or f.cpu_weight) then return true end
    return C.cpu(c.id, { limit = f.cpu_limit, period = f.cpu_period, weight = f.cpu_weight })
end

local function memory(C, c)
    local m = c.fields.memory
    if not m then return true end
    return C.memory(c.id, { limit = m.limit, base = m.base, per_request = m.per_request,
        swaps = m.oom == "swap", swap_penalty = m.swap_penalty, oom_score_adj = m.oom_score_adj })
end

local function limits(C, c)
    local l = c.fields.limits
    if not l then return true end
    return C.limits(c.id, l)
end

local function disk(C, c)
    local d = c.fields.disk
    if not d then return true end
    return C.disk(c.id, d)
end

local function image(C, c)
    local i = c.fields.image
    if not i then return true end
    return C.image(c.id, i)
end

--- What a host has; its component's id, if it says anything.
function M.host(C, h)
    local f = h.fields
    if f.clock then
        local ok, message = C.host_clock(h.id, f.clock)
        if not ok then return nil, message end
    end
    if not (f.cores or f.memory or f.disk) then return true end
    local id, message = C.host_capacity(h.id, { name = h.name, line = h.row, cores = f.cores,
        memory = f.memory })
    if id and f.disk then
        local ok, why = C.host_disk(h.id, f.disk)
        if not ok then return nil, why end
    end
    h.component_id = id
    return id, message
end

--- A region's hosts as a cluster's nodes; `plane`: the service that hears of them, or nil.
function M.lifecycle(C, region, plane)
    local f = region.fields.node_lifecycle
    return C.lifecycle(region.id, {
        lease_renew = f.lease_renew, monitor_period = f.monitor_period,
        monitor_grace = f.monitor_grace, toleration = f.toleration,
        eviction_rate = f.eviction_rate, secondary_rate = f.secondary_rate,
        unhealthy_zone = f.unhealthy_zone, large_zone = f.large_zone, room = f.room,
        control_plane = plane and plane.id })
end

local OF_BACKUPS = { rpo = true, rto = true, restoring = true, ["restores.failed"] = true,
    backups = true, ["backups.failed"] = true, drills = true, ["drills.failed"] = true }

--- What only backups change, of a database that has none.
local function needs_backup(metric)
    local c = metric.component
    return c.kind == "database" and OF_BACKUPS[metric.path] and not c.fields.backup
end

--- Why a metric is not there, for a message.
--- `is_late`: the run has begun, and what of a replica, a link or a version is counted is decided.
function M.why_not(metric, is_late)
    if metric.component.kind == "host" then
        return (": the host says nothing of its own; give it cores, memory or a disk")
    elseif metric.path:find "^first_byte" then
        return (": %s does not stream; give it stream = true"):format(metric.component.name)
    elseif metric.component.kind == "service" and metric.path:find "^replicas%." then
        return (": %s is not rolled out; give it rollout = {}"):format(metric.component.name)
    elseif metric.path == "corrupt" then
        return (": only a file of SQLite can be; give %s a schema"):format(metric.component.name)
    elseif needs_backup(metric) then
        return (': nothing backs %s up; give it backup = { full = "6h" }'):format(
            metric.component.name)
    elseif metric.path == "memory" then
        return (': %s has not said how much it has; give it memory = { limit = "512MiB" }'):format(
            metric.component.name)
    end
    return is_late and ": it is where an expectation names it; write one beside this" or ""
end

--- What would be 0 whatever happens, so that no expectation about it could fail.
function M.never_counts(metric)
    local c = metric.component
    return metric.path == "corrupt" and c.kind == "database" and not c.fields.schema
        or needs_backup(metric)
end

--- All of it; nil and a sentence if the model refuses.
function M.declare(C, c)
    for _, part in ipairs { life, cpu, memory, limits, disk, image } do
        local ok, message = part(C, c)
        if not ok then return nil, message end
    end
    return true
end

return M
