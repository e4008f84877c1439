--- Pages about what the tables of blocks do not know: parts of components (deploy, primary), all
--- that `drive` may do, what a handler is given, and what a run says when it says nothing.
---
--- ```lua
--- docs_acts.part_page("scale", 80)   --> the page of web:scale(20), or nil
--- docs_acts.fixed.actions(facts, 80)
--- ```
local text = require "docs_text"
local words = require "docs_words"

local M = {}

local function titled(name, sentence, width)
    return name .. "\n\n" .. text.paragraph(sentence, width, "  ")
end

local function section(title, body)
    return body == "" and "" or ("\n%s\n\n%s"):format(title, body)
end

-- What is called with a colon, and what is only named.
local function is_act(part) return part[2]:find "^fun%(self" ~= nil end

local function as_written(kind, part)
    return ("%s%s%s"):format(kind, is_act(part) and ":" or ".", part[1])
end

--- All components that have a part of that name.
function M.part_page(name, width)
    local rows, acts = {}, false
    for _, kind in ipairs(text.keys(words.parts)) do
        for _, part in ipairs(words.parts[kind]) do
            if part[1] == name then
                rows[#rows + 1] = { as_written(kind, part), part[3] }
                acts = acts or is_act(part)
            end
        end
    end
    if #rows == 0 then return nil end
    return titled(name, acts and "What a component is told, with a colon after its name. All that "
        .. "there is of it: lorenz explain actions." or "A part of a component.", width)
        .. section("Of", text.rows(rows, width))
end

function M.part_names()
    local seen, names = {}, {}
    for _, parts in pairs(words.parts) do
        for _, part in ipairs(parts) do
            if not seen[part[1]] then names[#names + 1] = part[1] end
            seen[part[1]] = true
        end
    end
    table.sort(names)
    return names
end

M.fixed = {}

function M.fixed.actions(_, width)
    local rows = {}
    for _, kind in ipairs(text.keys(words.parts)) do
        for _, part in ipairs(words.parts[kind]) do
            local asks = part[1] == "slot" or part[1] == "version"
            if is_act(part) and not asks then
                rows[#rows + 1] = { as_written(kind, part), part[3] }
            end
        end
    end
    local here = {}
    for _, name in ipairs { "sleep", "wait_until", "mark", "log", "now", "rand" } do
        here[#here + 1] = { name, words.functions[name].text }
    end
    here[#here + 1] = { "metric:value()", words.metric_value }
    here[#here + 1] = { "fault.KIND { ... }", "Without `at` it begins at once, and `:stop()` ends "
        .. "it: fault.throttle and fault.drain are an operator's too." }
    return titled("actions", "What an operator does while the system runs, within drive(\"name\", "
        .. "function() ... end). What the world refuses is answered with nothing and why.", width)
        .. section("Words", text.rows(here, width))
        .. section("Of components", text.rows(rows, width))
        .. section("Example", text.code [[
drive("operator", function()
  wait_until(web.errors.ratio:above "5%", { timeout = "5m" })
  log("%g replicas, CPU at %s", web.replicas.up:value(), web.cpu)
  local slow = fault.throttle { web, rate = "50/s" }
  sleep "2m"
  slow:stop()
end)]])
end

function M.fixed.inconclusive(_, width)
    return titled("inconclusive", "Neither passed nor failed: something was not tested. The status "
        .. "is 3, and each reason is said beside its ?.", width)
        .. section("Why", text.rows({
            { "touched nothing", "A fault did not act on anything: nobody called what it slowed, "
                .. "no limit was reached. Put it where there is load, or when; in a case that "
                .. "must do without, leave the fault out of it." },
            { "no sample", "Nothing was measured in the window: no request came, or all before "
                .. "`warmup`. A wider window, more traffic, a longer `duration`." },
            { "never true", "A `sometimes` that no instant satisfied: what it says was never "
                .. "there to be seen." },
            { "never reached", "Its anchor was not: a mark that was not set, an alert that did not "
                .. "fire, a fault after the end." },
            { "never asked", "A history without the operations that would show it: reads, or two "
                .. "clients of one key." },
            { "used up", "Events, memory or time were at their limit before the end." } }, width))
        .. section("See", text.rows({
            { "exit", "what statuses mean" },
            { "xfail", "parameter values whose cases are meant to fail" } }, width))
end

function M.fixed.request(_, width)
    local rows = {}
    for _, f in ipairs(words.request_fields) do rows[#rows + 1] = { "req." .. f[1], f[3] } end
    for _, name in ipairs(text.keys(words.request)) do
        rows[#rows + 1] = { "req:" .. name, words.request[name].text }
    end
    for _, f in ipairs(words.record_fields) do
        rows[#rows + 1] = { "record." .. f[1], "of consumers: " .. f[3] }
    end
    return titled("request", "What a handler of a service is given. It returns a status such as "
        .. "200; nothing means 200.", width) .. "\n" .. text.rows(rows, width)
end

return M
