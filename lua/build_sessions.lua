--- What a database says about its connections and transactions (schema_sessions.lua), handed to C.
local M = {}

--- All of it; nil and a sentence if the model refuses.
function M.declare(C, c)
    if c.kind ~= "database" then return true end
    local f = c.fields
    return C.sessions(c.id, { reserved = f.reserved, deadlock_timeout = f.deadlock_timeout,
        lock_timeout = f.lock_timeout, idle_timeout = f.idle_in_transaction_timeout })
end

return M
