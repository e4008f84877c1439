--- Types of fields that only alerting has: conditions, labels and matchers of labels.
local handles = require "handles"
local lists = require "fields_list"
local wrong = require "fields_wrong"
local units = require "units"
local diag = require "diag"

local M = {}
local POISON = diag.POISON

local each, is_list, is_sequence = lists.each, lists.is_list, lists.is_sequence

local CONDITION = 'a matcher, { matcher, over = "1h" }, or a list of these'
local LABELS = 'matchers of labels such as { severity = "page", team = { "shop", "pay" } }'

local OWN = { up = true, ALERTS = true, ALERTS_FOR_STATE = true }

--- Why a rule cannot record series of that name; nil: it can.
function M.why_no_series(name)
    if not name:find "^[%a_:][%w_:]*$" then
        return ("a series is called by letters, digits, _ and :, such as job:errors:rate5m, got %s")
            :format(units.show(name))
    elseif OWN[name] or name:find "^lorenz_" then
        return ("%s is there already: take another, such as job:%s:sum"):format(name, name)
    end
end

--- Add them; `complain` and `expected` are fields.lua's.
function M.add(TYPES, complain, expected)
    --- A list of durations.
    function TYPES.durations(ctx, f, v)
        if not is_sequence(v) or #v == 0 then
            return expected(ctx, f, 'a list of durations such as { "1h", "5m" }', v)
        end
        local row = { f[1], above_zero = true }
        return each(v, function(one) return TYPES.duration(ctx, row, one) end)
    end

    --- A list of blocks; an empty one is none.
    function TYPES.blocks(ctx, f, v)
        if not is_sequence(v) then return expected(ctx, f, "a list of blocks", v) end
        return each(v, function(one)
            local block = TYPES.block(ctx, f, one)
            return block and not block.broken and block or nil
        end)
    end

    local function one_condition(ctx, f, v)
        local over
        if is_list(v) and not handles.of(v) then
            for key in next, v do
                if key ~= 1 and key ~= "over" then return expected(ctx, f, CONDITION, v) end
            end
            if v.over ~= nil then
                over = TYPES.duration(ctx, { f[1], above_zero = true }, v.over)
                if not over then return nil end
            end
            v = v[1]
            if v == POISON then return nil end
        end
        local m = TYPES.matcher(ctx, f, v)
        if not m then return nil end
        if m.kind ~= "matcher" or m.compare == "recovers_to" then
            return nil, complain(ctx, f[1], "LZ403",
                ("an alert compares a metric with a limit: %s is nothing that could be asked of "
                .. "samples"):format(m.kind == "mark" and m.text or "`recovers_to`"))
        end
        return { matcher = m, over = over }
    end

    --- What an alert is about: matchers, each with its range or without.
    function TYPES.conditions(ctx, f, v)
        local is_one = handles.of(v) or not is_list(v) or is_list(v) and v.over ~= nil
        if not is_one and not is_sequence(v) then return expected(ctx, f, CONDITION, v) end
        local list = each(is_one and { v } or v, function(one)
            return one_condition(ctx, f, one)
        end)
        if list and #list == 0 then return expected(ctx, f, CONDITION, v) end
        return list
    end

    --- An expression of Prometheus; which metrics there are is known when all is declared.
    function TYPES.promql(ctx, f, v)
        if type(v) ~= "string" then return expected(ctx, f, "an expression in quotes", v) end
        local ok, message, at, len = ctx.state.C.promql(v)
        if ok then return v end
        return nil, ctx.state.diag.add { code = "LZ206", line = ctx.line,
            path = wrong.place(ctx, f[1]), part = { at = at, len = len },
            text = ("`%s` of %s: %s"):format(f[1], ctx.what, message) }
    end

    --- What series that a rule writes are called; those of others are theirs.
    function TYPES.series_name(ctx, f, v)
        if type(v) ~= "string" then return expected(ctx, f, "a name in quotes", v) end
        local why = M.why_no_series(v)
        return not why and v or nil, why and complain(ctx, f[1], "LZ206", why)
    end

    local function is_label(name)
        return type(name) == "string" and name:find "^[%a_][%w_]*$" ~= nil
    end

    --- Labels, in the order of their names.
    function TYPES.labels(ctx, f, v)
        local list = TYPES.texts(ctx, f, v)
        for _, pair in ipairs(list or {}) do
            if not is_label(pair[1]) then
                return nil, complain(ctx, f[1], "LZ206",
                    ("a label is a name such as severity, got %s"):format(units.show(pair[1])))
            elseif pair[1] == "__name__" then
                return nil, complain(ctx, f[1], "LZ206", "__name__ is what a series is called")
            elseif pair[1] == "alertname" then
                return nil, complain(ctx, f[1], "LZ206", "alertname is the alert's own name")
            end
        end
        return list
    end

    --- Names of labels; where a group is made by them, "..." alone is all of them.
    function TYPES.names(ctx, f, v)
        if not is_sequence(v) then return expected(ctx, f, 'labels such as { "alertname" }', v) end
        local list = {}
        for i, one in ipairs(v) do
            if one == POISON then return nil end
            if one == "..." and (f[1] ~= "group_by" or #v > 1) then
                return nil, complain(ctx, f[1], "LZ206",
                    '"..." is all labels: it stands alone, and only in group_by')
            elseif not is_label(one) and one ~= "..." then
                return expected(ctx, f, 'labels such as { "alertname" }', one)
            end
            list[i] = one
        end
        return list
    end

    -- As in `labels`, where a number is its text.
    local function text_of(v)
        return type(v) == "number" and tostring(v) or v
    end

    local function one_matcher(ctx, f, name, v)
        if type(v) == "boolean" then return { name = name, kind = v and "any" or "none" } end
        local values = type(v) == "table" and v or { v }
        if not is_sequence(values) or #values == 0 then return expected(ctx, f, LABELS, v) end
        local texts = {}
        for i, one in ipairs(values) do
            if one == POISON then return nil end
            texts[i] = text_of(one)
            if type(texts[i]) ~= "string" then return expected(ctx, f, LABELS, one) end
        end
        return { name = name, kind = "one_of", values = texts }
    end

    --- What labels must be: a text, one of several, true for any and false for none; in the order
    --- of their names.
    function TYPES.label_matchers(ctx, f, v)
        if not is_list(v) then return expected(ctx, f, LABELS, v) end
        local names, list = {}, {}
        for name, one in next, v do
            if one == POISON then return nil end
            if not is_label(name) then
                return nil, complain(ctx, f[1], "LZ206",
                    ("a label is a name such as severity, got %s"):format(units.show(name)))
            end
            names[#names + 1] = name
        end
        table.sort(names)
        for i, name in ipairs(names) do
            list[i] = one_matcher(ctx, f, name, v[name])
            if not list[i] then return nil end
        end
        return list
    end
end

return M
