--- Rates that change over the run: `shape.*`.
---
--- Whatever people write becomes one of three things that C knows (src/sim/shape.h): a constant, a
--- sine, or straight pieces { at, rate, slope } that may come again after a period.
---
--- ```lua
--- shape.ramp { from = "10/s", to = "30/s", over = "20s" }
---     --> points = { { 0, 10, 1 }, { 20e9, 30, 0 } }
--- ```
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON

local MINUTE = 60 * 1000000000

--- A shape as a handle, once C has found nothing wrong with it.
local function shape(state, name, facts, line, path)
    facts.kind, facts.shape, facts.line, facts.text = "shape", name, line, "shape." .. name
    local ok, message = state.C.check_shape(facts)
    if not ok then
        return state.diag.add { code = "LZ206", line = line, word = name, path = path,
            text = ("%s: %s"):format(facts.text, message) }
    end
    return handles.plain(facts)
end

local function constant(state)
    return function(v)
        local line = state.line()
        if v == POISON then return POISON end
        local value, code, text, help = units.rate(v)
        if not value then
            return state.diag.add { code = code, line = line, word = "constant",
                text = "shape.constant: " .. text, help = help }
        end
        return shape(state, "constant", { rate = value }, line)
    end
end

--- A list of { at, rate }, ever later; nothing comes before the first.
local function steps(state)
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
        local points, before = {}, -1
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
            points[i], before = { at, rate, 0 }, at
        end
        return shape(state, "steps", { points = points }, line)
    end
end

--- What shapes with fields are made of, by name: facts, or nil, the field that is wrong, what must
--- be, and what to write instead.
local MAKE = {}

function MAKE.ramp(f)
    if f.over == 0 then
        return nil, "over", "must be above 0s",
            'a jump is shape.steps { { "0s", "100/s" }, { "5m", "300/s" } }'
    end
    return { points = { { 0, f.from, (f.to - f.from) / (f.over / 1e9) }, { f.over, f.to, 0 } } }
end

function MAKE.sine(f)
    if f.period == 0 then return nil, "period", "must be above 0s" end
    if f.amplitude > f.mean then
        return nil, "amplitude", "must be at most the mean, or the rate falls below zero"
    end
    return { mean = f.mean, amplitude = f.amplitude, period = f.period }
end

--- Each period ends with its burst, so that a run begins in peace.
function MAKE.burst(f)
    if f.every == 0 then return nil, "every", "must be above 0s" end
    if f.lasting == 0 then return nil, "lasting", "must be above 0s" end
    if f.lasting >= f.every then
        return nil, "lasting", "must be shorter than `every`",
            "a burst that never ends is shape.steps"
    end
    return { period = f.every,
        points = { { 0, f.base, 0 }, { f.every - f.lasting, f.peak, 0 } } }
end

local function with_fields(state, name)
    local rows, what = schema.shape_fields[name], "shape." .. name
    return function(body)
        local line = state.line()
        if body == POISON then return POISON end
        if type(body) ~= "table" or getmetatable(body) then
            return state.diag.add { code = "LZ110", line = line, word = name,
                text = what .. " needs a body in braces" }
        end
        local f = fields.read(words.context(state, what, line), rows, body)
        if f.broken then return POISON end
        local facts, field, text, help = MAKE[name](f)
        if not facts then
            return state.diag.add { code = "LZ206", line = line, path = { field }, word = name,
                text = ("`%s` of %s %s"):format(field, what, text), help = help }
        end
        return shape(state, name, facts, line)
    end
end

-- ---------------------------------------------------------------- replay

--- The requests of each minute, from the text of a file; or nil and what is wrong with it. A line
--- is a minute; its last column is the number of requests. A first line of words is the heading.
---@return table? points, string? text
function M.read_minutes(text, path)
    local points, n, minute = {}, 0, 0
    for row in (text:find "\n$" and text or text .. "\n"):gmatch "([^\n]*)\n" do
        n = n + 1
        local cell = row:gsub("\r$", ""):match "([^,;\t]*)$":gsub('^%s*"?', ""):gsub('"?%s*$', "")
        local count = cell:match "^%d+%.?%d*$" and tonumber(cell)
        if count then
            -- Requests of a minute; a stretch of equal minutes is one piece.
            local rate = count / 60
            if not points[1] or points[#points][2] ~= rate then
                points[#points + 1] = { minute * MINUTE, rate, 0 }
            end
            minute = minute + 1
        elseif not (n == 1 and cell:find "%a") and row:find "%S" then
            return nil, ("%s:%d: expected a number of requests in the last column, got %s"):format(
                path, n, units.show(cell))
        end
    end
    if minute == 0 then return nil, path .. " has no line with a number of requests" end
    if points[#points][2] ~= 0 then points[#points + 1] = { minute * MINUTE, 0, 0 } end
    return points
end

local function replay(state)
    local function wrong(line, text, help, code)
        return state.diag.add { code = code or "LZ209", line = line, word = "replay", text = text,
            help = help }
    end
    return function(name)
        local line = state.line()
        if name == POISON then return POISON end
        if type(name) ~= "string" or name == "" or name:find "[%z\n]" then
            return wrong(line, "shape.replay takes a file's name, got " .. units.kind_of(name),
                'write shape.replay "requests.csv"', "LZ205")
        end
        local from = state.files.get(line)
        local source, path, key = state.C.read_file(from.path, name)
        if not source then
            return wrong(line, path, key and "a scenario reads nothing outside its project's folder"
                or "a file's name is relative to the file that says it", key and "LZ119")
        end
        local points, text = M.read_minutes(source, path)
        if not points then
            return wrong(line, text, "a line is a minute, and its last column the requests in it")
        end
        return shape(state, "replay", { points = points, file = name }, line)
    end
end

--- The word `shape`, for one state.
function M.word(state)
    local list = { constant = constant(state), steps = steps(state), replay = replay(state) }
    for name in pairs(schema.shape_fields) do list[name] = with_fields(state, name) end
    return words.strict(state, "shape", list, "shape")
end

return M
