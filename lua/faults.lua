--- The word `fault`: `fault.kill { db.primary, at = "4m" }`.
---
--- Kinds are C's (src/fault): what they are, what they may target, their parameters.
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON

--- The fields of a kind: those of all faults and its own.
function M.fields(fault_kinds, kind)
    local list = schema.fault_fields(fault_kinds[kind])
    for _, p in ipairs(fault_kinds[kind].params) do
        local f = { p.name, p.type, p.doc, required = p.required, min = p.min,
            fields = p.type == "burst" and schema.burst_fields() or nil }
        if p.choices then
            f.choices = {}
            for c in p.choices:gmatch "[^|]+" do f.choices[#f.choices + 1] = c end
        end
        list[#list + 1] = f
    end
    return list
end

local function too_late(state, what, line, duration)
    state.diag.add { code = "LZ107", line = line, path = { "at" },
        text = what .. " would come after the end of the run",
        help = "the scenario lasts " .. units.duration_text(duration) }
end

--- Faults that stand before the scenario's duration in the file.
function M.check_whole(state)
    local duration = state.plan.scenario.fields.duration
    for _, fault in ipairs(state.plan.faults) do
        if fault.fields.at and fault.fields.at >= duration then
            too_late(state, fault.text, fault.line, duration)
        end
    end
end

local function check_times(state, ctx, f)
    local scenario = state.plan.scenario
    local duration = scenario and scenario.fields.duration
    if f.mtbf then return end
    if not state.running and f.at == nil and not f.broken then
        state.diag.add { code = "LZ106", line = ctx.line, word = ctx.kind, text = ctx.what
            .. " has no time: it needs `at`",
            help = 'write at = "2m"; only inside drive does a fault without `at` act at once' }
        f.broken = true
    elseif f.at and duration and f.at >= duration then
        too_late(state, ctx.what, ctx.line, duration)
        f.broken = true
    end
end

local function has_word(list, word)
    return (" " .. list .. " "):find(" " .. word .. " ", 1, true) ~= nil
end

--- A kind that names kinds of component is for these alone; of the others C says what fits, and so
--- it does of what is real.
local function fits(state, kind, target)
    local of = target.kind == "target" and target.component.kind or target.kind
    if of == "process" or of == "endpoint" then return true end
    if of == "alert" then return kind == "alert_delay" end -- it is told of, and does not run
    if of == "rule" then return false end
    local own = state.fault_kinds[kind]
    if not own.names_components then return true end
    local list = table.concat(own.targets, " ")
    return has_word(list, of), list
end

local function read_targets(state, ctx, body, f)
    local targets = {}
    for i = 1, 2 do
        local v = body[i]
        if v == POISON then f.broken = true
        elseif v ~= nil then
            local target = words.as_target(v)
            local ok, kinds
            if target and i == 1 then ok, kinds = fits(state, ctx.kind, target)
            elseif target then ok = true end
            if not ok then
                state.diag.add { code = "LZ304", line = ctx.line, word = ctx.kind,
                    text = ("%s cannot target %s"):format(ctx.what, handles.describe(v)),
                    help = kinds and "it targets " .. kinds:gsub(" ", ", ")
                        or i == 2 and type(v) ~= "table" and ("what is no target has a name; "
                            .. "`lorenz explain fault.%s` lists them"):format(ctx.kind)
                        or type(v) == "string"
                            and "a component is named by its variable, without quotes"
                        or type(v) == "table" and not handles.of(v)
                            and "a fault is about one target, or two: for several write one fault "
                                .. "each, or of all, some: pick = 2" or nil }
                f.broken = true
            end
            targets[i] = target
        end
    end
    if body[1] == nil then
        state.diag.add { code = "LZ102", line = ctx.line, word = ctx.kind, text = ctx.what
            .. " needs a target",
            help = ("write fault.%s { web, ... }"):format(ctx.kind) }
        f.broken = true
    end
    return targets
end

--- Inside the run a mistake is the script's: raised, where it was made.
local function raise_last(state, before, what)
    local first = state.diag.list[before + 1]
    for i = #state.diag.list, before + 1, -1 do state.diag.list[i] = nil end
    error(first and ("%s: %s"):format(first.code, first.text) or what .. " is wrong", 4)
end

--- `at = "4m ± 30s"`: the instant, and how far from it chance may put it. Gives the body with a
--- plain instant.
local function split_spread(state, ctx, body)
    local at, spread
    if type(body.at) == "string" then
        at, spread = body.at:match "^%s*(.-)%s*±%s*(.-)%s*$"
        if not at then at, spread = body.at:match "^%s*(.-)%s*%+%-%s*(.-)%s*$" end
    end
    if not at then return body end
    local ns, code, text, help = units.duration(spread)
    if not ns then
        state.diag.add { code = code, line = ctx.line, path = { "at" }, word = ctx.kind,
            text = ("`at` of %s: %s"):format(ctx.what, text), help = help }
        ns = 0
    end
    local plain = {}
    for k, v in next, body do plain[k] = v end
    plain.at = at
    return plain, ns
end

--- The whole of the time it may come in has to be inside the run.
local function check_spread(state, ctx, f, spread)
    local scenario = state.plan.scenario
    local duration = scenario and scenario.fields.duration
    if spread and f.at and (f.at < spread or duration and f.at + spread >= duration) then
        state.diag.add { code = "LZ107", line = ctx.line, path = { "at" },
            text = ("%s may come outside of the run: %s ± %s"):format(ctx.what,
                units.duration_text(f.at), units.duration_text(spread)),
            help = duration and "the scenario lasts " .. units.duration_text(duration) or nil }
        f.broken = true
    end
end

local known = {} -- fields by kind: the kinds are the same for every scenario

local function fields_of(state, kind)
    known[kind] = known[kind] or M.fields(state.fault_kinds, kind)
    return known[kind]
end

--- One that is drawn by a `chaos` has no time of its own, and an end.
local function check_drawn(state, ctx, f)
    local wrong, text
    if f.mtbf == nil then return end
    if state.running then
        wrong, text = "mtbf", "`mtbf` is drawn before the run: it has no meaning here"
    elseif f.at then wrong, text = "at", "`mtbf` says when: it has no `at` beside it"
    elseif f.every then wrong, text = "every", "`mtbf` says how often: it has no `every` beside it"
    elseif not f.lasting then wrong, text = "mtbf", "what is drawn needs `lasting`"
    end
    if not wrong then return end
    state.diag.add { code = "LZ206", line = ctx.line, path = { wrong }, at = "field",
        text = ("%s: %s"):format(ctx.what, text) }
    f.broken = true
end

local function make(state, kind, body)
    local line = state.line()
    local before = #state.diag.list
    if body == POISON then return POISON end
    local ctx = words.context(state, "fault." .. kind, line)
    ctx.kind = kind
    if type(body) ~= "table" or getmetatable(body) then
        return state.diag.add { code = "LZ110", line = line, word = kind, text = ctx.what
            .. " needs a body in braces",
            help = ('write fault.%s { target, at = "2m" }'):format(kind) }
    end
    local plain, spread = split_spread(state, ctx, body)
    local f = fields.read(ctx, fields_of(state, kind), plain)
    check_times(state, ctx, f)
    check_spread(state, ctx, f, spread)
    check_drawn(state, ctx, f)
    local targets = read_targets(state, ctx, body, f)
    local facts = { kind = "fault", fault = kind, line = line, fields = f, a = targets[1],
        b = targets[2], text = ctx.what, broken = f.broken, spread = spread,
        is_drawn = f.mtbf ~= nil }
    if f.broken then
        if state.running then raise_last(state, before, ctx.what) end
        return handles.fault(state, facts)
    end
    if state.running then
        state.act_fault(facts)
    elseif f.mtbf then
        state.plan.drawn[#state.plan.drawn + 1] = facts
    else
        state.plan.faults[#state.plan.faults + 1] = facts
    end
    return handles.fault(state, facts)
end

--- The word, for one state.
function M.word(state)
    local list = {}
    for kind in pairs(state.fault_kinds) do
        list[kind] = function(body) return make(state, kind, body) end
    end
    return words.strict(state, "fault", list, "fault", function(word)
        return require "tools".fault(word) -- read when it is first needed
    end)
end

return M
