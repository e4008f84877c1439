--- What would happen, as text: what a scenario is made of, when what goes wrong, its cases, and
--- how much there is to simulate. Nothing is run for it.
---
--- Everything here is read from the plan that validation made; the load is what follows from
--- rates and calls, without faults and retries.
local chaos = require "chaos"
local faults = require "faults"
local main = require "main"
local plan_alert = require "plan_alert"
local schema = require "schema"
local text = require "docs_text"
local values = require "plan_values"

local M = {}

local CELLS = 24 -- of a bar of the timeline
local CASES_MAX = 20
local NOT_SHOWN = { calls = true, handle = true, to = true, listen = true }

-- ---------------------------------------------------------------- load

--- What a component calls, as { to, op, fields }; a proxy calls what it stands before, and a name
--- leads to one of its answers.
function M.calls_of(c)
    local list = {}
    for _, call in ipairs(c.fields.calls or {}) do
        list[#list + 1] = { to = call.to, op = call.op, fields = call.fields }
        local through = call.fields.through
        if through then list[#list + 1] = { to = through.to, fields = through.fields } end
    end
    local to = c.fields.to or c.kind == "consumers" and c.fields.of
        or c.kind == "topic" and c.fields.on
    if to then list[#list + 1] = { to = to, op = c.fields.op, fields = c.fields } end
    for _, answer in ipairs(c.fields.answers or {}) do
        list[#list + 1] = { to = answer, fields = {}, is_one_of = true }
    end
    return list
end

--- Requests per second of traffic, a shape's mean over the run; nil if only the run tells.
function M.rate_of(state, c)
    local r, f = c.fields.rate, c.fields
    if not r or f.session then return nil end
    if type(r) == "number" then return r end
    local duration = state.plan.scenario.fields.duration
    return duration > 0 and state.C.shape_area(r, duration) / (duration / 1e9) or nil
end

--- Calls per second at each component, by its facts; `unknown` if some of it cannot be told.
local function rates(state)
    local rate, unknown = {}, false
    local function visit(c, per_second)
        rate[c] = (rate[c] or 0) + per_second
        for _, call in ipairs(M.calls_of(c)) do
            if call.is_one_of then unknown = true else visit(call.to, per_second) end
        end
    end
    for _, c in ipairs(state.plan.components) do
        if c.kind == "traffic" then
            local r = M.rate_of(state, c)
            if r then visit(c, r) else unknown = true end
        end
        unknown = unknown or c.fields.handle ~= nil or c.kind == "cache"
    end
    return rate, unknown
end

--- Events of one run, as the kernel counts them without faults and retries: one for a request;
--- arriving, working and answering for a call; sending and confirming for each copy of a write;
--- and one for each second.
local function events(state, rate, seconds)
    local per_second = 1
    for _, c in ipairs(state.plan.components) do
        local r = rate[c] or 0
        per_second = per_second + (c.kind == "traffic" and r or 0)
        for _, call in ipairs(M.calls_of(c)) do
            local copies = call.to.kind == "database" and not state.C.is_read(call.op or "")
                and (call.to.fields.nodes or 1) - 1 or 0
            per_second = per_second + r * (3 + 2 * copies)
        end
    end
    return per_second * seconds
end

-- ---------------------------------------------------------------- sections

--- Where something was written: "line 12", or what a module did for a line of the scenario.
local function where(state, place)
    local file, line, outer = state.files.get(place)
    if file == state.files.files[1] then return ("line %d"):format(line) end
    return ("%s%s:%d"):format(outer and ("line %d, in "):format(outer) or "", file.path, line)
end

local function section(title, body)
    return body ~= "" and ("\n%s\n\n%s"):format(title, body) or ""
end

local function call_text(call)
    local options = values.list(schema.call, call.fields)
    return ("%s%s%s"):format(call.to.name, call.op and (' "%s"'):format(call.op) or "",
        options ~= "" and " (" .. options .. ")" or "")
end

local function own_code(c)
    local ops = {}
    for i, h in ipairs(c.fields.handle) do ops[i] = h.op end
    return "own code: " .. table.concat(ops, ", ")
end

local function topology(state, width)
    local rows = {}
    for _, r in ipairs(state.plan.regions) do
        rows[#rows + 1] = { r.kind or "region", r.name, "zones "
            .. table.concat(r.zones, ", ") }
    end
    for _, h in ipairs(state.plan.hosts) do rows[#rows + 1] = { "host", h.name, "" } end
    for _, c in ipairs(state.plan.components) do
        local parts = { values.list(schema[c.kind], c.fields, NOT_SHOWN) }
        if parts[1] == "" then parts[1] = nil end
        if c.fields.to then table.insert(parts, 1, "to " .. c.fields.to.name) end
        if c.fields.handle then parts[#parts + 1] = own_code(c) end
        if c.kind == "alert" then
            plan_alert.alert(rows, c)
        elseif c.kind == "rule" then
            plan_alert.rule(rows, c)
        else
            rows[#rows + 1] = { c.kind, c.name, table.concat(parts, ", ") }
        end
        for _, call in ipairs(c.fields.calls or {}) do
            rows[#rows + 1] = { "", "", "calls " .. call_text(call) }
            local fallback = call.fields.fallback
            if fallback then rows[#rows + 1] = { "", "", "  or " .. call_text(fallback) } end
        end
    end
    plan_alert.monitoring(rows, state)
    for _, l in ipairs(state.plan.links) do
        rows[#rows + 1] = { "link", ("%s, %s"):format(values.name(l.a), values.name(l.b)),
            values.list(schema.link, l.fields) }
    end
    for _, row in ipairs(rows) do
        for i, cell in ipairs(row) do row[i] = text.clean(cell) end
    end
    return text.rows(rows, width, 24)
end

--- Where in the run something is: "[...===....]".
local function bar(spans, duration)
    local cells = {}
    for i = 1, CELLS do
        local from, to = (i - 1) * duration / CELLS, i * duration / CELLS
        cells[i] = "."
        for _, s in ipairs(spans) do
            if s[1] < to and s[2] > from or s[1] == s[2] and s[1] >= from and s[1] < to then
                cells[i] = "="
            end
        end
    end
    return "[" .. table.concat(cells) .. "]"
end

--- When a fault is active: once, or again and again until the run ends.
local function spans_of(f, duration)
    local list, at = {}, f.at
    repeat
        local stop = math.min(f.lasting and at + f.lasting or duration, duration)
        list[#list + 1] = { at, stop }
        at = f.every and at + f.every or math.huge
    until at >= duration or #list == 10000
    return list
end

--- A fault in words: its kind, its target, its own parameters.
function M.fault_text(state, facts)
    local fields, own = faults.fields(state.fault_kinds, facts.fault), {}
    local in_timeline = { at = true, lasting = true, every = true, mtbf = true }
    for _, f in ipairs(fields) do
        local v = not in_timeline[f[1]] and facts.fields[f[1]]
        local shown = v ~= nil and v ~= false and values.value(f, v)
        if shown then own[#own + 1] = ("%s %s"):format(f[1], shown) end
    end
    local target = facts.a and " " .. values.name(facts.a) or ""
    if facts.b then target = target .. " | " .. values.name(facts.b) end
    return ("fault.%s%s%s"):format(facts.fault, target,
        #own > 0 and ": " .. table.concat(own, ", ") or "")
end

local function add_span(rows, duration, spans, label)
    local first, last = spans[1][1], spans[1][2]
    local when = values.duration(first)
    if last > first then when = ("%s to %s"):format(when, values.duration(last)) end
    rows[#rows + 1] = { bar(spans, duration), when, text.clean(label), at = first, i = #rows }
end

--- The last instant of an `eventually`, if it is known before the run.
local function deadline_of(e)
    local after, within = e.fields.after, e.fields.within
    if e.operator ~= "eventually" or not after or not within then return nil end
    local base = after.at
    if after.fault then
        local f = after.fault.fields
        base = f.at
        if base and after.kind == "fault_ends" then base = f.lasting and base + f.lasting end
    end
    return base and base + within
end

local function count_of(block, come)
    local only = block.fields.only
    return only and ("%d of %d faults"):format(#only, come)
        or ("%d fault%s"):format(come, come == 1 and "" or "s")
end

local function timeline(state, opts, width)
    local s, rows = state.plan.scenario.fields, {}
    if (s.warmup or 0) > 0 then
        add_span(rows, s.duration, { { 0, s.warmup } }, "warm-up: nothing is judged")
    end
    for _, f in ipairs(state.plan.faults) do
        local again = f.fields.every and (", every %s"):format(values.duration(f.fields.every))
            or ""
        add_span(rows, s.duration, spans_of(f.fields, s.duration), ("%s%s%s (%s)"):format(
            f.chaos and f.chaos .. ": " or "", M.fault_text(state, f), again,
            where(state, f.line)))
    end
    for _, e in ipairs(state.plan.expectations) do
        local deadline = deadline_of(e)
        if deadline and deadline <= s.duration then
            add_span(rows, s.duration, { { deadline, deadline } }, ("deadline: %s (%s)")
                :format(e.name, where(state, e.line)))
        end
    end
    table.sort(rows, function(a, b)
        if a.at ~= b.at then return a.at < b.at end
        return a.i < b.i
    end)
    local out = text.rows(rows, width, CELLS + 2)
    for _, block in ipairs(state.plan.chaos) do
        out = out .. text.paragraph(text.clean(("chaos \"%s\" (%s) brings %s with seed %s; %s went "
            .. "over its budget."):format(block.name, where(state, block.line),
            count_of(block, #block.come), opts.seed, block.refused)), width, "  ")
    end
    for _, d in ipairs(state.plan.drives) do
        out = out .. text.paragraph(text.clean(("drive \"%s\" (%s) acts as the run goes; what it "
            .. "does is not known before."):format(d.name, where(state, d.line))), width, "  ")
    end
    return out
end

local function judged(state, width)
    local rows = {}
    for i, e in ipairs(state.plan.expectations) do
        local warn = e.fields.severity == "warn" and ", a warning" or ""
        rows[i] = { e.operator or e.kind, text.clean(("%s (%s%s)"):format(e.name,
            where(state, e.line), warn)) }
    end
    return text.rows(rows, width)
end

local function not_yet(state, width)
    local rows = {}
    for i, item in ipairs(state.plan.not_yet) do
        rows[i] = { where(state, item.line), text.clean(item.what) }
    end
    return text.rows(rows, width)
end

local function cases(state, opts, width)
    local all, rows = main.cases(state), {}
    for i, c in ipairs(all) do
        local pairs_of = {}
        for k, name in ipairs(c.names) do pairs_of[k] = name .. "=" .. c.texts[k] end
        if #pairs_of > 0 and i <= CASES_MAX then
            rows[#rows + 1] = { table.concat(pairs_of, ","), c.xfail and "meant to fail" or "" }
        end
    end
    local out = text.rows(rows, width, 60)
    if #all > CASES_MAX then out = out .. ("  and %d more: lorenz list\n"):format(#all - CASES_MAX)
    end
    local seeds = state.plan.scenario.fields.seeds
    local line = ("%d %s with seed %s%s."):format(#all, #all == 1 and "run" or "runs", opts.seed,
        seeds and ("; a sweep takes seeds 1 to %d"):format(seeds) or "")
    if #rows > 0 then line = line .. " The rest of this page is about the first case; --set "
        .. "NAME=VALUE chooses another." end
    return out .. text.paragraph(line, width, "  ")
end

local function load(state, opts, width)
    local s, rows = state.plan.scenario.fields, {}
    local rate, unknown = rates(state)
    local seconds = s.duration / 1e9
    for _, c in ipairs(state.plan.components) do
        if rate[c] then
            rows[#rows + 1] = { text.clean(c.name), values.rate(rate[c]), ("%s %s"):format(
                values.count(rate[c] * seconds), c.kind == "traffic" and "requests" or "calls") }
        end
    end
    local n = events(state, rate, seconds)
    local digits = 10 ^ math.max(0, #("%d"):format(math.floor(n)) - 2)
    local line = ("Without faults and retries; about %s events in a run."):format(
        values.count(math.floor(n / digits + 0.5) * digits))
    if unknown or #state.plan.not_yet > 0 then line = "Without faults and retries. What services' "
        .. "own code calls, users who come back, and what stands behind names and caches is not "
        .. "known before, and neither is the number of events." end
    return text.rows(rows, width, 30) .. text.paragraph(line, width, "  ")
        .. text.paragraph(("Each run may take %s of wall time and %d MiB of memory, %s."):format(
            values.duration(opts.timeout_ns), opts.memory_mib, opts.events_max > 0
            and ("and %s events"):format(values.count(opts.events_max))
            or "and any number of events"), width, "  ")
end

--- The whole page.
---@param opts { width: integer, seed: string, timeout_ns: integer, memory_mib: integer,
---              events_max: integer }
function M.text(state, opts)
    chaos.plan(state, opts.seed_number)
    local s = state.plan.scenario
    local width = opts.width
    local head = ("%s long%s."):format(values.duration(s.fields.duration),
        (s.fields.warmup or 0) > 0 and (", judged after %s of warm-up"):format(
            values.duration(s.fields.warmup)) or "")
    return text.paragraph(text.clean(s.name), width) .. text.paragraph(head, width, "  ")
        .. section("Made of", topology(state, width))
        .. section("Timeline", timeline(state, opts, width))
        .. section("Must hold", judged(state, width)) .. section("Cases", cases(state, opts, width))
        .. section("Load", load(state, opts, width))
        .. section("Not run yet by this version (LZ114)", not_yet(state, width))
end

return M
