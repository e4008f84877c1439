--- What only the whole plan shows: nothing here is wrong to run, and all of it is a test that
--- tests less than it seems to. Warnings of `lorenz check`.
local globals = require "globals"
local handles = require "handles"
local near = require "near"
local places = require "places"
local schema = require "schema"
local syntax = require "syntax"
local units = require "units"

local M = {}

local function warn(state, d)
    d.is_warning = true
    state.diag.add(d)
end

-- ---------------------------------------------------------------- times

--- When an anchor is, if that is known before the run: [from, until it may be].
local function instant(state, a)
    if not a then return state.plan.scenario.fields.warmup or 0 end
    if a.kind == "time" then return a.at end
    if a.kind == "mark" or not a.fault.fields then return nil end
    local f = a.fault.fields
    if not f.at or f.every then return nil end
    if a.kind == "fault" then return f.at end
    return f.lasting and f.at + f.lasting or nil
end

--- The windows of a list as intervals; nil if one of them is not known.
local function intervals(state, list)
    local out, duration = {}, state.plan.scenario.fields.duration
    for i, w in ipairs(list) do
        local from = instant(state, w.after)
        if not from then return nil end
        out[i] = { from, w.lasting and from + w.lasting or duration }
    end
    table.sort(out, function(a, b) return a[1] < b[1] end)
    return out
end

--- Whether intervals in order leave nothing of [from, stop].
local function cover(list, from, stop)
    for _, w in ipairs(list) do
        if w[1] > from then return false end
        from = math.max(from, w[2])
    end
    return from >= stop
end

local function check_windows(state, e, from, stop)
    local during = e.fields.during and intervals(state, e.fields.during)
    local is_empty = during ~= nil
    for _, w in ipairs(during or {}) do
        if w[1] < stop and w[2] > from and w[2] > w[1] then is_empty = false end
    end
    if is_empty then
        warn(state, { code = "LZ405", line = e.line, path = { "during" }, at = "field",
            text = "`during` leaves nothing to judge", help = ("judging goes from %s to %s"):format(
                units.duration_text(from), units.duration_text(stop)) })
    end
    local except = e.fields.except and intervals(state, e.fields.except)
    if except and cover(except, from, stop) then
        warn(state, { code = "LZ405", line = e.line, path = { "except" }, at = "field",
            text = "`except` leaves nothing to judge", help = ("judging goes from %s to %s"):format(
                units.duration_text(from), units.duration_text(stop)) })
    end
end

local function check_deadline(state, e, stop)
    local f = e.fields
    local from = instant(state, f.after)
    if e.operator ~= "eventually" or not from or not f.within then return end
    local left = math.max(0, stop - from)
    local is_late = f.within > left
    if not is_late and f.within + (f.holding or 0) <= left then return end
    warn(state, { code = "LZ406", line = e.line, path = { is_late and "within" or "holding" },
        text = is_late and "`within` is longer than what is left of the run"
            or "`within` and `holding` together are longer than what is left of the run",
        help = ("it counts from %s, and the run ends at %s: %s are left"):format(
            units.duration_text(from), units.duration_text(stop), units.duration_text(left)) })
end

-- ---------------------------------------------------------------- who reaches whom

local LOOK_DEPTH = 4

--- Components that a handler's code can name: its upvalues, and what those hold.
local function add_named(v, out, depth, seen)
    if depth > LOOK_DEPTH or seen[v] then return end
    if type(v) == "table" then
        seen[v] = true
        local h = handles.of(v)
        if handles.is_component(h) then out[#out + 1] = h end
        if h or getmetatable(v) ~= nil then return end
        for _, inner in next, v do add_named(inner, out, depth + 1, seen) end
    elseif type(v) == "function" then
        seen[v] = true
        for i = 1, 255 do
            local name, inner = debug.getupvalue(v, i)
            if not name then return end
            if name ~= "_ENV" and inner ~= nil then add_named(inner, out, depth + 1, seen) end
        end
    end
end

--- Whom a component calls, as facts of components.
local function neighbours(c)
    local f, out = c.fields, {}
    for _, call in ipairs(f.calls or {}) do
        out[#out + 1] = call.to
        out[#out + 1] = call.fields.fallback and call.fields.fallback.to
        out[#out + 1] = call.fields.through and call.fields.through.to
    end
    for _, to in ipairs(f.answers or {}) do out[#out + 1] = to end
    for _, h in ipairs(f.handle or {}) do add_named(h.fn, out, 1, {}) end
    out[#out + 1] = f.to
    out[#out + 1] = f.backup and f.backup.to
    out[#out + 1] = f.auth and f.auth.issuer
    if c.kind == "topic" then out[#out + 1] = f.on end
    return out
end

--- What requests get to, from all traffic; and consumers, from their topics.
local function reached(state)
    local seen = {}
    local function visit(c)
        if seen[c] then return end
        seen[c] = true
        for _, to in ipairs(neighbours(c)) do visit(to) end
    end
    for _, c in ipairs(state.plan.components) do
        -- A rule reaches for others; what it looks at speaks for itself.
        if c.kind == "traffic" or c.kind == "alert" or c.kind == "rule" then visit(c) end
    end
    for _, c in ipairs(state.plan.components) do
        if c.kind == "consumers" and seen[c.fields.of] then visit(c) end
    end
    return seen
end

local function check_reached(state, seen)
    local has_traffic = false
    for _, c in ipairs(state.plan.components) do
        has_traffic = has_traffic or c.kind == "traffic"
    end
    if not has_traffic then
        warn(state, { code = "LZ120", line = state.plan.scenario.line,
            text = "nothing sends requests: the scenario has no traffic",
            help = 'write traffic "users" { to = web, rate = "100/s" }' })
        return
    end
    for _, c in ipairs(state.plan.components) do
        if not seen[c] then
            warn(state, { code = "LZ120", line = c.line, word = ('"%s"'):format(c.name),
                text = ('nothing reaches %s "%s"'):format(c.kind, c.name),
                help = "no traffic calls it, and nothing that traffic reaches does" })
        end
    end
end

-- ---------------------------------------------------------------- what expectations are about

--- The components that faults hit; `anything` if a fault hits places or links.
local function hit(state)
    local out = {}
    for _, fault in ipairs(state.plan.faults) do
        for _, t in ipairs { fault.a, fault.b } do
            if t.kind == "target" then out[t.component] = true else out.anything = true end
        end
    end
    return out
end

--- How many processes a fault on all of a component has to choose from; nil: it may change, or is
--- not said.
local function processes(c)
    local f = c.fields
    if c.kind == "service" then
        return not (f.autoscale or f.versions or f.rollout) and (f.replicas or 1) or nil
    end
    return not f.sentinel and f.mode ~= "sentinel" and f.nodes or nil
end

local function check_picks(state)
    for _, fault in ipairs(state.plan.faults) do
        local pick, t = fault.fields and fault.fields.pick, fault.a
        local there = pick and pick[1] == "count" and t.kind == "target"
            and t.target == "component" and processes(t.component)
        if there and pick[2] > there then
            warn(state, { code = "LZ305", line = fault.line, path = { "pick" }, at = "field",
                text = ("`pick` is %d, and %s has %d: all of them are hit"):format(pick[2],
                    t.component.text, there),
                help = there > 1 and ("write pick = %d for all but one"):format(there - 1) or nil })
        end
    end
end

local function subject(e)
    local m = e.operator == "slo" and { metric = { component = e.fields.of } }
        or e.operator and e.fields[e.operator]
    if not m then return nil end
    if schema.histories[e.operator] then return m end
    if m.kind == "mark" then return nil, not m.alert and m.mark end
    local c = m.metric.component
    if c.kind == "version" then return c.service end
    return c.kind == "amplification" and c.from or c
end

local function check_influence(state, e, seen, hits)
    local c, mark = subject(e)
    if mark and not places.says(state, "mark") then
        warn(state, { code = "LZ407", line = e.line, path = { e.operator },
            text = ('nothing can make this true: no drive says mark "%s"'):format(mark),
            help = 'a mark is made inside drive("name", function() ... end)' })
    elseif c and handles.is_component(c) and not seen[c] and not hits[c] and not hits.anything then
        warn(state, { code = "LZ407", line = e.line,
            path = { e.operator == "slo" and "of" or e.operator },
            text = ('neither traffic nor a fault can influence %s "%s"'):format(c.kind, c.name),
            help = "what is expected of it holds, or not, whatever happens" })
    end
end

-- ---------------------------------------------------------------- handlers

--- An operation that a service with handlers has none for is answered with 404.
local function check_op(state, to, op, at)
    local list = to.kind == "service" and to.fields and to.fields.handle
    if type(op) ~= "string" or not list or #list == 0 then return end
    local names = {}
    for _, h in ipairs(list) do
        if h.op == op or (h.op or "") == "" then return end -- one for all there is
        names[#names + 1] = h.op
    end
    local nearest = near.find(op, names)
    at.code = "LZ121"
    at.text = ("service %q handles no %q: each is answered with 404"):format(to.name, op)
    at.help = nearest and ("a handler with a similar name exists: %q"):format(nearest)
        or ("it handles %s"):format(table.concat(names, ", "))
    warn(state, at)
end

local function check_handled(state)
    for _, c in ipairs(state.plan.components) do
        local f = c.fields
        if c.kind == "traffic" and f.to then
            check_op(state, f.to, f.op, { line = c.line, path = { "op" }, at = "field" })
        end
        for _, call in ipairs(f.calls or {}) do
            check_op(state, call.to, call.op, { line = call.line })
            local spare = call.fields.fallback
            if spare then
                check_op(state, spare.to, spare.op, { line = spare.line or call.line })
            end
        end
    end
end

-- ---------------------------------------------------------------- globals

local function check_globals(state)
    for index, file in ipairs(state.files.files) do
        for _, w in ipairs(globals.find(places.words(file), syntax.KEYWORDS)) do
            warn(state, { code = "LZ109", line = state.files.here(index, w.line, file.outer),
                col = w.col, marked = w.text,
                text = ("`%s` would be a global: it is not declared here or further out"):format(
                    w.text),
                help = ("write local %s = ..., inside or before the function"):format(w.text) })
        end
    end
end

-- ---------------------------------------------------------------- words of Lua

local MATCHERS = { below = true, above = true, at_least = true, at_most = true, equals = true,
    between = true }

--- Whether what follows word i is a metric with its matcher: web.errors.ratio:below.
local function is_matcher(words, i)
    while words[i + 1] and words[i + 1].kind == "name" and words[i + 2]
        and words[i + 2].text == "." do
        i = i + 2
    end
    local sign, matcher = words[i + 2], words[i + 3]
    return words[i + 1] and words[i + 1].kind == "name" and sign and sign.text == ":"
        and matcher and MATCHERS[matcher.text]
end

--- Where the matcher begins that ends with word i, web of web.errors.ratio:below "1%"; nil if none
--- does.
local function begin_of(words, i)
    local depth = 0
    repeat -- over the limit, a text or in brackets
        local w = words[i]
        if not w then return nil end
        local is_symbol = w.kind ~= "string"
        if is_symbol and (w.text == ")" or w.text == "}") then depth = depth + 1 end
        if is_symbol and (w.text == "(" or w.text == "{") then depth = depth - 1 end
        if depth == 0 and is_symbol and w.text ~= "(" and w.text ~= "{" then return nil end
        i = i - 1
    until depth == 0
    local matcher, sign = words[i], words[i - 1]
    if not (matcher and MATCHERS[matcher.text] and sign and sign.text == ":") then return nil end
    i = i - 2
    while words[i - 1] and words[i - 1].text == "." and words[i - 2] do i = i - 2 end
    return words[i] and words[i].kind == "name" and i or nil
end

--- A matcher is neither true nor false: Lua's `and` gives the second of two, `or` the first. One of
--- two that a condition chooses, fast and a or b, is meant.
local function check_joined(state)
    for index, file in ipairs(state.files.files) do
        local words = places.words(file)
        for i, w in ipairs(words) do
            local joins = w.kind == "name" and (w.text == "and" or w.text == "or")
            local begin = joins and is_matcher(words, i) and begin_of(words, i - 1)
            if begin and not (words[begin - 1] and words[begin - 1].text == "and") then
                warn(state, { code = "LZ401", line = state.files.here(index, w.line, file.outer),
                    col = w.col, marked = w.text,
                    text = ("`%s` does not join two matchers: only the %s is judged"):format(w.text,
                        w.text == "and" and "second" or "first"),
                    help = "write an expectation for each" })
            end
        end
    end
end

-- ---------------------------------------------------------------- rules

local NAMES_MAX = 8

--- Of numbers, as the bounds of buckets are: the one with the least difference.
local function nearest_number(value, others)
    local best
    for _, other in ipairs(others) do
        local n = tonumber(other)
        if n and (not best or math.abs(n - value) < math.abs(tonumber(best) - value)) then
            best = other
        end
    end
    return best
end

--- The nearest of `others` to `name`, or all of them if they are few.
local function instead(name, others, what)
    local number = tonumber(name)
    local nearest = number and nearest_number(number, others) or near.find(name, others)
    if nearest and number then return ("the nearest is `%s`"):format(nearest) end
    if nearest then return ("a %s with a similar name exists: `%s`"):format(what, nearest) end
    if #others == 0 or #others > NAMES_MAX then return nil end
    return ("%ss there are: %s"):format(what, table.concat(others, ", "))
end

local function without_name(labels)
    local out = {}
    for _, label in ipairs(labels) do
        if label ~= "__name__" then out[#out + 1] = label end
    end
    return out
end

local DOUBTS = {
    metric = function(d)
        return ("no component has a metric that %s takes"):format(d.text)
    end,
    value = function(d)
        return ("%s selects nothing: `%s` is never %q"):format(d.text, d.label, d.value),
            instead(d.value, d.others, "value")
    end,
    together = function(d)
        return ("%s selects nothing: no series has all of these labels"):format(d.text)
    end,
    group = function(d)
        return ("no element has the label `%s`"):format(d.label),
            instead(d.label, without_name(d.others), "label")
    end,
}

--- What nothing of the world that was built has.
function M.run_built(state)
    for _, c in ipairs(state.plan.components) do
        local is_rule = c.kind == "alert" or c.kind == "rule"
        for _, d in ipairs(is_rule and c.fields.expr and state.C.doubts(c.fields.expr) or {}) do
            local text, help = DOUBTS[d.kind](d)
            warn(state, { code = "LZ408", line = c.line, path = { "expr" }, at = "field",
                text = ("`expr` of %s %q: %s"):format(c.kind, c.name, text), help = help })
        end
    end
end

--- All of them, for a plan that is right.
function M.run(state)
    local f = state.plan.scenario.fields
    local from, stop = f.warmup or 0, f.duration
    local seen, hits = reached(state), hit(state)
    for _, e in ipairs(state.plan.expectations) do
        check_windows(state, e, from, stop)
        check_deadline(state, e, stop)
        check_influence(state, e, seen, hits)
    end
    check_picks(state)
    check_reached(state, seen)
    check_handled(state)
    check_globals(state)
    check_joined(state)
end

return M
