--- A cache's block (schema_cache.lua), handed to C.
local M = {}

local MOST = 50000000 -- entries, where only memory is said

-- What speaks against what it says of its files; nil: nothing.
local function wrong_persistence(f)
    local p = f.persistence
    if not p then
        return f.disk and "its keys are in memory alone, and nothing is done on its disk: give it "
            .. "persistence = { appendonly = true }, or leave `disk` out"
    end
    if not p.appendonly and not p.save then
        return "persistence writes nothing: give it appendonly = true, or save = \"60s\""
    end
    if p.appendfsync and not p.appendonly then
        return "appendfsync belongs to appendonly = true"
    end
    for _, name in ipairs { "save_changes", "save_rate" } do
        if p[name] and not p.save then
            return ("%s belongs to save = \"60s\""):format(name)
        end
    end
end

--- Its options; `place` is where it is spread.
function M.create(C, c, place)
    local f = c.fields
    local watch = f.sentinel or {}
    if f.sentinel and f.mode ~= "sentinel" then
        return nil, 'sentinels belong to mode = "sentinel"'
    end
    local cluster = f.cluster or {}
    if f.cluster and f.mode ~= "cluster" then
        return nil, 'cluster belongs to mode = "cluster"'
    end
    local wrong = wrong_persistence(f)
    if wrong then return nil, wrong end
    local files = f.persistence or {}
    return C.cache {
        name = c.name, line = c.row, nodes = f.nodes, spread = place,
        entries = f.entries or MOST, max_memory = f.max_memory, value_size = f.value_size,
        ttl = f.ttl, get_time = f.get_time, eviction = f.eviction or "lru", samples = f.samples,
        cpu = f.cpu, max_connections = f.max_connections, read_replicas = f.reads == "replicas",
        mode = f.mode, sentinels = watch.count, quorum = watch.quorum,
        down_after = watch.down_after, failover_timeout = watch.failover_timeout,
        parallel_syncs = watch.parallel_syncs,
        replicas = cluster.replicas, node_timeout = cluster.node_timeout,
        validity_factor = cluster.replica_validity_factor or 10, redirects = cluster.redirects,
        is_partial = cluster.require_full_coverage == false,
        reads_when_down = cluster.allow_reads_when_down,
        migration_barrier = cluster.migration_barrier or 1,
        no_migration = cluster.allow_replica_migration == false,
        appendonly = files.appendonly, appendfsync = files.appendfsync, save = files.save,
        save_changes = files.save_changes, save_rate = files.save_rate,
        load_rate = files.load_rate,
        min_replicas = f.min_replicas_to_write, min_replicas_lag = f.min_replicas_max_lag,
    }
end

return M
