--- Alerts and the monitoring they belong to (schema_alert.lua), handed to C.
local M = {}

local MONTH = 720 * 3600000000000

-- Alertmanager's own: what a route does not say is as the one above it has it.
local ROUTE = { receiver = "default", group_by = {}, group_wait = 30000000000,
    group_interval = 300000000000, repeat_interval = 14400000000000, send_resolved = true }

local function route_of(f, above)
    local r = {}
    for name in pairs(ROUTE) do
        r[name] = f[name]
        if r[name] == nil then r[name] = above[name] end
    end
    return r
end

-- As C takes it.
local function route_out(r, f)
    local is_each = false
    for _, name in ipairs(r.group_by) do is_each = is_each or name == "..." end
    return { receiver = r.receiver, group_by = r.group_by, group_wait = r.group_wait,
        group_interval = r.group_interval, repeat_interval = r.repeat_interval,
        no_resolved = not r.send_resolved, is_each = is_each, match = f.match,
        goes_on = f.continue }
end

local function routes(f)
    local root, list = route_of(f, ROUTE), {}
    for i, r in ipairs(f.routes or {}) do list[i] = route_out(route_of(r, root), r) end
    list[#list + 1] = route_out(root, {})
    return list
end

local function silences(f)
    local list = {}
    for i, s in ipairs(f.silences or {}) do
        local from = s.at or 0
        -- Later than there is time: to the end.
        local is_timed = s.lasting and s.lasting < math.maxinteger - from
        list[i] = { match = s.match, from = from, ["until"] = is_timed and from + s.lasting or nil }
    end
    return list
end

--- How many times as fast as its objective allows the budget of `b` is spent.
function M.burn_rate(b)
    if b.rate then return b.rate end
    local longest = 0
    for _, over in ipairs(b.over) do longest = math.max(longest, over) end
    return b.spends * (b.period or MONTH) / longest
end

-- A budget that burns: the same error ratio, too high over each window.
local function burning(C, b)
    local list, metric = {}, C.metric(b.of.id, "errors.ratio")
    for i, over in ipairs(b.over) do
        list[i] = { over = over, matcher = { metric = metric, component = b.of.id,
            compare = "above", limit = M.burn_rate(b) * (1.0 - b.objective) } }
    end
    return list
end

-- Its conditions; nil if one is about nothing that is measured, which has been said.
local function conditions(state, C, matcher, f)
    if f.expr then return {} end
    if f.burn then return burning(C, f.burn) end
    local list = {}
    for i, c in ipairs(f.when) do
        local m = matcher(state, C, c.matcher)
        if not m then return nil end
        -- A range in common is of what has none of its own.
        list[i] = { matcher = m, over = c.over or f.over }
    end
    return list
end

--- What is built here: behind all that it looks at.
M.BUILT = { alert = true, rule = true }

-- What rules record is known by name before anybody asks for it, whichever is declared first.
local function rules(state, C, refused)
    local list = {}
    for _, c in ipairs(state.plan.components) do
        if c.kind == "rule" then list[#list + 1] = c end
    end
    for _, c in ipairs(list) do
        local ok, message = C.promise(c.fields.record or c.name, c.fields.every)
        if not ok then return refused(state, c, message) end
    end
    for _, c in ipairs(list) do
        c.row = state.files.outer(c.line)
        local f = c.fields
        local id, message = C.rule { name = c.name, line = c.row, record = f.record or c.name,
            expr = f.expr, labels = f.labels, every = f.every }
        if not id then return refused(state, c, message) end
        c.id = id
    end
end

--- The monitoring first: rules are looked after as it says. `matcher` is build.lua's.
function M.build(state, C, matcher, refused)
    for _, m in ipairs(state.plan.monitorings) do
        local f = m.fields
        local ok, message = C.monitoring { scrape_interval = f.scrape_interval,
            evaluation_interval = f.evaluation_interval, routes = routes(f), inhibit = f.inhibit,
            silences = silences(f) }
        if not ok then return refused(state, m, message) end
    end
    rules(state, C, refused)
    for _, c in ipairs(state.plan.components) do
        local list = c.kind == "alert" and conditions(state, C, matcher, c.fields)
        if list then
            c.row = state.files.outer(c.line)
            local f = c.fields
            local id, message = C.alert { name = c.name, line = c.row, conditions = list,
                expr = f.expr, labels = f.labels, pending = f.pending,
                every = f.every,
                keep_firing_for = f.keep_firing_for, because = f.because }
            if not id then return refused(state, c, message) end
            c.id = id
        end
    end
end

return M
