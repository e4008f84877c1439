--- What must hold: `expect`, `slo`, `check`, and `amplification(a, b)`.
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local words = require "words"

local M = {}
local POISON = diag.POISON
local NO_CALLER = { alert = true, rule = true }

local OPERATORS = { "always", "never", "eventually", "at_end", "sometimes", "linearizable",
    "serializable", "conserved", "mutual_exclusion", "read_your_writes", "monotonic_reads",
    "monotonic_writes", "writes_follow_reads", "converges", "counter", "set",
    "unique_ids", "log_intact", "fenced" }

--- Fields of an expectation that say when something holds: a history is of the whole run.
local TIMED = { "after", "within", "holding", "during", "except", "over" }

--- Which column is an account's is said exactly where there are columns.
function M.check_column(state, f, body, found, line)
    local db = found == "conserved" and not f.broken and f.conserved
    local text
    if body.column ~= nil and found and found ~= "conserved" then
        text = ("`column` is of accounts, and `%s` is of all there is"):format(found)
    elseif db and db.fields.schema and not f.column then
        text = ("%s speaks SQL: which column must add up?"):format(db.name)
    elseif db and not db.fields.schema and f.column then
        text = ("%s has no columns: each of its rows is an account"):format(db.name)
    elseif db and f.column and not f.column:find "^[^.]+%.[^.]+$" then
        text = ("`column` is a table and its column, got %q"):format(f.column)
    end
    if not text then return end
    state.diag.add { code = "LZ403", line = line, at = "field",
        path = { body.column ~= nil and "column" or "conserved" }, text = text,
        help = db and db.fields.schema and 'write column = "accounts.balance"' or nil }
    f.broken = true
end

--- With SQL a statement checks a token itself.
function M.check_fenced(state, f, found, line)
    local db = found == "fenced" and not f.broken and f.fenced
    if not db or not db.fields.schema then return end
    state.diag.add { code = "LZ403", line = line, path = { "fenced" }, at = "field",
        text = ("%s speaks SQL, and a token is of rows"):format(db.name),
        help = "let a statement check it, as update ... where token <= ?, and count what it "
            .. "changed" }
    f.broken = true
end

--- Which operations of a service add, read and generate: that only its handlers know.
local ROLES = { counter = { "adds" }, set = { "adds", "reads" }, unique_ids = { "generates" } }
local MAY = { counter = { adds = true, reads = true }, set = { adds = true, reads = true },
    unique_ids = { generates = true } }

--- The operations that a service has handlers for, and whether one is among them.
function M.handled(handlers, op)
    local names, is_there = {}, not handlers
    for i, h in ipairs(handlers or {}) do
        names[i] = h.op
        is_there = is_there or h.op == op
    end
    return names, is_there
end

function M.check_roles(state, f, body, found, line)
    local of = found and not f.broken and f[found]
    local function say(field, text, help)
        state.diag.add { code = "LZ403", line = line, at = "field", path = { field }, text = text,
            help = help }
        f.broken = true
    end
    for _, field in ipairs { "adds", "reads", "generates", "per_key" } do
        local is_role = field ~= "per_key"
        if body[field] ~= nil and found and (not MAY[found] or is_role and not MAY[found][field])
        then
            return say(field, ("`%s` has no meaning for `%s`"):format(field, found),
                field == "generates" and "it is of unique_ids" or "it is of counter and set")
        elseif body[field] ~= nil and of and of.kind ~= "service" then
            return say(field, ("`%s` is of a service: a %s has operations of its own"):format(field,
                of.kind))
        end
    end
    for _, field in ipairs(of and of.kind == "service" and ROLES[found] or {}) do
        if body[field] == nil then
            return say(found, ("`%s` of a service needs `%s`: which of its operations %s"):format(
                found, field, field == "adds" and "add" or field == "reads" and "read all of it"
                or "answer with an id"), ('write %s = { "POST /" }'):format(field))
        end
    end
    for _, field in ipairs(of and of.kind == "service" and { "adds", "reads", "generates" } or {})
    do
        for _, op in ipairs(f[field] or {}) do
            local names, is_there = M.handled(of.fields.handle, op)
            if not is_there then
                local near = diag.nearest(op, names)
                return say(field, ('%s has no handler for "%s"'):format(of.name, op),
                    near and ('a similar one exists: "%s"'):format(near))
            end
        end
    end
end

function M.expect_word(state)
    return words.named(state, "expect", function(name, body, line)
        local ctx = words.context(state, "expect", line)
        local f = fields.read(ctx, schema.expect, body)
        local found
        for _, op in ipairs(OPERATORS) do
            if body[op] ~= nil then
                if found then
                    state.diag.add { code = "LZ403", line = line, path = { op }, at = "field",
                        text = ("expect has both `%s` and `%s`"):format(found, op),
                        help = "write two expectations" }
                    f.broken = true
                end
                found = op
            end
        end
        if not found and not f.broken then
            state.diag.add { code = "LZ403", line = line,
                word = "expect",
                text = "expect says nothing that must hold",
                help = "it needs one of always never eventually at_end sometimes, or a word about "
                    .. "histories such as linearizable" }
            f.broken = true
        end
        if found == "eventually" and body.within == nil then
            state.diag.add { code = "LZ404", line = line, path = { "eventually" }, at = "field",
                text = "`eventually` needs a deadline",
                help = 'write within = "30s", counted from `after`' }
            f.broken = true
        end
        for _, field in ipairs(schema.histories[found] and TIMED or {}) do
            if body[field] ~= nil then
                state.diag.add { code = "LZ403", line = line, path = { field }, at = "field",
                    text = ("`%s` is about the whole history: `%s` has no meaning"):format(found,
                        field) }
                f.broken = true
            end
        end
        local searches = schema.histories[found] and found ~= "fenced"
        if body.steps ~= nil and found and not searches then
            state.diag.add { code = "LZ403", line = line, path = { "steps" }, at = "field",
                text = ("`steps` is the budget of a history's search, and `%s` has none"):format(
                    found) }
            f.broken = true
        end
        if body.consistency ~= nil and found and found ~= "serializable" then
            state.diag.add { code = "LZ403", line = line, path = { "consistency" }, at = "field",
                text = ("`consistency` is a level for transactions, and `%s` is of single "
                    .. "operations"):format(found),
                help = "write it beside serializable" }
            f.broken = true
        end
        if body.tolerates ~= nil and found and found ~= "log_intact" then
            state.diag.add { code = "LZ403", line = line, path = { "tolerates" }, at = "field",
                text = ("`tolerates` is of a topic's log, and `%s` is not"):format(found),
                help = "write it beside log_intact" }
            f.broken = true
        end
        M.check_fenced(state, f, found, line)
        M.check_column(state, f, body, found, line)
        M.check_roles(state, f, body, found, line)
        local facts = { kind = "expect", name = name, line = line, operator = found, fields = f,
            broken = f.broken }
        state.plan.expectations[#state.plan.expectations + 1] = facts
    end)
end

function M.slo_word(state)
    return words.named(state, "slo", function(name, body, line)
        local f = fields.read(words.context(state, "slo", line), schema.slo, body)
        state.plan.expectations[#state.plan.expectations + 1] =
            { kind = "slo", name = name, line = line, operator = "slo", fields = f,
                broken = f.broken }
    end)
end

--- `check("sentence", function(w) ... end)`, with `severity` and `because` in a table after it. The
--- function is called when the run is over (witness.lua), and says true, or false and why.
function M.check_word(state)
    return function(name, fn, opts)
        local line = state.line()
        if name == POISON or fn == POISON or opts == POISON then return end
        if type(name) ~= "string" or name == "" or type(fn) ~= "function" then
            return state.diag.add { code = "LZ115", line = line, word = "check",
                text = "check takes a sentence and a function",
                help = 'write check("no order is lost", function(w) ... end)' }
        end
        if #name > words.NAME_MAX then
            return state.diag.add { code = "LZ103", line = line, word = "check",
                text = ("the name of a check has at most %d bytes, this has %d"):format(
                    words.NAME_MAX, #name), help = "say less here, and the rest in a comment" }
        end
        if not words.claim(state, "check", name, line) then return end
        if opts ~= nil and (type(opts) ~= "table" or getmetatable(opts)) then
            return state.diag.add { code = "LZ205", line = line, word = "check",
                text = "the third entry of check is a table of options" }
        end
        local f = fields.read(words.context(state, "check", line), schema.check, opts or {})
        state.plan.expectations[#state.plan.expectations + 1] =
            { kind = "check", name = name, line = line, operator = "check", fields = f,
                broken = f.broken, fn = fn }
    end
end

function M.amplification_word(state)
    return function(a, b)
        local line = state.line()
        if a == POISON or b == POISON then return POISON end
        local x, y = handles.of(a), handles.of(b)
        local is_ours = handles.is_component(x) and handles.is_component(y)
        if not is_ours or NO_CALLER[x.kind] or NO_CALLER[y.kind] then
            return state.diag.add { code = "LZ304", line = line, word = "amplification",
                text = ("amplification takes two components, got %s and %s"):format(
                    handles.describe(a), handles.describe(b)),
                help = "write amplification(cart, pricing)" }
        end
        local path = "amplification." .. y.name
        state.metrics.amplification[path] = { unit = "count" }
        local facts = { kind = "amplification", name = x.name, from = x, to = y }
        return handles.metric(state, facts, path)
    end
end

return M
