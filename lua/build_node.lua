--- What a component says about its processes (schema_node.lua), handed to C.
local M = {}

local function probe(p)
    return p and { is_on = true, initial_delay = p.initial_delay, period = p.period,
        timeout = p.timeout, failure_threshold = p.failure_threshold,
        success_threshold = p.success_threshold, work = p.work }
end

local function life(C, c)
    local f = c.fields
    local backoff = f.crash_backoff or {}
    local said = f.startup or f.restart or f.crash_backoff or f.grace_period or f.pre_stop
        or f.endpoint_delay or f.liveness or f.readiness or f.memory
    if not said then return true end
    return C.life(c.id, { startup = f.startup,
        restart = f.restart or (f.liveness or f.memory) and "always" or "never",
        backoff = backoff.first, backoff_max = backoff.max, backoff_reset = backoff.reset,
        grace_period = f.grace_period, pre_stop = f.pre_stop, endpoint_delay = f.endpoint_delay,
        liveness = probe(f.liveness), readiness = probe(f.readiness) })
end

--- All of it; nil and a sentence if the model refuses.
function M.declare(C, c)
    for _, part in ipairs { life } do
        local ok, message = part(C, c)
        if not ok then return nil, message end
    end
    return true
end

return M
