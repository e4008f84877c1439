--- What a database says about its backups. Rows as in schema.lua.
local M = {}

M.backup = {
    { "backup", "block", "full backups, and the log's archive; default none", fields = {
        { "full", "duration", "from one full backup to the next; default 24h", above_zero = true },
        { "archive", "duration", "from one archived stretch of the log to the next "
            .. "(archive_timeout); default not archived", above_zero = true },
        { "to", "ref:service|balancer|gateway|cache|store|database", "what keeps them, and must "
            .. "be reachable; default somewhere that nothing here reaches" },
        { "keep", "count", "full backups that are kept; default 7", min = 1, max = 64 },
        { "size", "size", "what a full backup copies; default nothing, at once" },
        { "throughput", "bandwidth", "of copying, there and back; default 200MB/s",
            above_zero = true },
        { "replay_rate", "number", "how many times as fast as it was written the log is replayed; "
            .. "default 5", above_zero = true },
        { "drill", "duration", "from one restore drill to the next; default never",
            above_zero = true },
    } },
}

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, row in ipairs(M.backup) do block[#block + 1] = row end
end

return M
