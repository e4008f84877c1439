--- Values that vary: `dist.*`, what one draw may give. Rates over time are in shapes.lua.
local diag = require "diag"
local handles = require "handles"
local schema = require "schema"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON

local function dist_number(state, line, name, param, v)
    if v == nil then
        handles.complain(state) { code = "LZ102", line = line,
            text = ("dist.%s needs `%s`"):format(name, param) }
        return nil
    end
    if schema.dist_plain[param] or (name == "zipf") then
        if type(v) == "number" then return v + 0.0 end
        handles.complain(state) { code = "LZ205", line = line,
            text = ("`%s` of dist.%s: expected a number, got %s"):format(param, name,
                units.kind_of(v)) }
        return nil
    end
    local ns, code, text, help = units.duration(v)
    if ns then return ns + 0.0 end
    if name == "uniform" and param == "to" and math.type(v) == "integer" and v > 1 then
        help = ("%s; of `keys`, %d alike are dist.zipf { n = %d, skew = 0 }"):format(help, v, v)
    end
    handles.complain(state) { code = code, line = line, path = { param },
        text = ("`%s` of dist.%s: %s"):format(param, name, text), help = help }
    return nil
end

local function pairs_dist(state, name, body, line)
    if body == POISON then return POISON end
    if type(body) ~= "table" or getmetatable(body) or #body == 0 then
        return handles.complain(state) { code = "LZ205", line = line, word = name,
            text = ("dist.%s takes a list, got %s"):format(name, units.kind_of(body)),
            help = ('write dist.%s { { 0.5, "2ms" }, { 0.99, "18ms" } }'):format(name) }
    end
    local points = {}
    for i, p in ipairs(body) do
        local at = type(p) == "table" and units.ratio(p[1])
        local value = type(p) == "table" and units.duration(p[2])
        if not at or not value then
            return handles.complain(state) { code = "LZ205", line = line,
                text = ("dist.%s: entry %d must be a share and a duration"):format(name, i),
                help = 'write { 0.5, "2ms" }' }
        end
        points[i] = { at, value + 0.0 }
    end
    return handles.plain { kind = "dist", dist = name, points = points, line = line,
        text = "dist." .. name }
end

-- What statistics and other tools call a parameter of ours, where a distribution has that one.
local CALLED = {
    median = "p50", average = "mean", avg = "mean", mu = "mean", sigma = "sd", stddev = "sd",
    std = "sd", low = "from", high = "to", least = "min", exponent = "skew", s = "skew",
    theta = "scale", lambda = "scale", k = "shape",
}

--- The word `dist`, for one state.
function M.word(state)
    local list = {}
    for name, params in pairs(schema.dist) do
        list[name] = function(body)
            local line = state.line()
            if body == POISON then return POISON end
            if name == "constant" then
                if type(body) == "table" and not getmetatable(body) then
                    return handles.complain(state) { code = "LZ205", line = line, word = name,
                        text = "dist.constant takes the value itself, got a table",
                        help = 'write dist.constant "2ms", or "2ms" alone' }
                end
                body = { value = body }
            end
            if type(body) ~= "table" then
                return handles.complain(state) { code = "LZ205", line = line,
                    text = ("dist.%s takes { %s }"):format(name, table.concat(params, ", ")) }
            end
            if body[1] ~= nil then
                return handles.complain(state) { code = "LZ102", line = line, word = name,
                    text = ("dist.%s: entry 1 has no parameter's name"):format(name),
                    help = ("write dist.%s { %s = ... }"):format(name,
                        table.concat(params, " = ..., ")) }
            end
            local known = {}
            for _, p in ipairs(params) do known[p] = true end
            local keys = {}
            for key in pairs(body) do keys[#keys + 1] = units.key(key) end
            table.sort(keys)
            for _, key in ipairs(keys) do
                if not known[key] then
                    local ours = CALLED[key]
                    return handles.complain(state) { code = "LZ101", line = line,
                        word = units.key(key),
                        text = ("dist.%s has no parameter `%s`"):format(name, units.key(key)),
                        help = known[ours] and ("what it means is called `%s`"):format(ours) or nil,
                        list = { "its parameters are", params } }
                end
            end
            local a = dist_number(state, line, name, params[1], body[params[1]])
            local b = params[2] and dist_number(state, line, name, params[2], body[params[2]]) or 0
            if not a or not b then return POISON end
            local facts = { kind = "dist", dist = name, a = a, b = b, line = line, text = "dist."
                .. name }
            local ok, message = state.C.check_dist(facts)
            if not ok then
                return handles.complain(state) { code = "LZ206", line = line,
                    text = ("dist.%s: %s"):format(name, message) }
            end
            return handles.plain(facts)
        end
    end
    for _, name in ipairs { "hyperexponential", "empirical" } do
        list[name] = function(body) return pairs_dist(state, name, body, state.line()) end
    end
    return words.strict(state, "dist", list, "distribution")
end

return M
