--- What a database says about its backups (schema_backup.lua), handed to C; and restores.
local M = {}

--- Once all components are made: nil and a sentence if the model refuses.
function M.declare(C, c)
    local b = c.kind == "database" and c.fields.backup
    if not b then return true end
    return C.backup(c.id, { full = b.full, archive = b.archive, drill = b.drill, keep = b.keep,
        to = b.to and b.to.id, size = b.size, throughput = b.throughput,
        replay_rate = b.replay_rate })
end

return M
