--- `req:transaction`: several statements of a handler on one connection to one database node.
---
---     local r = req:transaction({ db, isolation = "serializable", retries = 3 }, function(tx)
---         local left = tx:read("stock") or 0
---         if left == 0 then return "sold out" end
---         tx:write("stock", left - 1)
---         return "sold"
---     end)
---     if not r.ok then return 503 end
---
--- The function's end commits; its error, `tx:rollback()`, and a statement that is not done roll
--- back. A statement that fails ends the function there: `r` says why.
local fields = require "fields"
local handles = require "handles"
local sql = require "sql"
local units = require "units"

local M = {}

local Transaction = {}
Transaction.__index = Transaction
Transaction.__metatable = "transaction"
Transaction.__name = "transaction"

--- What leaves the function early. No script can make one, or catch it for good: whatever is
--- said after it fails again.
local FAILED = setmetatable({}, { __metatable = false,
    __tostring = function() return "the transaction has failed" end })
local ROLLBACK = setmetatable({}, { __metatable = false,
    __tostring = function() return "the transaction is rolled back" end })

local KEYLESS = { commit = true, rollback = true }

local function statement(tx, what, key, more)
    local t = tx.inner
    if math.type(key) ~= "integer" and type(key) ~= "string" and not KEYLESS[what] then
        error(("tx:%s: a key is an integer or a text, got %s"):format(what, units.show(key)), 2)
    end
    if t.failed or t.ended then
        if t.ended then
            error("the transaction has ended: its statements are made inside its function", 3)
        end
        error(FAILED, 0)
    end
    if t.speaks_sql and what ~= "commit" and what ~= "rollback" then
        error(("tx:%s works on rows by key, and the database has a schema: write tx:sql"):format(
            what), 3)
    end
    local inner, C = t.inner, t.inner.state.C
    local ok, status, value, outcome, answer = C.tx_call(inner.task, t.edge, t.id, what, key, more)
    t.status, t.outcome = status, outcome
    if ok then return value end
    t.code, t.error = C.tx_why(t.id)
    if answer then t.code, t.error = answer.code, answer.error end
    t.failed = true
    error(FAILED, 0)
end

--- A statement of SQL, with a value for each parameter; what comes back is as of req:sql.
function Transaction:sql(text, values)
    local t = self.inner
    if not t.speaks_sql then
        error("tx:sql: the database has no `schema`; tx:read and tx:write work on its rows", 2)
    end
    if t.failed then error(FAILED, 0) end
    if t.ended then
        error("the transaction has ended: its statements are made inside its function", 2)
    end
    local list, count = sql.values_of("tx:sql", values, text)
    local inner, C = t.inner, t.inner.state.C
    local ok, status, _, outcome, answer = C.tx_sql(inner.task, t.edge, t.id, text, list, count)
    t.status, t.outcome = status, outcome
    if ok then return sql.good(answer, status, outcome) end
    t.code, t.error = C.tx_why(t.id)
    if answer then t.code, t.error = answer.code, answer.error end
    t.failed = true
    error(FAILED, 0)
end

--- What the row holds as this transaction sees it; nil if there is none.
function Transaction:read(key) return statement(self, "read", key) end

--- SELECT ... FOR UPDATE: the row's lock, and what it holds.
function Transaction:lock(key) return statement(self, "lock", key) end

function Transaction:write(key, value)
    if value == nil then error("tx:write needs a value; tx:delete removes a row", 2) end
    return statement(self, "write", key, value)
end

--- Behind what the row holds, with a comma between: SQL's v || ',' || element, on the row as it is
--- when its lock is there.
function Transaction:append(key, element)
    local is_text = type(element) == "string" and element ~= "" and not element:find(",", 1, true)
    if not is_text and math.type(element) ~= "integer" then
        error(("tx:append takes an integer or a text without a comma, got %s"):format(
            units.show(element)), 2)
    end
    return statement(self, "append", key, element)
end

function Transaction:delete(key) statement(self, "write", key, nil) end

--- The rows whose keys are the integers `from` to `to`: a list of { key =, value = }, by key.
function Transaction:scan(from, to)
    if math.type(from) ~= "integer" or math.type(to) ~= "integer" or to < from then
        error(("tx:scan takes two integers, the first not above the second, got %s and %s"):format(
            units.show(from), units.show(to)), 2)
    end
    statement(self, "scan", from, to)
    return self.inner.inner.state.C.tx_rows(self.inner.id)
end

function Transaction:rollback()
    statement(self, "rollback")
    error(ROLLBACK, 0)
end

--- The way its statements go; made on first use and found again by what it says.
local function way_for(inner, body, options)
    local state = inner.state
    local to = handles.of(body[1])
    if not to or to.kind ~= "database" or not to.id then
        error("req:transaction: the first entry is a database, got "
            .. handles.describe(body[1]), 4)
    end
    local known = state.transactions[inner.service]
    if not known then known = {}; state.transactions[inner.service] = known end
    local ways = known[to]
    if not ways then ways = {}; known[to] = ways end
    for i = 1, #ways do
        if options.is_same(ways[i].options, ways[i].count, body) then return ways[i] end
    end
    local before = #state.diag.list
    local f = fields.read({ state = state, what = "req:transaction", line = state.line() },
        fields.schema.transaction, body)
    if f.broken or #state.diag.list > before then
        local d = table.remove(state.diag.list)
        error(d and d.text or "req:transaction is wrong", 4)
    end
    local is_snapshot = f.isolation and f.isolation ~= "read committed"
    local log = to.fields.replication
    if is_snapshot and to.fields.schema and (log == "multi" or log == "raft") then
        error(('req:transaction: %s speaks SQL with replication = "%s", which has read committed '
            .. "only, got %q"):format(to.name, log, f.isolation), 4)
    end
    local pool = f.pool or {}
    local id, message = state.C.edge { from = inner.service, to = to.id,
        op = f.read_only and "read transaction" or "transaction",
        is_session = true, timeout = f.timeout, balance = "round_robin", pool = f.pool ~= nil,
        pool_max = pool.max, pool_idle = pool.idle_timeout, pool_age = pool.max_age,
        pool_cold = pool.warm == false }
    if not id then error("req:transaction: " .. message, 4) end
    local way = { id = id, fields = f, speaks_sql = to.fields.schema ~= nil }
    way.options, way.count = options.copy(body)
    ways[#ways + 1] = way
    return way
end

--- One try: what the function gave, or how it failed.
local function attempt(inner, way, f)
    local C = inner.state.C
    inner.transactions = (inner.transactions or 0) + 1
    local id = C.tx_open(inner.task, way.id, inner.transactions, way.fields.isolation,
        way.fields.read_only)
    local t = { inner = inner, edge = way.id, id = id, speaks_sql = way.speaks_sql }
    local tx = setmetatable({ inner = t }, Transaction)
    -- Its request may be dropped while it waits: then nothing but this runs.
    local _ <close> = setmetatable({}, { __close = function()
        t.ended = true
        C.tx_close(id)
    end })
    local ok, value = pcall(f, tx)
    if not ok and value ~= FAILED and value ~= ROLLBACK then error(value, 0) end
    if ok and not t.failed and t.status then ok = pcall(statement, tx, "commit") end
    local is_good = ok and not t.failed
    local why = t.error or t.failed and t.outcome or value == ROLLBACK and "rolled back" or nil
    return { ok = is_good, value = is_good and value or nil, code = t.code, error = why,
        status = t.status or 200, outcome = t.outcome or "ok" }
end

--- Serialization failures and deadlocks are worth another try (PostgreSQL 13.5).
local AGAIN = { ["40001"] = true, ["40P01"] = true }

function M.run(inner, body, f, options)
    if type(body) ~= "table" or type(f) ~= "function" then
        error("req:transaction takes { db, ... } and a function(tx)", 3)
    end
    local way = way_for(inner, body, options)
    local retries = way.fields.retries or 0
    for try = 1, retries + 1 do
        local r = attempt(inner, way, f)
        r.attempts = try
        if r.ok or not AGAIN[r.code] or try > retries then return r end
        local base = way.fields.backoff
        if base and base > 0 then
            local most = base * (1 << math.min(try - 1, 20))
            inner.state.C.pause(inner.task, math.floor(inner.state.C.rand() * most))
        end
    end
end

return M
