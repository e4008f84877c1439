--- Alerts in a plan: what each fires for, and how all are looked after.
local schema = require "schema"
local values = require "plan_values"

local M = {}

-- Shown on lines of their own.
local OWN = { when = true, expr = true, burn = true, over = true, because = true }
local LISTS = { routes = "route", inhibit = "inhibit", silences = "silence" }

local function row(list, text) list[#list + 1] = { "", "", text } end

local function one_line(expr) return "expr " .. expr:gsub("%s+", " "):match "^ ?(.-) ?$" end

-- What it fires for, line by line: conditions, all of which must hold, or PromQL.
local function conditions(f)
    local list = {}
    for i, one in ipairs(f.when or {}) do
        local over = one.over or f.over
        list[i] = ("%s %s%s"):format(i == 1 and "when" or "and", one.matcher.text,
            over and " over " .. values.duration(over) or "")
    end
    if f.expr then list[1] = one_line(f.expr) end
    for _, field in ipairs(f.burn and schema.alert or {}) do
        if field[1] == "burn" then list[1] = "burn " .. values.list(field.fields, f.burn) end
    end
    if f.because then list[#list + 1] = "because " .. f.because end
    return list
end

--- Rows of an alert.
function M.alert(rows, c)
    local list, options = conditions(c.fields), values.list(schema.alert, c.fields, OWN)
    if options ~= "" then table.insert(list, 1, options) end
    rows[#rows + 1] = { "alert", c.name, list[1] }
    for i = 2, #list do row(rows, list[i]) end
end

--- Rows of a rule.
function M.rule(rows, c)
    local options = values.list(schema.rule, c.fields, OWN)
    rows[#rows + 1] = { "rule", c.name, options ~= "" and options or one_line(c.fields.expr) }
    if options ~= "" then row(rows, one_line(c.fields.expr)) end
end

--- Rows of the monitoring, where it is declared.
function M.monitoring(rows, state)
    for _, m in ipairs(state.plan.monitorings) do
        rows[#rows + 1] = { "monitoring", m.name, values.list(schema.monitoring, m.fields) }
        for _, field in ipairs(schema.monitoring) do
            for _, block in ipairs(LISTS[field[1]] and m.fields[field[1]] or {}) do
                row(rows, LISTS[field[1]] .. " " .. values.list(field.fields, block))
            end
        end
    end
end

return M
