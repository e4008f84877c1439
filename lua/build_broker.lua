--- Brokers, topics and consumers (schema_broker.lua), handed to C.
local M = {}

local TRANSACTION_TIMEOUT = 60000000000 -- ns; transaction.timeout.ms

function M.broker(C, c, place)
    local f = c.fields
    return C.broker { name = c.name, line = c.row, nodes = f.nodes, spread = place,
        election = f.election, disk_write = f.disk_write, replica_lag_time = f.replica_lag_time,
        flush = f.flush }
end

function M.topic(C, c)
    local f = c.fields
    return C.topic { name = c.name, line = c.row, broker = f.on.id, partitions = f.partitions,
        replication = f.replication, min_isr = f.min_isr, unclean = f.unclean,
        retention = f.retention, retention_bytes = f.retention_bytes }
end

function M.consumers(C, c, place)
    local f = c.fields
    if f.transaction_timeout and not f.transactions then
        return nil, "transaction_timeout is of transactions: give transactions = true"
    end
    local commit = f.commit or {}
    local is_cooperative = f.protocol == "cooperative"
    return C.consumers { name = c.name, line = c.row, topic = f.of.id, members = f.members,
        spread = place, batch = f.batch, work = f.work, cpu = f.cpu,
        session = f.session or f.rebalance, heartbeat = f.heartbeat,
        max_poll_interval = f.max_poll_interval, is_cooperative = is_cooperative,
        is_static = f.static,
        assignment = f.assignment or is_cooperative and "sticky" or "range",
        commit_every = commit.every, reads_committed = f.isolation == "read_committed",
        commit_batch = commit.after == "batch" or (f.transactions and not f.commit),
        transaction_timeout = f.transactions and (f.transaction_timeout or TRANSACTION_TIMEOUT)
            or nil,
        at_most_once = commit.delivery == "at_most_once", from_earliest = f.reset == "earliest",
        on_error = f.on_error or "retry", is_handled = (f.handle or f.calls) ~= nil }
end

--- What a traffic says of writing to a topic.
function M.producer(f)
    local also = {}
    for i, topic in ipairs(f.also_to or {}) do also[i] = topic.id end
    return { acks = f.acks or "all", idempotent = f.idempotent, linger = f.linger,
        batch_size = f.batch_size, max_in_flight = f.max_in_flight, buffer = f.buffer,
        transactional_id = f.transactional_id, also_to = also, aborts = f.aborts,
        transaction_timeout = f.transaction_timeout }
end

return M
