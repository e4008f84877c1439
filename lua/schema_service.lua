--- What services have that has grown: blocks within blocks, as data (schema.lua).
local M = {}

local policy = {
    { "pods", "count", "so many replicas", min = 1 },
    { "percent", "share", "such a share of those there were when the period began; may be more "
        .. "than 100%", above_zero = true },
    { "period", "duration", "within so long; default 15s, at most 30m", above_zero = true },
}

local function behavior(up)
    return {
        { "stabilization_window", "duration", up
            and "the least wanted within it is done; default 0s, at most 1h"
            or "the most wanted within it is done; default 5m, at most 1h" },
        { "select_policy", "choice", "which policy holds: the one that allows most, or least; "
            .. "disabled: it never does; default max", choices = { "max", "min", "disabled" } },
        { "policies", "policies", up
            and "at most 4; default 4 pods and 100% in 15s" or "at most 4; default 100% in 15s",
            fields = policy },
        { "tolerance", "ratio", "a metric this near to its target does nothing; default 10%" },
    }
end

M.autoscale = {
    { "min", "count", "fewest replicas; default 1", min = 1 },
    { "max", "count", "most replicas", min = 1, required = true },
    { "by_hand", "bool", "it aims at nothing: they change when somebody says so, in drive: "
        .. "web:scale(20); default false" },
    { "target_cpu", "ratio", "share of the cores in use that it aims at", above_zero = true },
    { "target_rate", "rate", "requests that each replica answers", above_zero = true },
    { "target_in_flight", "number", "requests at each replica, served or waiting" },
    { "startup", "duration", "until a new replica serves; default 30s" },
    { "period", "duration", "between two looks; default 15s", above_zero = true },
    { "scale_up", "block", "how fast it adds", fields = behavior(true) },
    { "scale_down", "block", "how fast it takes away", fields = behavior(false) },
    { "cooldown", "duration", "between two decisions, in place of scale_up and scale_down" },
}

--- Kubernetes' Deployment strategy; its words, its defaults.
M.rollout = {
    { "strategy", "choice", "whether new replicas start beside the old ones, or after they have "
        .. "all ended (those of a lost host end when it is back); default rolling",
        choices = { "rolling", "recreate" } },
    { "max_surge", "portion", "so many more there may be; a share is rounded up; default 25%" },
    { "max_unavailable", "portion", "so many fewer may be available; a share is rounded down; "
        .. "default 25%" },
    { "min_ready", "duration", "so long a replica is ready before it counts as available; default "
        .. "0s" },
    { "progress_deadline", "duration", "without progress for so long it has stalled; default 10m",
        above_zero = true },
}

--- A PodDisruptionBudget: one of the two.
M.disruption_budget = {
    { "min_available", "portion", "so many must be ready; a share is rounded up" },
    { "max_unavailable", "portion", "so many may be missing; a share is rounded up" },
}

return M
