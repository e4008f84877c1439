--- `param("retries", { 0, 3, 10 })`: a dimension of the matrix of cases, or a default.
local diag = require "diag"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON

local function as_text(v)
    if type(v) == "number" and math.type(v) == "float" and v == math.floor(v)
        and math.abs(v) < 1e15 then
        return ("%.1f"):format(v)
    end
    return tostring(v)
end

--- Each case is a process and a line of the report; more are a mistake.
local CASES_MAX = 10000

--- A value from the command line, in the type of the list's items.
local function convert(text, items)
    for _, item in ipairs(items) do
        if as_text(item) == text then return item end
    end
    local like = items[1]
    if type(like) == "number" then return tonumber(text) end
    if type(like) == "boolean" then
        if text == "true" then return true elseif text == "false" then return false end
        return nil
    end
    return text
end

--- The word, for one state.
function M.word(state)
    return function(name, values)
        local line = state.line()
        local is_list = type(values) == "table" and not getmetatable(values)
        local items = is_list and values or { values }
        if type(name) ~= "string" or #items == 0 then
            return state.diag.add { code = "LZ112", line = line,
                text = "param takes a name and a list of values",
                help = 'write param("retries", { 0, 3, 10 })' }
        end
        if not words.claim(state, "param", name, line) then return POISON end
        for i, v in ipairs(items) do
            if type(v) ~= type(items[1]) or type(v) == "table" or type(v) == "function" then
                return state.diag.add { code = "LZ112", line = line,
                    text = ('param "%s": values must be numbers, texts or booleans, all alike; '
                        .. 'entry %d is %s')
                        :format(name, i, units.kind_of(v)) }
            end
        end
        local facts = { name = name, line = line, items = items, texts = {} }
        for i, v in ipairs(items) do facts.texts[i] = as_text(v) end
        state.plan.params[#state.plan.params + 1] = facts
        local pin = state.pins[name]
        if pin ~= nil then
            state.used_pins[name] = true
            local value = convert(pin, items)
            if value == nil then
                return state.diag.add { code = "LZ113", line = line,
                    text = ('param "%s" takes %s values, got %s'):format(name, type(items[1]), pin),
                    help = "its values are " .. table.concat(facts.texts, " ") }
            end
            facts.texts, facts.items = { as_text(value) }, { value }
        end
        state.case_count = (state.case_count or 1) * #facts.items
        if state.case_count > CASES_MAX then
            facts.texts, facts.items = { facts.texts[1] }, { facts.items[1] }
            state.case_count = 1 -- one word about it will do
            return state.diag.add { code = "LZ112", line = line,
                text = ('param "%s": its values and those of the params above make more than '
                    .. "%d cases"):format(name, CASES_MAX),
                help = "give fewer values, or pin some: lorenz run --set " .. name .. "=VALUE" }
        end
        return facts.items[1]
    end
end

return M
