--- Types of fields that are lists: how one is told from a block, what each entry must be.
local diag = require "diag"
local handles = require "handles"
local units = require "units"
local wrong = require "fields_wrong"

local M = {}
local POISON = diag.POISON

--- A table of the scenario's own, and no handle.
function M.is_list(v) return type(v) == "table" and not getmetatable(v) end

--- Nothing but 1 to #v, without holes: a name would be dropped without a word.
function M.is_sequence(v)
    if not M.is_list(v) then return false end
    local count = 0
    for key in next, v do
        if math.type(key) ~= "integer" then return false end
        count = count + 1
    end
    return count == #v
end

--- What `read` makes of each entry; nil as soon as one is wrong, or was so before.
---@param v table
---@param read fun(one: any, i: integer): any
---@return table?
function M.each(v, read)
    local list = {}
    for i, one in ipairs(v) do
        if one == POISON then return nil end
        list[i] = read(one, i)
        if not list[i] then return nil end
    end
    return list
end

local OUTCOMES = { "error", "refused", "reset", "timeout" }

--- Add them; `complain` and `expected` are fields.lua's.
function M.add(TYPES, complain, expected)
    --- A list of whole numbers.
    function TYPES.counts(ctx, f, v)
        if not M.is_list(v) or #v == 0 then
            return expected(ctx, f, "a list of whole numbers such as { 5, 1, 1 }", v)
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        local row = { f[1], min = f.min or 1 }
        return M.each(v, function(one) return TYPES.count(ctx, row, one) end)
    end

    function TYPES.numbers(ctx, f, v)
        if not M.is_list(v) or #v == 0 then
            return expected(ctx, f, "a list of numbers", v)
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        return M.each(v, function(n, i)
            if type(n) == "number" and n >= 0 and n <= 1e9 then return n + 0.0 end
            return nil, complain(ctx, f[1], "LZ206",
                ("entry %d must be a number from 0 to 1e9, got %s"):format(i, units.show(n)))
        end)
    end

    --- A list of words, each of `choices`.
    function TYPES.words(ctx, f, v)
        if not M.is_list(v) then return expected(ctx, f, "a list of words", v) end
        if not wrong.is_list(ctx, f, v) then return nil end
        local out = {}
        for i, word in ipairs(v) do
            local is_ours = false
            for _, c in ipairs(f.choices) do is_ours = is_ours or word == c end
            if not is_ours then
                local near = type(word) == "string" and diag.nearest(word, f.choices) or nil
                return nil, complain(ctx, f[1], "LZ207",
                    ("expected words of %s, got %s"):format(table.concat(f.choices, ", "),
                        units.show(word)),
                    near and ('a similar value exists: "%s"'):format(near))
            end
            out[i] = word
        end
        if #out == 0 then return expected(ctx, f, "at least one word", v) end
        return out
    end

    --- Operations by their names.
    function TYPES.ops(ctx, f, v)
        if not M.is_list(v) or #v == 0 then
            return expected(ctx, f, 'a list of operations such as { "POST /like" }', v)
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        return M.each(v, function(op)
            if type(op) == "string" and op ~= "" and not op:find "\n" then return op end
            return expected(ctx, f, 'a list of operations such as { "POST /like" }', op)
        end)
    end

    --- What ends an attempt: outcomes by their names, statuses by their numbers.
    function TYPES.outcomes(ctx, f, v)
        if not M.is_list(v) or #v == 0 then
            return expected(ctx, f, 'a list of outcomes such as { "timeout", 503 }', v)
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        return M.each(v, function(one)
            if math.type(one) ~= "integer" then
                return TYPES.choice(ctx, { f[1], choices = OUTCOMES }, one)
            elseif one < 100 or one > 599 then
                return nil, complain(ctx, f[1], "LZ206",
                    ("a status is between 100 and 599, got %d"):format(one))
            end
            return one
        end)
    end

    --- How fast an autoscaler goes in one direction: blocks, each of pods or of a percentage.
    function TYPES.policies(ctx, f, v)
        if not M.is_list(v) or #v == 0 then
            return expected(ctx, f, 'a list such as { { pods = 4, period = "15s" } }', v)
        end
        if #v > 4 then
            return nil, complain(ctx, f[1], "LZ206", ("there are at most 4, got %d"):format(#v))
        end
        if not wrong.is_list(ctx, f, v) then return nil end
        return M.each(v, function(one, i)
            local policy = TYPES.block(ctx, f, one)
            if not policy or policy.broken then return nil end
            local percent = one.percent
            if type(percent) == "number" and percent > 10 then
                return nil, complain(ctx, f[1], "LZ206",
                    ("percent of policy %d is %s, which is %s %%"):format(i, units.show(percent),
                        units.show(100.0 * percent)),
                    ('write percent = "%s%%"'):format(units.show(percent)))
            end
            if (policy.pods == nil) == (policy.percent == nil) then
                return nil, complain(ctx, f[1], "LZ206", ("policy %d has %s"):format(i,
                    policy.pods and "both pods and percent" or "neither pods nor percent"),
                    'a policy is { pods = 4, period = "15s" } or '
                        .. '{ percent = "100%", period = "15s" }')
            end
            return policy
        end)
    end

    function TYPES.windows(ctx, f, v)
        if not M.is_list(v) then return wrong.window(ctx, f, v, handles.of(v)) end
        if v[1] == nil then v = { v } end
        if not wrong.is_list(ctx, f, v) then return nil end
        local list = {}
        for i, one in ipairs(v) do
            if one == POISON then return nil end
            local h = handles.of(one)
            local its = h and wrong.window(ctx, f, one, h)
            if h and not its then return nil end
            list[i] = its and its[1] or TYPES.block(ctx, f, one)
            if not list[i] then return nil end
            if not list[i].after then
                return nil, complain(ctx, f[1], "LZ102", "a window needs `after`")
            end
        end
        return list
    end
end

return M
