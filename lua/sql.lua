--- SQL: a database's schema and the statements that are declared against it, checked when the file
--- is read, and `req:sql` of handlers.
---
--- ```lua
--- local db = database "orders" { schema = "create table orders(id integer primary key)" }
--- service "shop" { handle = { ["POST /order"] = function(req)
---     req:sql { db, "insert into orders(id) values (?)", { req.key } }:must()
--- end } }
--- ```
local places = require "places"

local M = {}

-- ---------------------------------------------------------------- checking

--- What a string of the source says, and how many bytes stand before that; nil where escapes make
--- the two different.
local function literal(text)
    local level = text:match "^%[(=*)%["
    if level then
        local skip = #level + 2
        local newline = text:match("^\r?\n", skip + 1)
        skip = skip + (newline and #newline or 0)
        return text:sub(skip + 1, -#level - 3), skip
    end
    if text:find("\\", 1, true) then return nil end
    return text:sub(2, -2), 1
end

--- The place of byte `offset` (from 0) of a text that stands in the file; nil if it was put
--- together from parts.
local function place_in(state, line, text, offset)
    local file, first, outer = state.files.get(line)
    for _, word in ipairs(places.words(file)) do
        local said, skip
        if word.line >= first and word.kind == "string" then said, skip = literal(word.text) end
        if said == text then
            local before = word.text:sub(1, skip + offset)
            local _, lines = before:gsub("\n", "")
            local last = before:match "([^\n]*)$"
            local col = lines == 0 and word.col + #last or #last + 1
            local rest = text:sub(offset + 1)
            local index = state.files.by_chunk[file.chunk]
            return { line = state.files.here(index, word.line + lines, outer), col = col,
                marked = rest:match "^[%w_]+" or rest:match "^%S" or " " }
        end
    end
    return nil
end

local function complain(state, owner, name, text, message, offset)
    local d = place_in(state, owner.line, text, offset) or { line = owner.line,
        path = name and { name } }
    d.code = "LZ210"
    d.text = ("%s: %s"):format(name and ("`%s` of %s"):format(name, owner.text) or owner.text,
        message)
    state.diag.add(d)
end

--- What is asked of each database, in the order it is declared.
local function asked(state, db)
    local list = {}
    local function add(call, what)
        if call.to == db then
            list[#list + 1] = { op = call.op or "", line = call.line, text = what,
                transaction = call.fields and call.fields.transaction }
        end
    end
    for _, c in ipairs(state.plan.components) do
        for _, call in ipairs(c.fields.calls or {}) do
            add(call, ("a call of %s to %s"):format(c.name, db.name))
            if call.fields.fallback then
                add(call.fields.fallback, ("a call of %s to %s"):format(c.name, db.name))
            end
        end
        if c.kind == "traffic" then
            add({ to = c.fields.to, op = c.fields.op, line = c.line },
                ("the requests of %s to %s"):format(c.name, db.name))
        end
    end
    return list
end

local function check(state, db)
    local f = db.fields
    db.text = db.text or ('database "%s"'):format(db.name)
    if not f.schema then
        if f.seed then
            state.diag.add { code = "LZ210", line = db.line, path = { "seed" },
                text = ("`seed` of %s needs a `schema` with the tables it fills"):format(db.text) }
        end
        return
    end
    local calls, texts = asked(state, db), {}
    for _, call in ipairs(calls) do
        if call.transaction then
            state.diag.add { code = "LZ210", line = call.line, word = "transaction",
                text = call.text .. ": a declared `transaction` is of rows by key, and the "
                    .. "database has a schema",
                help = "write a handler with req:transaction and tx:sql" }
            return
        end
        if call.op == "" then
            state.diag.add { code = "LZ210", line = call.line,
                text = call.text .. ": no SQL is said, and the database has a schema",
                help = 'name a statement: call { db, "select * from t where id = :key" }' }
            return
        end
        texts[#texts + 1] = call.op
    end
    local ok, which, message, offset = state.C.sql_check(f.schema, f.seed or "", texts)
    if ok then return end
    if which == 0 then complain(state, db, "schema", f.schema, message, offset)
    elseif which == 1 then complain(state, db, "seed", f.seed, message, offset)
    else
        local call = calls[which - 1]
        complain(state, call, nil, call.op, message, offset)
    end
end

function M.check_whole(state)
    for _, c in ipairs(state.plan.components) do
        if c.kind == "database" and not c.fields.broken then check(state, c) end
    end
end

--- A database that was created, with its tables.
function M.declare(C, c)
    if c.kind ~= "database" or not c.fields.schema then return true end
    return C.sql_declare(c.id, c.fields.schema, c.fields.seed)
end

-- ---------------------------------------------------------------- results

local LOOKED_AT = { ok = true, error = true, status = true, code = true, outcome = true }
local ANSWERED = { rows = true, changes = true, last_id = true }

local function text_of(result)
    local facts = rawget(result, "facts")
    local said = facts.sql:gsub("%s+", " ")
    return ("%s: %s"):format(#said > 80 and said:sub(1, 77) .. "..." or said, facts.error)
end

local Raised = { __name = "sql error", __metatable = "sql error", __tostring = function(e)
    return e.text
end }

--- The request ends here, unless the handler catches it (pcall).
local function raise(result)
    error(setmetatable({ text = text_of(result) }, Raised), 3)
end

--- What a statement that failed gives: looking at how it went is all one can do with it. Asking for
--- what it would have answered ends the request, as does ending without having looked.
local Failed = { __name = "sql result", __metatable = "sql result" }

function Failed.__index(result, k)
    local facts = rawget(result, "facts")
    if LOOKED_AT[k] then
        if facts.inner.unseen == result then facts.inner.unseen = false end
        return facts[k]
    end
    if ANSWERED[k] then raise(result) end
    if k == "must" then return function() raise(result) end end
    return nil
end

local Good = { __name = "sql result", __metatable = "sql result",
    __index = { must = function(result) return result end } }

function M.good(answer, status, outcome)
    answer.ok, answer.status, answer.outcome = true, status, outcome
    return setmetatable(answer, Good)
end

local function failed(inner, sql, answer, status, outcome)
    local facts = { ok = false, status = status, outcome = outcome, sql = sql, inner = inner,
        error = answer and answer.error or outcome, code = answer and answer.code or outcome }
    local result = setmetatable({ facts = facts }, Failed)
    inner.unseen = inner.unseen or result
    inner.state.C.sql_unseen()
    return result
end

function M.is_raised(e) return type(e) == "table" and rawget(e, "text") and true or false end
M.Raised = Raised

local function value_error(what, i, v)
    error(("%s: value %d is a %s: nil, a boolean, a number or a text can be one"):format(what,
        i, type(v)), 4)
end

--- The values, checked, and how many there are: nil is one too.
function M.values_of(what, list, text)
    if type(text) ~= "string" then
        error(("%s: a statement is a text, got a %s"):format(what, type(text)), 3)
    end
    if list == nil then return nil, 0 end
    if type(list) ~= "table" or getmetatable(list) then
        error(what .. ": its values are a list, such as { 1, \"two\" }", 3)
    end
    local count = list.n or 0
    if math.type(count) ~= "integer" or count < 0 or count > 32766 then
        error(what .. ": `n` of the values is how many there are, at most 32766", 3)
    end
    for i, v in next, list do
        if i ~= "n" and math.type(i) ~= "integer" or type(i) == "number" and i < 1 then
            error(what .. ": its values are a list, such as { 1, \"two\" }", 3)
        end
        local t = type(v)
        if t ~= "boolean" and t ~= "number" and t ~= "string" then value_error(what, i, v) end
        if i ~= "n" and i > count then count = i end
    end
    if count > 32766 then error(what .. ": at most 32766 values", 3) end
    return list, count
end

--- `edge_for` finds or makes the way to call.
function M.install(Request, edge_for)
    function Request:sql(body)
        local inner = self.inner
        local C = inner.state.C
        if type(body) ~= "table" or type(body[2]) ~= "string" then
            error('req:sql takes { db, "select ...", { values } }', 2)
        end
        local to = inner.state.facts_of(body[1])
        if not to or to.kind ~= "database" or not to.fields.schema then
            error("req:sql: the first entry is a database with a `schema`", 2)
        end
        local list, count = M.values_of("req:sql", body[3], body[2])
        local id = edge_for(inner.state, inner, body, C.sql_verb(body[2]))
        local ok, status, _, outcome, answer = C.sql(inner.task, id, body.key or self.key, body[2],
            list, count)
        if not ok then return failed(inner, body[2], answer, status, outcome) end
        return M.good(answer, status, outcome)
    end
end

--- A request ended though a statement had failed and nobody looked: what becomes of it.
function M.unseen(state, inner)
    local result = inner.unseen
    inner.unseen = false
    state.C.sql_note(inner.task, text_of(result))
    return 500
end

return M
