--- Values that vary: `dist.*`, what one draw may give, and `shape.*`, a rate over time.
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON

local function dist_number(state, line, name, param, v)
    if v == nil then
        state.diag.add { code = "LZ102", line = line, text = ("dist.%s needs `%s`"):format(name,
            param) }
        return nil
    end
    if schema.dist_plain[param] or (name == "zipf") then
        if type(v) == "number" then return v + 0.0 end
        state.diag.add { code = "LZ205", line = line,
            text = ("`%s` of dist.%s: expected a number, got %s"):format(param, name,
                units.kind_of(v)) }
        return nil
    end
    local ns, code, text, help = units.duration(v)
    if ns then return ns + 0.0 end
    state.diag.add { code = code, line = line, path = { param },
        text = ("`%s` of dist.%s: %s"):format(param, name, text), help = help }
    return nil
end

local function pairs_dist(state, name, body, line)
    if body == POISON then return POISON end
    if type(body) ~= "table" or getmetatable(body) or #body == 0 then
        return state.diag.add { code = "LZ205", line = line, word = name,
            text = ("dist.%s takes a list, got %s"):format(name, units.kind_of(body)),
            help = ('write dist.%s { { 0.5, "2ms" }, { 0.99, "18ms" } }'):format(name) }
    end
    local points = {}
    for i, p in ipairs(body) do
        local at = type(p) == "table" and units.ratio(p[1])
        local value = type(p) == "table" and units.duration(p[2])
        if not at or not value then
            return state.diag.add { code = "LZ205", line = line,
                text = ("dist.%s: entry %d must be a share and a duration"):format(name, i),
                help = 'write { 0.5, "2ms" }' }
        end
        points[i] = { at, value + 0.0 }
    end
    return handles.plain { kind = "dist", dist = name, points = points, line = line,
        text = "dist." .. name }
end

--- The word `dist`, for one state.
function M.word(state)
    local list = {}
    for name, params in pairs(schema.dist) do
        list[name] = function(body)
            local line = state.line()
            if body == POISON then return POISON end
            if name == "constant" then body = { value = body } end
            if type(body) ~= "table" then
                return state.diag.add { code = "LZ205", line = line,
                    text = ("dist.%s takes { %s }"):format(name, table.concat(params, ", ")) }
            end
            local known = {}
            for _, p in ipairs(params) do known[p] = true end
            local keys = {}
            for key in pairs(body) do keys[#keys + 1] = units.key(key) end
            table.sort(keys)
            for _, key in ipairs(keys) do
                if not known[key] then
                    return state.diag.add { code = "LZ101", line = line, path = { units.key(key) },
                        at = "field",
                        text = ("dist.%s has no parameter `%s`"):format(name, units.key(key)),
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
                return state.diag.add { code = "LZ206", line = line,
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

-- ---------------------------------------------------------------- shapes

local function shape(state, name, facts, line, text)
    facts.kind, facts.shape, facts.line, facts.text = "shape", name, line, text
    state.not_yet(line, text, name)
    return handles.plain(facts)
end

local function shape_constant(state)
    return function(v)
        local line = state.line()
        if v == POISON then return POISON end
        local value, code, text, help = units.rate(v)
        if not value then
            return state.diag.add { code = code, line = line, word = "constant",
                text = "shape.constant: " .. text, help = help }
        end
        return shape(state, "constant", { rate = value }, line, "shape.constant")
    end
end

--- A list of { at, rate }, from the start on and ever later.
local function shape_steps(state)
    local function wrong(line, text)
        return state.diag.add { code = "LZ205", line = line, word = "steps", text = text,
            help = 'write shape.steps { { "0s", "100/s" }, { "5m", "300/s" } }' }
    end
    return function(body)
        local line = state.line()
        if body == POISON then return POISON end
        if type(body) ~= "table" or getmetatable(body) or #body == 0 then
            return wrong(line, "shape.steps takes a list of { at, rate }")
        end
        local steps, before = {}, -1
        for i, step in ipairs(body) do
            local at = type(step) == "table" and units.duration(step[1])
            local rate = type(step) == "table" and units.rate(step[2])
            if not at or not rate then
                return wrong(line,
                    ("shape.steps: entry %d must be an instant and a rate"):format(i))
            elseif at <= before then
                return wrong(line, ("shape.steps: entry %d must be later than the one before")
                    :format(i))
            end
            steps[i], before = { at, rate }, at
        end
        return shape(state, "steps", { steps = steps }, line, "shape.steps")
    end
end

local function shape_replay(state)
    return function(name)
        local line = state.line()
        if name == POISON then return POISON end
        if type(name) ~= "string" or name == "" then
            return state.diag.add { code = "LZ205", line = line, word = "replay",
                text = "shape.replay takes a file's name, got " .. units.kind_of(name),
                help = 'write shape.replay "requests.csv"' }
        end
        return shape(state, "replay", { file = name }, line, "shape.replay")
    end
end

--- The word `shape`, for one state.
function M.shape_word(state)
    local list = { constant = shape_constant(state), steps = shape_steps(state),
        replay = shape_replay(state) }
    for name, rows in pairs(schema.shape_fields) do
        list[name] = function(body)
            local line = state.line()
            local what = "shape." .. name
            if body == POISON then return POISON end
            if type(body) ~= "table" or getmetatable(body) then
                return state.diag.add { code = "LZ110", line = line, word = name,
                    text = what .. " needs a body in braces" }
            end
            local f = fields.read(words.context(state, what, line), rows, body)
            if f.broken then return POISON end
            return shape(state, name, f, line, what)
        end
    end
    return words.strict(state, "shape", list, "shape")
end

return M
