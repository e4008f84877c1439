--- What a handler's call says beyond a key and a value: the token of a lock, several keys of a
--- cache, and what only a store has, versions, conditions and transactions.
---
---     local r = req:call { carts, "transact_write", token = "order 7", actions = {
---         { "increment", key = "stock", value = -1, at_least = 0 },
---         { "put_if_absent", key = "order 7", value = "paid" },
---     } }
---     if r.value == "TransactionConflict" then return 409 end
local handles = require "handles"
local units = require "units"

local M = {}

local LEVEL = 6 -- of the script, from `wrong`

local function wrong(text, ...) error("req:call: " .. text:format(...), LEVEL) end

local function is_list(v) return type(v) == "table" and not getmetatable(v) and #v > 0 end

local function check_key(what, key)
    if type(key) ~= "string" and math.type(key) ~= "integer" then
        local is_float = math.type(key) == "float" and key == key -- 2.0 would be shown as 2
        wrong("%s: a key is a text or an integer, got %s%s", what,
            is_float and tostring(key) or units.show(key),
            type(key) == "boolean" and "; tostring(key) makes it a text" or "")
    end
end

--- A call may have none: then the request's own.
function M.check_key(what, key)
    if key ~= nil then check_key(what, key) end
end

local function check_keys(body, most)
    local keys = body.keys
    if body.key ~= nil or body.value ~= nil then
        wrong("`keys` names all keys: leave out `key` and `value`")
    end
    if not is_list(keys) or #keys > most then
        wrong("`keys` is a list of 1 to %d texts or integers, got %s", most, units.show(keys))
    end
    for i = 1, #keys do check_key("`keys`", keys[i]) end
end

--- Of mget and mset: several keys, and as many values.
local function cache_keys(C, task, id, body, op)
    check_keys(body, 1024)
    local keys, values = body.keys, body.values
    if op == "mget" and values ~= nil then wrong("mget takes no `values`: it answers them") end
    local has_all = type(values) == "table" and not getmetatable(values) and #values == #keys
    if op == "mset" and not has_all then
        wrong("mset needs `values`, a list of as many as there are `keys`: %d", #keys)
    end
    return C.call_many(task, id, keys, values)
end

local KINDS = { put = true, put_if_absent = true, put_if_match = true, increment = true,
    delete = true, check = true, check_absent = true }
local FIELDS = { [1] = true, key = true, value = true, match = true, at_least = true }

--- One action as C takes it: its kind, key, value, what must be there, and the least of a sum.
local function action_of(a, i)
    local what = ("action %d"):format(i)
    if type(a) ~= "table" or getmetatable(a) or not KINDS[a[1]] then
        wrong("%s is not one of put, put_if_absent, put_if_match, increment, delete, check and "
            .. 'check_absent: write { "put", key = "a", value = 1 }', what)
    end
    for k in next, a do
        if not FIELDS[k] then
            wrong("%s has no `%s`: it has key, value, match and at_least", what, units.key(k))
        end
    end
    check_key(what, a.key)
    local kind, value, match = a[1], a.value, a.match
    if kind == "increment" then
        value = value == nil and 1 or value
        if math.type(value) ~= "integer" or a.at_least and math.type(a.at_least) ~= "integer" then
            wrong("%s: an increment has an integer as its value, and as at_least", what)
        end
    elseif a.at_least ~= nil then
        wrong("%s: `at_least` is of an increment's sum", what)
    elseif kind:find "^put" and value == nil then
        wrong("%s: %s needs a `value`", what, kind)
    elseif kind == "put_if_match" and match == nil then
        wrong("%s: put_if_match needs `match`: what must be there", what)
    elseif kind == "check" or kind == "delete" then
        match, value = value, nil
    end
    return { kind == "put_if_match" and "put" or kind, a.key, value, match, a.at_least }
end

local function actions_of(body)
    local list = body.actions
    if body.key ~= nil or body.value ~= nil or body.keys ~= nil then
        wrong("each of `actions` has its own key and value: leave them out beside it")
    end
    if not is_list(list) or #list > 100 then
        wrong("`actions` is a list of 1 to 100, got %s", units.show(list))
    end
    local out, seen = {}, {}
    for i = 1, #list do
        out[i] = action_of(list[i], i)
        local key = list[i].key
        if seen[key] then
            wrong("actions %d and %d are about one item, %s: a transaction has one for each",
                seen[key], i, units.show(key))
        end
        seen[key] = i
    end
    return out
end

--- Which operation each of these is of.
local OF = {
    { "actions", { transact_write = true } },
    { "match", { put_if_match = true } },
    { "version", { get = true, head = true, delete = true, restore = true, [""] = true } },
}

--- What may be fenced: writes of one key. Of a database whatever does not read.
local WRITES = {
    cache = { set = true, setnx = true, del = true, incr = true, decr = true, expire = true,
        sadd = true },
    store = { put = true, put_if_absent = true, put_if_match = true, increment = true,
        delete = true },
}

--- A lock's token, shown with a write.
local function check_token(C, to, body, op)
    local token, writes = body.token, WRITES[to.kind]
    if token == nil then return end
    if to.kind == "database" and to.fields.schema then
        wrong("`token` is of rows: with SQL a statement checks it itself, such as update ... "
            .. "where token <= ?")
    elseif not writes and to.kind ~= "database" then
        wrong("`token` is of writes to a database, a cache or a store, and %s is a %s", to.name,
            to.kind)
    elseif writes and not writes[op] or not writes and C.is_read(op) then
        wrong("`token` is of a write to one key, and %s is none", op == "" and "get" or op)
    elseif math.type(token) ~= "integer" or token < 1 or token >= 1 << 60 then
        wrong("`token` is what a lock's grant answered, `r.token`: a whole number from 1 on, got "
            .. "%s", units.show(token))
    end
end

local function check_store(to, body, op)
    if body.version ~= nil and to.fields.kind == "key_value" then
        wrong("`version` is of objects, and %s keeps items", to.name)
    end
    for _, row in ipairs(OF) do
        if body[row[1]] ~= nil and not row[2][op] then
            wrong("`%s` is not of %s", row[1], op == "" and "get" or op)
        end
    end
    if op == "put_if_match" and body.match == nil then
        wrong("put_if_match needs `match`: what must be there")
    elseif op == "restore" and body.version == nil then
        wrong("restore needs `version`: the id of the one that is to be current again")
    elseif op == "transact_write" and body.actions == nil then
        wrong('transact_write needs `actions`, such as { { "put", key = "a", value = 1 } }')
    elseif op == "transact_get" and body.keys == nil then
        wrong("transact_get needs `keys`: of what it reads")
    elseif op == "transact_write" and body.token ~= nil and type(body.token) ~= "string" then
        wrong("`token` of transact_write is a text, got %s", units.show(body.token))
    elseif op ~= "transact_write" then
        check_token(nil, to, body, op)
    elseif body.keys ~= nil and op ~= "transact_get" then
        wrong("`keys` is of a store's transact_get; %s takes `key`", op == "" and "get" or op)
    end
end

local function store_call(C, task, id, to, body, op, key)
    check_store(to, body, op)
    local actions
    if op == "transact_write" then actions = actions_of(body) end
    if op == "transact_get" then
        check_keys(body, 100)
        actions = {}
        for i = 1, #body.keys do actions[i] = { "check", body.keys[i] } end
    end
    local is_lock = op ~= "transact_write"
    return C.call_store(task, id, actions and actions[1][2] or body.key or key, body.value,
        body.match, body.version, not is_lock and body.token or nil, actions,
        is_lock and body.token or nil)
end

M.SAYS = { "keys", "values", "actions", "token", "match", "version" }
local SINGLE = { put = true, get = true, head = true, delete = true, put_if_absent = true,
    restore = true, [""] = true }

--- Whether the call of `body` is one of these. A bucket that keeps versions tells their ids, so
--- all of its calls are.
function M.is_one(to, body, op)
    for _, name in ipairs(M.SAYS) do
        if body[name] ~= nil then return true end
    end
    return to.kind == "store" and (to.keeps_versions and SINGLE[op] or op == "versions"
        or op == "transact_write" or op == "transact_get" or op == "put_if_match"
        or op == "restore") or false
end

--- The first word of an operation, as stores and caches look at it.
function M.op_of(body, tostring_of)
    return body[2] and tostring_of(body[2]):match "^%S*":lower() or ""
end

--- The call's result; `key` is the request's own.
function M.call(C, task, id, body, op, key)
    local to = handles.of(body[1])
    local is_many = body.keys ~= nil or body.values ~= nil or body.actions ~= nil
    if body.token ~= nil and to.kind ~= "store" then
        if is_many then wrong("`token` is of a write to one key: write without `keys`") end
        check_token(C, to, body, op)
        M.check_key("`key`", body.key)
    end
    if body.values ~= nil and body.keys == nil then
        wrong("`values` needs `keys`: whose they are")
    end
    local ok, status, value, outcome, answered, token
    if to.kind == "store" then
        if body.values ~= nil then wrong("`values` is of a cache's mset") end
        ok, status, value, outcome, answered = store_call(C, task, id, to, body, op, key)
    elseif body.keys ~= nil and to.kind == "cache" and (op == "mget" or op == "mset") then
        ok, status, value, outcome, answered = cache_keys(C, task, id, body, op)
    elseif body.token ~= nil and not is_many and body.match == nil and body.version == nil then
        ok, status, value, outcome, answered, token = C.call_fenced(task, id, body.key or key,
            body.value, body.token)
    elseif body.keys ~= nil then
        wrong("`keys` is of a cache's mget and mset; %s takes `key`", op == "" and "get" or op)
    else
        wrong("`match`, `version` and `actions` are of calls to a store")
    end
    local result = { ok = ok, status = status, value = value, outcome = outcome, token = token }
    if to.kind == "cache" or op == "versions" or op == "transact_get" then
        result.values = answered
    else
        result.version = answered and answered[1]
    end
    return result
end

return M
