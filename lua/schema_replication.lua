--- What a database says about its log, who leads it, and how it comes to another. Rows as in
--- schema.lua; the words are PostgreSQL's and Patroni's.
local M = {}

M.commit = {
    { "commit", "choice", "when a write is acknowledged: before the local flush, after it, when "
        .. "standbys have written, flushed (\"on\", \"quorum\") or applied it; default as "
        .. "`replication` says", choices = { "async", "local", "remote_write", "on",
            "remote_apply", "quorum" } },
    { "quorum", "count", "any so many standbys must have confirmed; default 1", min = 1, max = 63 },
    { "priority", "counts", "nodes by number: the first `quorum` of them that are connected must "
        .. "have confirmed; default any will do" },
    { "wal_flush", "dist", "of the log, here and at standbys, in groups; default no time" },
    { "standby_write", "dist", "until a standby has written what it received; default no time" },
    { "apply_time", "dist", "a standby applies a record, one after another; default no time" },
    { "replay", "rate", "records a standby applies, in place of apply_time; default without end",
        above_zero = true },
    { "wal_writer_delay", "duration", "with commit = \"async\": how often the log is flushed; "
        .. "default 200ms", above_zero = true },
    { "sender_timeout", "duration", "a silent standby counts as connected; default 60s",
        above_zero = true },
}

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, row in ipairs(M.commit) do block[#block + 1] = row end
end

return M
