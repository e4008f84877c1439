--- What a database says about its connections and transactions (schema_sessions.lua), handed to C.
local M = {}

--- What a transaction does not go with: each of its statements depends on those before it.
local APART = { "retries", "hedge", "fan_out", "single_flight", "balance" }

--- A declared call; nil and a sentence if it says what cannot be.
function M.check(call)
    local f = call.fields
    if f.fallback and f.fallback.fields.transaction then
        return nil, "a fallback is one call: it cannot be a transaction"
    end
    local t = f.transaction
    if not t then return true end
    if call.to.kind ~= "database" then
        return nil, ("transaction: %s is no database"):format(call.to.text)
    end
    if (t.reads or 0) + (t.writes or 0) == 0 then
        return nil, "a transaction needs reads or writes: give transaction = { reads = 2, writes = "
            .. "1 }"
    end
    for _, name in ipairs(APART) do
        if f[name] then
            return nil, ("a call that is a transaction has no `%s`: its statements depend on each "
                .. "other"):format(name)
        end
    end
    return true
end

--- All of it; nil and a sentence if the model refuses.
function M.declare(C, c)
    if c.kind ~= "database" then return true end
    local f = c.fields
    local ok, why = C.sessions(c.id, { reserved = f.reserved, refuses = f.when_full == "refuse",
        deadlock_timeout = f.deadlock_timeout,
        lock_timeout = f.lock_timeout, idle_timeout = f.idle_in_transaction_timeout })
    if not ok or not f.pool then return ok, why end
    return C.pooler(c.id, { mode = f.pool.mode or "transaction", size = f.pool.size,
        max_clients = f.pool.max_clients, queue_timeout = f.pool.queue_timeout })
end

return M
