--- What a database says about its log (schema_replication.lua), handed to C.
local M = {}

local SAYS = { "commit", "quorum", "priority", "wal_flush", "standby_write", "apply_time", "replay",
    "wal_writer_delay", "sender_timeout" }

local function says_any(f)
    for _, name in ipairs(SAYS) do
        if f[name] ~= nil then return true end
    end
    return false
end

local WAITS_FOR_NOBODY = { async = true, ["local"] = true }

--- `replication` and `commit` say the same thing in two grains: they must agree.
local function level(f)
    local commit = f.commit
    if f.replication == "multi" then return commit == "quorum" and "on" or commit or "local" end
    if not commit then return f.replication == "sync" and "on" or "local" end
    if f.replication == "sync" and WAITS_FOR_NOBODY[commit] then
        return nil, ('commit = "%s" waits for no standby, and replication = "sync" for one: '
            .. "leave one of them out"):format(commit)
    elseif f.replication == "async" and not WAITS_FOR_NOBODY[commit] then
        return nil, ('commit = "%s" waits for standbys, and replication = "async" for none: '
            .. "leave one of them out"):format(commit)
    end
    return commit == "quorum" and "on" or commit
end

local function commit(C, c)
    local f = c.fields
    if not says_any(f) then return true end
    local at, why = level(f)
    if not at then return nil, why end
    if f.commit == "quorum" and not f.quorum then
        return nil, 'commit = "quorum" is any k of the standbys: give quorum = k'
    end
    if f.apply_time and f.replay then
        return nil, "apply_time and replay say how fast a standby applies: give one of them"
    end
    local apply = f.apply_time or f.replay and { dist = "constant", a = 1e9 / f.replay, b = 0 }
    return C.replication(c.id, { commit = at, quorum = f.quorum, priority = f.priority,
        wal_flush = f.wal_flush, standby_write = f.standby_write, apply_time = apply,
        wal_writer_delay = f.wal_writer_delay, sender_timeout = f.sender_timeout })
end

local OF_A_LEASE = { "store", "ttl", "loop_wait", "retry_timeout", "poll" }

local function failover(C, c)
    local f = c.fields.failover
    if not f then return true end
    local lease = f.lease
    for _, name in ipairs(OF_A_LEASE) do
        if f[name] and f.lease == false then
            return nil, ("%s is a lease's, and lease = false says that there is none"):format(name)
        end
        lease = lease or f[name] ~= nil
    end
    if lease and f.detect then
        return nil, "detect and a lease are two ways to find out that the primary is dead: give "
            .. "one of them"
    elseif (f.size or f.rate) and not f.rejoin then
        return nil, 'size and rate are about coming back: give rejoin = "rewind" or "rebuild"'
    end
    return C.failover(c.id, { mode = f.mode, detect = f.detect, promote = f.promote, lease = lease,
        store = f.store and f.store.id,
        ttl = f.ttl, loop_wait = f.loop_wait, retry_timeout = f.retry_timeout, poll = f.poll,
        maximum_lag = f.maximum_lag_on_failover, unfenced = f.fencing == false,
        discovery = f.discovery, rejoin = f.rejoin, size = f.size, rate = f.rate })
end

local function multi(C, c)
    local f = c.fields
    if f.replication ~= "multi" then
        if not f.conflict then return true end
        return nil, 'conflict is about many masters: give replication = "multi"'
    elseif f.schema and type(f.conflict) == "function" then
        return nil, 'a `conflict` function is given rows of a key and a value, and a schema has '
            .. 'others: write conflict = "last_writer_wins" or "first_writer_wins"'
    elseif f.schema and (f.commit == "async" or f.wal_flush) then
        return nil, "with a schema and many masters each commit is flushed at once: leave "
            .. "wal_flush and commit = \"async\" out"
    elseif f.failover then
        return nil, 'with replication = "multi" nobody leads, so nobody takes over: leave '
            .. "`failover` out"
    end
    return C.multi(c.id, nil, f.conflict)
end

local NOT_OF_RAFT = { "failover", "commit", "quorum", "priority", "wal_flush", "standby_write",
    "apply_time", "replay", "wal_writer_delay", "sender_timeout", "conflict", "backup" }

local function raft(C, c)
    local f = c.fields
    if f.replication ~= "raft" then
        if not f.raft then return true end
        return nil, 'the block raft is about a Raft group: give replication = "raft"'
    end
    for _, name in ipairs(NOT_OF_RAFT) do
        if f[name] then
            return nil, ('with replication = "raft" a majority decides what is committed and who '
                .. "leads, and a node's `disk` how long a flush takes: leave `%s` out"):format(name)
        end
    end
    local r = f.raft or {}
    local snapshot = r.snapshot or {}
    return C.raft(c.id, { members = r.members, heartbeat = r.heartbeat, election = r.election,
        no_pre_vote = r.pre_vote == false, no_check_quorum = r.check_quorum == false,
        reads = r.reads, snapshot_every = snapshot.every, snapshot_keep = snapshot.keep,
        entry_bytes = r.entry_size })
end

local function checkpoint(C, c)
    local k = c.fields.checkpoint
    if not k then return true end
    return C.checkpoint(c.id, { timeout = k.timeout, completion_target = k.completion_target,
        max_wal_size = k.max_wal_size, no_full_pages = k.full_page_writes == false,
        pages = k.pages, record = k.record, bandwidth = k.bandwidth })
end

local function wal(C, c)
    local k = c.fields.wal
    if not k then return true end
    local copy = k.copy or {}
    return C.retain(c.id, { slots = k.slots, keep = k.wal_keep_size,
        slot_keep = k.max_slot_wal_keep_size, copy_after = copy.after, copy_bytes = copy.size,
        copy_rate = copy.rate })
end

local function encryption(C, c)
    local e = c.fields.encryption
    if not e then return true end
    local t = e.in_transit or {}
    if not e.at_rest and (e.key_valid_for or e.rate) then
        return nil, "key_valid_for and rate are about data at rest: give at_rest = true"
    end
    return C.encryption(c.id, { at_rest = e.at_rest, rate = e.rate,
        key_valid_for = e.key_valid_for, in_transit = e.in_transit ~= nil, wrong_ca = t.wrong_ca,
        plaintext = t.plaintext, valid_for = t.valid_for })
end

local function reads(C, c)
    local f = c.fields
    if not (f.read_your_writes or f.max_lag) then return true end
    return C.reads(c.id, { read_your_writes = f.read_your_writes, max_lag = f.max_lag })
end

--- All of it; nil and a sentence if the model refuses.
function M.declare(C, c)
    if c.kind ~= "database" then return true end
    for _, part in ipairs { commit, failover, multi, raft, checkpoint, wal, encryption, reads } do
        local ok, message = part(C, c)
        if not ok then return nil, message end
    end
    return true
end

--- `db:failover { to = db.node[2] }`: what a person decides. Says what is wrong with it.
function M.force(C, db, to)
    local ok, message = C.force_failover(db.id, to or 0)
    return ok, message
end

return M
