--- What an operator does in `drive` with a group that agrees, or a database with
--- replication = "raft"; the words are etcdctl's. What speaks against it is returned.
---
---     drive("operator", function()
---       assert(etcd:member_add { node = etcd.node[4], learner = true })
---       wait_until(etcd.learners:equals(1))
---       assert(etcd:member_promote { node = etcd.node[4] })
---     end)
local units = require "units"

local M = {}

--- By word: the options it has, and what is written when it is misused.
M.words = {
    member_add = { node = "needed", learner = "flag",
        example = "{ node = %s.node[4], learner = true }" },
    member_promote = { node = "needed", example = "{ node = %s.node[4] }" },
    member_remove = { node = "needed", example = "{ node = %s.node[1] }" },
    move_leader = { to = "node", example = "{ to = %s.node[2] }" },
    snapshot_save = { node = "node", example = "{ node = %s.node[2] }" },
    snapshot_restore = { example = "{}" },
}
local ORDER = { "member_add", "member_promote", "member_remove", "move_leader", "snapshot_save",
    "snapshot_restore" }
M.order = ORDER

local function ordinal_of(handles, word, group, key, v)
    local h = handles.of(v)
    if h and h.kind == "target" and h.component == group and h.target == "instance" then
        return h.ordinal
    end
    error(("%s: `%s` is a node of %s, such as %s.node[2], got %s"):format(word, key, group.name,
        group.name, handles.describe(v)), 5)
end

-- The options by name: a node as its number, a flag as it is.
local function read(handles, word, group, options)
    local known = M.words[word]
    options = options or {}
    if type(options) ~= "table" or getmetatable(options) then
        local example = known.example:format(group.name)
        error(("%s takes a table such as %s, got %s"):format(word, example,
            handles.describe(options)), 4)
    end
    local values = {}
    for key, v in pairs(options) do
        local kind = key ~= "example" and known[key]
        if not kind then
            error(("%s has no option `%s`: write %s:%s " .. known.example):format(word,
                units.key(key), group.name, word, group.name), 4)
        elseif kind ~= "flag" then
            values[key] = ordinal_of(handles, word, group, key, v)
        elseif type(v) ~= "boolean" then
            error(("%s: `%s` is true or false, got %s"):format(word, key, units.show(v)), 4)
        else
            values[key] = v
        end
    end
    for key, kind in pairs(known) do
        if kind == "needed" and not values[key] then
            error(("%s needs `%s`: write %s:%s " .. known.example):format(word, key, group.name,
                word, group.name), 4)
        end
    end
    return values
end

---@param a table the words that act, to which these are added
---@param C table what C offers
---@param handles table the module of that name, which needs this one's list of words
function M.add_to(a, C, handles)
    function a.member_add(group, options)
        local o = read(handles, "member_add", group, options)
        local ok, why = C.member(group.id, o.learner and "add_learner" or "add", o.node)
        return ok, why
    end

    function a.member_promote(group, options)
        local o = read(handles, "member_promote", group, options)
        local ok, why = C.member(group.id, "promote", o.node)
        return ok, why
    end

    function a.member_remove(group, options)
        local o = read(handles, "member_remove", group, options)
        local ok, why = C.member(group.id, "remove", o.node)
        return ok, why
    end

    function a.move_leader(group, options)
        local o = read(handles, "move_leader", group, options)
        local ok, why = C.move_leader(group.id, o.to or 0)
        return ok, why
    end

    function a.snapshot_save(group, options)
        local o = read(handles, "snapshot_save", group, options)
        local index, why = C.snapshot_save(group.id, o.node or 0)
        return index, why
    end

    function a.snapshot_restore(group, options)
        read(handles, "snapshot_restore", group, options)
        local ok, why = C.snapshot_restore(group.id)
        return ok, why
    end
end

return M
