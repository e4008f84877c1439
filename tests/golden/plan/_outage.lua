-- A module of the scenario beside it.
local M = {}

function M.outage(what, at)
    local outage = fault.pause { what, at = at, lasting = "10s" }
    return outage
end

return M
