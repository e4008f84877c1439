--- `.top`: all components on one screen, who is up and how they do, and what breaks right now.
---
--- Columns are left out from the right where the terminal is narrow; lines are never wider than
--- it. Values are of the last five seconds.
local show = require "prompt_show"

local WINDOWS = 5
local NAME_MAX = 20

--- Title, metric, columns; the first that a kind has. In the order in which they are given up last.
local COLUMNS = {
    { "rate", 9, "rate", "appended.rate", "records.rate" },
    { "p99", 8, "latency.p99", "commit.p99", "work.p99" },
    { "errors", 8, "errors.ratio" },
    { "queue", 6, "queue.length", "connections.waiting", "pool.waiting" },
    { "in use", 7, "in_flight", "connections" },
    { "p50", 8, "latency.p50", "commit.p50" },
    { "cpu", 7, "cpu" },
}

-- They have no processes; what they measure is shown by themselves.
local NOT_SHOWN = { link = true, host = true, alert = true, rule = true }

local function value(state, c, column)
    for i = 3, #column do
        local known = state.metrics[c.kind] and state.metrics[c.kind][column[i]]
        local id = known and state.C.metric(c.id, column[i])
        local text = id and id ~= 0 and state.C.recent(id, WINDOWS)
        if text then return text end
    end
    return "-"
end

local function instances_up(state, c)
    if c.kind == "traffic" or c.kind == "topic" then return "" end
    local list, up, all = state.C.instances(c.id), 0, 0
    for _, i in ipairs(list) do
        if i.state == "up" then up = up + 1 end
        if not i.absent then all = all + 1 end
    end
    if #list == 0 then return "" end
    return ("%d/%d%s"):format(up, all, up < all and "!" or "")
end

--- What is worth a word beside the numbers.
local function remark(state, c)
    if not state.C.begun() then return "" end
    local own = state.C.status(c.id)[0]
    if own.promoting then return "promoting" end
    if c.kind == "database" and not own.writable then return "no primary" end
    if own.leader == 0 then return "no leader" end
    if (own.offline or 0) > 0 then return ("%d offline"):format(own.offline) end
    if (own.under_replicated or 0) > 0 then
        return ("%d under-replicated"):format(own.under_replicated)
    end
    if own.phase and own.phase ~= "stable" then return own.phase end
    return ""
end

local function columns_that_fit(state, name_width)
    local left, shown = state.width - name_width - 6, {}
    for _, column in ipairs(COLUMNS) do
        if left < column[2] + 1 then break end
        left = left - column[2] - 1
        shown[#shown + 1] = column
    end
    return shown, left
end

local function line(state, cells, columns, name_width)
    local text = show.pad(show.fit(state, cells.name, name_width), name_width) .. " "
        .. show.pad(cells.up, 5)
    for i, column in ipairs(columns) do
        text = text .. " " .. show.pad_left(cells[i], column[2])
    end
    return (show.fit(state, text, state.width):gsub("%s+$", ""))
end

return function(state)
    local all, name_width = state.C.components(), 9
    for _, c in ipairs(all) do
        name_width = math.max(name_width, math.min(NAME_MAX, show.width_of(c.name)))
    end
    if state.width < 60 then name_width = math.min(name_width, 12) end
    local remarks = {}
    local columns = columns_that_fit(state, name_width)
    local head = { name = "component", up = "up" }
    for i, column in ipairs(columns) do head[i] = column[1] end
    local lines = { line(state, head, columns, name_width) }
    for _, c in ipairs(all) do
        if not NOT_SHOWN[c.kind] then
            local cells = { name = c.name, up = instances_up(state, c) }
            for i, column in ipairs(columns) do cells[i] = value(state, c, column) end
            lines[#lines + 1] = line(state, cells, columns, name_width)
            local said = remark(state, c)
            if said ~= "" then remarks[#remarks + 1] = ("! %s: %s"):format(c.name, said) end
        end
    end
    for _, text in ipairs(remarks) do lines[#lines + 1] = show.fit(state, text, state.width) end
    for _, f in ipairs(state.C.broken()) do
        lines[#lines + 1] = show.fit(state, ("! %s since %s, %s %s"):format(f.name,
            state.C.format(f.since, "instant"), state.C.format(f.effect, "count"), f.unit),
            state.width)
    end
    return table.concat(lines, "\n")
end
