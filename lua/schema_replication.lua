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

--- The block `failover`; false is the same as mode = "none".
M.failover = {
    { "mode", "choice", "who decides that another leads: nobody, `db:failover` in drive, or the "
        .. "nodes; default automatic", choices = { "none", "manual", "automatic" } },
    { "detect", "duration", "from the primary's death until it is declared dead; default 5s" },
    { "promote", "duration", "from then until a replica leads; default 4s" },
    { "lease", "bool", "the leader holds a lease, as Patroni's does, in place of `detect`; default "
        .. "true if any of the next four is given" },
    { "store", "ref:consensus", "who keeps it: a leader that does not reach it, or finds no "
        .. "majority of it, cannot renew; default one that is always there" },
    { "ttl", "duration", "how long the lease lasts; default 30s", above_zero = true },
    { "loop_wait", "duration", "how often it is renewed; default 10s", above_zero = true },
    { "retry_timeout", "duration", "a leader that cannot renew it steps down after; default 10s",
        above_zero = true },
    { "poll", "duration", "how often the others look whether it has run out; default they are told",
        above_zero = true },
    { "maximum_lag_on_failover", "size", "who is further behind does not lead; default no limit" },
    { "fencing", "bool", "a leader that was given up takes no more writes; default true" },
    { "discovery", "duration", "until callers know who leads, if they can reach it; default at "
        .. "once" },
    { "rejoin", "choice", "how an old leader comes back: its own pages copied, or everything; "
        .. "default at once", choices = { "rewind", "rebuild" } },
    { "size", "size", "of the data: what a rebuild copies" },
    { "rate", "bandwidth", "of the copy; default 200MB/s", above_zero = true },
}

M.multi = {
    { "conflict", "rule", "with replication = \"multi\": which of two writes of a row stays that "
        .. "have not seen each other, or a function of both; default last_writer_wins",
        choices = { "last_writer_wins", "first_writer_wins" } },
}

M.raft = {
    { "raft", "block", "with replication = \"raft\": its elections, reads and log", fields = {
        { "members", "count", "of the nodes, the first, that are members at first; others can be "
            .. "added in drive; default all", min = 1, max = 15 },
        { "heartbeat", "duration", "from the leader to the others; default 100ms",
            above_zero = true },
        { "election", "duration", "a node that hears no leader for a time drawn from this to twice "
            .. "this begins an election; default 1s", above_zero = true },
        { "pre_vote", "bool", "it asks first whether it could win; default true" },
        { "check_quorum", "bool", "a leader that hears no majority steps down; default true" },
        { "reads", "choice", "how the primary is sure that it still is: by asking a majority, or "
            .. "by its clock; default index", choices = { "index", "lease" } },
        { "snapshot", "block", "when the log is cut", fields = {
            { "every", "count", "entries; default 10000", min = 1 },
            { "keep", "count", "entries before it that are kept for who is behind; default 5000",
                min = 1 },
        } },
        { "entry_size", "size", "of an entry on the network; default 256B", above_zero = true },
    } },
}

M.checkpoint = {
    { "checkpoint", "block", "when changed pages are written, and what that makes of the log; "
        .. "default its bytes take no time", fields = {
        { "timeout", "duration", "from one to the next; default 5m", above_zero = true },
        { "completion_target", "ratio", "of that time, over which pages are written; default 90%" },
        { "max_wal_size", "size", "one begins sooner after this / (1 + completion_target) of log; "
            .. "default 1GiB", above_zero = true },
        { "full_page_writes", "bool", "who changes a page first since one began logs all of "
            .. "it, 8 KiB; default true" },
        { "pages", "count", "of 8 KiB, over which its rows lie by a hash; default 100000", min = 1,
            max = 10000000 },
        { "record", "size", "of a row's change in the log; default 128B", above_zero = true },
        { "bandwidth", "bandwidth", "of a flush, beside wal_flush; default bytes take no time",
            above_zero = true },
    } },
}

M.wal = {
    { "wal", "block", "which of its log, in segments of 16 MiB, the primary keeps on its disk: "
        .. "what nobody needs is removed as a `checkpoint` ends; default all, and it takes no room",
        fields = {
        { "slots", "bool", "each standby has a replication slot: what it has not flushed is kept "
            .. "for it; default false" },
        { "wal_keep_size", "size", "so much is kept for standbys in any case; default 0B" },
        { "max_slot_wal_keep_size", "size", "a slot keeps no more, and its standby loses its way; "
            .. "default without end", above_zero = true },
        { "copy", "block", "a standby that needs what was removed is copied anew; default never",
            fields = {
            { "after", "duration", "how long after that: somebody has to notice", required = true,
                above_zero = true },
            { "size", "size", "what is copied; default nothing, at once" },
            { "rate", "bandwidth", "of the copy; default 200MB/s", above_zero = true },
        } },
    } },
}

M.encryption = {
    { "encryption", "block", "of its data, and between its nodes: what it costs, and what is wrong "
        .. "with it; default none", fields = {
        { "at_rest", "bool", "a query encrypts or decrypts a page of 8 KiB; default false" },
        { "rate", "bandwidth", "of a core; default 1GB/s", above_zero = true },
        { "key_valid_for", "duration", "a node that begins later cannot open its data; default for "
            .. "ever", above_zero = true },
        { "in_transit", "block", "standbys ask who leads for TLS, and look at its certificate when "
            .. "they connect", fields = {
            { "wrong_ca", "counts", "nodes by number that do not trust who has signed it; default "
                .. "none" },
            { "plaintext", "counts", "nodes by number that speak no TLS when they lead; default "
                .. "none" },
            { "valid_for", "duration", "certificates have expired for who connects later; default "
                .. "for ever", above_zero = true },
        } },
    } },
}

M.reads = {
    { "read_your_writes", "bool", "a replica answers only who has written nothing that it has not "
        .. "applied; default false" },
    { "max_lag", "duration", "a replica that is further behind answers nobody; default any",
        above_zero = true },
}

M.fence = {
    { "checks_tokens", "bool", "whether a write whose `token` is lower than one it was shown for "
        .. "the key is refused; default true" },
}

--- The rows of all, for the block of a database.
function M.add_to(block)
    for _, part in ipairs { M.commit, M.multi, M.raft, M.checkpoint, M.wal, M.encryption, M.reads,
        M.fence } do
        for _, row in ipairs(part) do block[#block + 1] = row end
    end
end

return M
