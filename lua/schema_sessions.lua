--- What a database says about its connections, transactions and locks, and what a handler's
--- transaction is asked for. Rows as in schema.lua; the words are PostgreSQL's and PgBouncer's.
local M = {}

M.sessions = {
    { "reserved", "count", "connections of max_connections that clients do not get; default 0",
        min = 1 },
    { "deadlock_timeout", "duration", "a wait for a lock is looked at for a deadlock after so "
        .. "long; default 1s", above_zero = true },
    { "lock_timeout", "duration", "a statement gives up waiting for a lock after so long; default "
        .. "never", above_zero = true },
    { "idle_in_transaction_timeout", "duration", "a transaction that says nothing for so long is "
        .. "rolled back; default never", above_zero = true },
}

M.isolation = { "read committed", "repeatable read", "serializable" }

--- req:transaction { db, ... }
function M.transaction(pool)
    return {
        { "isolation", "choice", "what it sees of others; default read committed",
            choices = M.isolation },
        { "read_only", "bool", "it writes nothing, and may go where reads go; default false" },
        { "timeout", "duration", "patience for each statement; default 60s", above_zero = true },
        { "retries", "count", "further tries after a serialization failure or a deadlock; default "
            .. "0", max = 1000 },
        { "backoff", "duration", "before the first of them, doubling, with full jitter; default "
            .. "none" },
        pool,
    }
end

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, row in ipairs(M.sessions) do block[#block + 1] = row end
end

return M
