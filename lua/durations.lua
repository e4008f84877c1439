--- dur("30s"): durations that can be added up and compared.
---
--- ```lua
--- local ttl = dur("30s")
--- sleep(ttl + dur("5s") * 2)
--- ```
local diag = require "diag"
local units = require "units"

local M = {}

--- One of so many nanoseconds.
function M.new(ns)
    return setmetatable({ ns = ns }, M.meta)
end

local function both(a, b, what)
    local x, y = units.duration(a), units.duration(b)
    if not x or not y then error(what, 3) end
    return x, y
end

local TO_ADD = 'a duration can only be added to a duration such as dur("5s")'
local TO_TAKE = "only a duration can be taken from a duration"
local TO_COMPARE = 'a duration is compared with a duration such as dur("5s")'

M.meta = {
    lz_kind = "duration", __metatable = "duration",
    __add = function(a, b)
        if a == diag.POISON or b == diag.POISON then return diag.POISON end
        local x, y = both(a, b, TO_ADD)
        return M.new(x + y)
    end,
    __sub = function(a, b)
        if a == diag.POISON or b == diag.POISON then return diag.POISON end
        local x, y = both(a, b, TO_TAKE)
        return M.new(x - y)
    end,
    __mul = function(a, b)
        local t, n = a, b
        if t == diag.POISON or n == diag.POISON then return diag.POISON end
        if type(a) == "number" then t, n = b, a end
        local ns = type(n) == "number" and t.ns * n
        local is_one = ns and math.abs(ns) < 2 ^ 62
        if not is_one then
            error("a duration can be multiplied by a number", 2)
        end
        return M.new(math.floor(ns + 0.5))
    end,
    __eq = function(a, b) return a.ns == b.ns end,
    __lt = function(a, b)
        local x, y = both(a, b, TO_COMPARE)
        return x < y
    end,
    __le = function(a, b)
        local x, y = both(a, b, TO_COMPARE)
        return x <= y
    end,
    __tostring = function(d) return ("%gs"):format(d.ns / 1e9) end,
}

return M
