--- Faults that are known, and checked, but cannot be run yet; those that can are C's (src/fault).
---
--- A row is: what it does; what it may target, as kinds of handles; then its parameters as rows of
--- schema.lua. When a kind comes to C its row here goes.

local function req(row) row.required = true; return row end

local ratio = { "ratio", "ratio", "share that is touched" }
local add = { "add", "dist", "how much longer; a duration or a distribution" }

local M = {

    autoscaler_off = { "Stop scaling.", "service" },
    capacity_shortage = { "Refuse new replicas.", "service zone region cloud",
        { "delay", "duration", "late instead of never" } },
    registry_outage = { "Fail image pulls.", "service region cloud" },
    pipeline_outage = { "Fail deploys.", "service" },
    control_plane_down = { "Schedule nothing new.", "region cloud zone" },
    monitoring_loss = { "Lose scrapes.", "service database region cloud", ratio },
    alert_delay = { "Notify late.", "service region cloud", req(add) },
}

return M
