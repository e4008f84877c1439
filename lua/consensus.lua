--- The block `consensus`: its fields, what they say about each other, and its making.
---
---     local etcd = consensus "etcd" { nodes = 3, heartbeat = "100ms", election = "1s" }
local M = {}

M.fields = {
    { "nodes", "count", "of which a majority must work; default 3", min = 1, max = 15 },
    { "members", "count", "of the nodes, the first, that are members at first; others can be added "
        .. "in drive; default all", min = 1, max = 15 },
    { "heartbeat", "duration", "from the leader to the others; default 100ms", above_zero = true },
    { "election", "duration", "a node that hears no leader for a time drawn from this to twice "
        .. "this begins an election; default 1s", above_zero = true },
    { "pre_vote", "bool", "it asks first whether it could win, and disturbs nobody if not; "
        .. "default true" },
    { "check_quorum", "bool", "a leader that hears no majority steps down, and who hears a leader "
        .. "elects no other; default true" },
    { "reads", "choice", "how reads are sure to be current: by asking a majority, by the leader's "
        .. "clock, or not at all; default index", choices = { "index", "lease", "stale" } },
    { "request_time", "dist", "of a node's CPU, per request; default 100us" },
    { "cpu", "number", "cores per node; default nothing contends" },
    { "request_timeout", "duration", "after it a request is answered with 503, done or not; "
        .. "default 5s and two elections", above_zero = true },
    { "lease", "duration", "how long who acquires a key may be silent; default 10s",
        above_zero = true },
    { "snapshot", "block", "when the log is cut", fields = {
        { "every", "count", "entries; default 10000", min = 1 },
        { "keep", "count", "entries before it that are kept for who is behind; default 5000",
            min = 1 },
        { "time", "dist", "of a node's CPU; default none" },
    } },
    { "entry_size", "size", "of an entry on the network; default 256B", above_zero = true },
}

---@param spread fun(place: table?): table?
---@return fun(C: table, c: table): integer?, string?
function M.create(spread)
    return function(C, c)
        local f = c.fields
        local snapshot = f.snapshot or {}
        return C.consensus {
            name = c.name, line = c.row, nodes = f.nodes,
            members = f.members, spread = spread(f.on or f.spread),
            heartbeat = f.heartbeat, election = f.election, no_pre_vote = f.pre_vote == false,
            no_check_quorum = f.check_quorum == false, reads = f.reads,
            request_time = f.request_time, cpu = f.cpu, request_timeout = f.request_timeout,
            lease = f.lease, snapshot_every = snapshot.every, snapshot_keep = snapshot.keep,
            snapshot_time = snapshot.time, entry_bytes = f.entry_size,
        }
    end
end

return M
