--- What the function of a `check` is given: it looks at a run that is over.
---
--- ```lua
--- check("nobody waits longer in zone b", function(w)
---   local a, b = w:value(east.latency.p99), w:value(west.latency.p99)
---   return a and b and b <= a, "a " .. tostring(a) .. " s, b " .. tostring(b) .. " s"
--- end)
--- ```
local handles = require "handles"
local node = require "build_node"
local units = require "units"

local M = {}

--- `metric` gives C's number of one, 0 if nobody measures it, and then perhaps why: a live run
--- does not observe it.
function M.new(C, metric)
    local Witness = {}

    function Witness:value(m)
        local h = handles.of(m)
        if self == nil or not h or not h.is_metric then
            error(("w:value takes a metric such as web.latency.p99, got %s"):format(
                h and handles.describe(m) or units.show(m)), 2)
        end
        local id, why = metric(C, h)
        if why then error(("%s has no live source: %s"):format(h.text, why), 2) end
        if id == 0 then
            error(("%s is not measured%s"):format(h.text, node.why_not(h, true)), 2)
        end
        return C.metric_whole(id)
    end

    function Witness:happened(name)
        if self == nil or type(name) ~= "string" then
            error(("w:happened takes the name of a mark, got %s"):format(units.show(name)), 2)
        end
        local ns = C.marked_at(name)
        return ns and handles.dur(ns)
    end

    return setmetatable({}, {
        __index = function(_, k)
            return Witness[k] or error(("what a check is given has no `%s`: it has value, happened")
                :format(units.key(k)), 2)
        end,
        __newindex = function() error("what a check is given cannot be changed", 2) end,
        __metatable = "witness",
    })
end

return M
