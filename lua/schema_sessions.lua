--- What a database says about its connections, transactions and locks, and what a handler's
--- transaction is asked for. Rows as in schema.lua; the words are PostgreSQL's and PgBouncer's.
local M = {}

M.sessions = {
    { "when_full", "choice", "what becomes of a call when all connections are in use; default "
        .. "wait, in line until its timeout", choices = { "wait", "refuse" } },
    { "pool", "block", "a pool that all clients share, before the database, as PgBouncer; default "
        .. "none", fields = {
        { "mode", "choice", "what a client has one of its connections for; default transaction",
            choices = { "session", "transaction", "statement" } },
        { "size", "count", "its connections to the database; default 20", min = 1 },
        { "max_clients", "count", "clients at once, further ones are refused; default 100",
            min = 1 },
        { "queue_timeout", "duration", "a query waits for one of them at most so long; default "
            .. "120s", above_zero = true },
    } },
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

--- Of a declared call: it is a transaction.
M.declared = { "transaction", "block", "to a database: it is a transaction of so many statements, "
    .. "each a round trip, and COMMIT; of a service's `calls`", fields = {
    { "reads", "count", "rows that it reads, the first being what the request is about; default "
        .. "0", max = 4096 },
    { "writes", "count", "of those rows, that it then writes; default 0", max = 4096 },
    { "isolation", "choice", "what it sees of others; default read committed",
        choices = M.isolation },
} }

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, row in ipairs(M.sessions) do block[#block + 1] = row end
end

return M
