--- What an alerting rule and the monitoring that evaluates it say of themselves: rules as
--- Prometheus has them, notifications as Alertmanager does. Rows as in schema.lua.
local M = {}

local burn = {
    { "of", "ref:service|balancer|gateway|traffic|database|consensus|cache|store",
        "whose errors count", required = true },
    { "objective", "ratio", "share that must succeed", required = true },
    { "rate", "number", "how many times as fast as the objective allows the budget is spent" },
    { "spends", "ratio", "in place of rate: that much of a period's budget, in the longest of "
        .. "`over`" },
    { "period", "duration", "with spends: of the budget; default 720h, 30 days",
        above_zero = true },
    { "over", "durations", "the windows; it burns so fast over each: { \"1h\", \"5m\" }",
        required = true },
}

M.alert = {
    { "when", "conditions", "what it fires for: a matcher, or a list, of which all must be true",
        required = true, unless = { { "burn" }, { "expr" } } },
    { "expr", "promql", "what it fires for, as Prometheus' rules say it: each element of the "
        .. "vector is an alert with its labels. Metrics are called as `-o openmetrics` calls "
        .. "them" },
    { "burn", "block", "an error budget that is spent too fast", fields = burn },
    { "over", "duration", "the range that matchers look back on; default the last sample of levels "
        .. "and counts, of all else 4 scrapes", above_zero = true },
    { "pending", "duration", "how long it must be true; Prometheus' `for`, a word of Lua's own; "
        .. "default 0s" },
    { "keep_firing_for", "duration", "how long it fires on when it is no longer true; default 0s" },
    { "labels", "labels", "such as { severity = \"page\" }; alertname is its name" },
    { "every", "duration", "how often it is evaluated, 1ms to 24h, together with what has the "
        .. "same; default the monitoring's evaluation_interval", above_zero = true },
    { "because", "text", "why it matters" },
}

M.rule = {
    { "expr", "promql", "what is recorded: each element of the vector is a series, with its labels",
        required = true },
    { "record", "series_name", "what the series are called; default its own name" },
    { "labels", "labels", "such as { team = \"shop\" }, over those of the elements" },
    { "every", "duration", "how often it is evaluated, 1ms to 24h, together with what has the "
        .. "same; default the monitoring's evaluation_interval", above_zero = true },
}

-- What is not said of a route is as it is above it: `preset` says what of each.
local function route(preset)
    return {
        { "receiver", "text", "who is told; for people; default " .. preset "\"default\"" },
        { "group_by", "names", "alerts with the same values of these labels are notified about "
            .. "together, with \"...\" alone each by itself; default "
            .. preset "none: all are one group" },
        { "group_wait", "duration", "from the first alert of a group to its notification; default "
            .. preset "30s" },
        { "group_interval", "duration", "until what is new in a group is told; default "
            .. preset "5m",
            above_zero = true },
        { "repeat_interval", "duration", "until what is not new is told again; default "
            .. preset "4h",
            above_zero = true },
        { "send_resolved", "bool", "tell what is resolved; default " .. preset "true" },
    }
end

local routes = route(function() return "as above" end)
table.insert(routes, 1, { "match", "label_matchers", "which alerts take it", required = true })
routes[#routes + 1] = { "continue", "bool", "they go on to the next route; default false" }

local inhibitions = {
    { "source", "label_matchers", "while one of these fires", required = true },
    { "target", "label_matchers", "these are not notified about", required = true },
    { "equal", "names", "if they have the same values of these labels; default none" },
}

local silences = {
    { "match", "label_matchers", "what is not notified about", required = true },
    { "at", "duration", "from when on; default from the start" },
    { "lasting", "duration", "how long; default to the end", above_zero = true },
}

M.monitoring = route(function(own) return own end)
for i, row in ipairs {
    { "scrape_interval", "duration", "how often targets are asked for their metrics, 1ms to 24h; "
        .. "default 15s",
        above_zero = true },
    { "evaluation_interval", "duration", "how often rules are evaluated, 1ms to 24h; default "
        .. "15s",
        above_zero = true },
} do table.insert(M.monitoring, i, row) end
for _, row in ipairs {
    { "routes", "blocks", "for some alerts another way, the first that matches", fields = routes },
    { "inhibit", "blocks", "alerts that others make needless", fields = inhibitions },
    { "silences", "blocks", "alerts that nobody wants to hear of for a while", fields = silences },
} do M.monitoring[#M.monitoring + 1] = row end

return M
