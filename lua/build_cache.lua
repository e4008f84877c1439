--- A cache's block (schema_cache.lua), handed to C.
local M = {}

local MOST = 50000000 -- entries, where only memory is said

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
        min_replicas = f.min_replicas_to_write, min_replicas_lag = f.min_replicas_max_lag,
    }
end

return M
