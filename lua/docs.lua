--- Documentation: a page for each word, field, fault, metric, code and exit status.
---
--- Everything is read from the tables that validation and the model use (schema.lua, the faults'
--- and metrics' own tables as C gives them) and from what no table knows (docs_words.lua,
--- docs_codes.lua). Nothing is listed twice, so a page cannot say what is no longer so.
---
--- ```lua
--- docs.page(facts, "fault.latency", 80)     --> the text of the page, or nil
--- docs.near(facts, "latancy")               --> "latency"
--- ```
local acts = require "docs_acts"
local codes = require "docs_codes"
local diag = require "diag"
local examples = require "docs_examples"
local modules = require "docs_modules"
local schema = require "schema"
local text = require "docs_text"
local tool_pages = require "docs_tools"
local tools = require "tools"
local words = require "docs_words"

local M = {}

---@class Facts
---@field fault_kinds table<string, table>  as C.fault_kinds() gives them
---@field metrics table<string, table>  as C.metrics() gives them
---@field refused table<string, string>  names a scenario does not get, and why
---@field modules table<string, string>  sources of the standard library

-- ---------------------------------------------------------------- what is there

--- The facts with what is known but cannot be run yet: C does not know of that.
---@param facts Facts
---@return Facts
function M.complete(facts)
    if facts.is_complete then return facts end
    facts.is_complete = true
    schema.add_metrics(facts.metrics)
    return facts
end

--- Kinds of blocks, which have a list of fields.
function M.block_names()
    local names = {}
    for _, name in ipairs(text.keys(words.blocks)) do
        if schema[name] then names[#names + 1] = name end
    end
    return names
end

function M.code_names()
    local names = {}
    for _, name in ipairs(text.keys(codes)) do
        if name:match "^LZ%d+$" then names[#names + 1] = name end
    end
    return names
end

--- Shapes of a rate: those with fields, and those that take something else.
function M.shape_names()
    local names = text.keys(schema.shape_fields)
    for name in pairs(words.shapes) do
        if not schema.shape_fields[name] then names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

function M.dist_names()
    local names = text.keys(schema.dist)
    for _, name in ipairs { "empirical", "hyperexponential" } do
        if not schema.dist[name] then names[#names + 1] = name end
    end
    table.sort(names)
    return names
end

--- The fields of a block and of the blocks inside it, as { path, field }.
function M.fields_of(fields, prefix, out)
    out = out or {}
    for _, f in ipairs(fields) do
        out[#out + 1] = { (prefix or "") .. f[1], f }
        if f.fields then M.fields_of(f.fields, (prefix or "") .. f[1] .. ".", out) end
    end
    return out
end

--- The parameters of a fault's kind, as fields.
function M.fault_params(kind)
    local list = {}
    for _, p in ipairs(kind.params) do
        local f = { p.name, p.type, p.doc, required = p.required }
        if p.choices then
            f.choices = {}
            for c in p.choices:gmatch "[^|]+" do f.choices[#f.choices + 1] = c end
        end
        list[#list + 1] = f
    end
    return list
end

-- ---------------------------------------------------------------- fields

function M.type_word(f)
    if f[2]:match "^ref:" then return "component" end
    if f[2]:match "^refs:" then return "list" end
    local t = words.types[f[2]]
    return t and t[1] or f[2]
end

--- What a field's line says: its doc, its choices, what it may refer to, whether it is needed.
function M.field_doc(f)
    local doc = f[3]
    local how, kinds = f[2]:match "^(refs?):(.+)$"
    if kinds then
        doc = ("%s (a %s%s)"):format(doc, how == "refs" and "list of " or "",
            kinds:gsub("|", ", "))
    end
    if f.since then doc = ("%s; since %s"):format(doc, f.since) end
    if f.choices then
        doc = ('%s; "%s"'):format(doc, table.concat(f.choices, '" or "'))
    end
    if f.required then doc = doc .. "; required" end
    if f.later_choices then
        doc = ('%s; not run yet: "%s"'):format(doc, table.concat(f.later_choices, '" or "'))
    end
    return f.later and doc .. "; not run yet" or doc
end

local function field_rows(fields)
    local rows = {}
    for _, e in ipairs(M.fields_of(fields)) do
        rows[#rows + 1] = { e[1], M.type_word(e[2]), M.field_doc(e[2]), type = e[2][2] }
    end
    return rows
end

--- What the types of these rows mean, each once; those that say it by their name are left out.
local function type_notes(rows, width)
    local seen, out = {}, {}
    for _, row in ipairs(rows) do
        local t = words.types[row.type]
        if t and t[2] and not seen[row.type] then
            seen[row.type] = true
            out[#out + 1] = { t[1], t[2] }
        end
    end
    return text.rows(out, width)
end

local function section(title, body)
    return body ~= "" and ("\n%s\n\n%s"):format(title, body) or ""
end

local function example(body)
    return body and section("Example", text.code(body)) or ""
end

local function titled(name, sentence, width)
    return name .. "\n\n" .. text.paragraph(sentence, width, "  ")
end

-- ---------------------------------------------------------------- pages

local function metric_rows(metrics)
    local rows = {}
    for _, name in ipairs(text.keys(metrics)) do
        local m = metrics[name]
        rows[#rows + 1] = { name, words.units[m.unit][1], m.later and m.doc .. "; not run yet"
            or m.doc }
    end
    return rows
end

local NOT_RUN = "This version checks it, and cannot run it yet: lorenz explain LZ114."

local function block_page(facts, name, width)
    local w = words.blocks[name]
    local rows, parts = field_rows(schema[name]), {}
    for i, p in ipairs(words.parts[name] or {}) do parts[i] = { "." .. p[1], p[3] } end
    local page = titled(name, w.text, width)
        .. (schema.not_run[name] and "\n" .. text.paragraph(NOT_RUN, width, "  ") or "")
        .. section("Fields", text.rows(rows, width))
        .. section("Parts", text.rows(parts, width))
        .. section("Types", type_notes(rows, width)) .. example(w.example)
        .. "\nSince " .. (schema.since[name] or schema.FIRST) .. "\n"
    if facts.metrics[name] then
        page = page .. section("Metrics", text.rows(metric_rows(facts.metrics[name]), width))
    end
    if name == "fault" then
        local kinds = {}
        for _, kind in ipairs(text.keys(facts.fault_kinds)) do
            kinds[#kinds + 1] = { "fault." .. kind, facts.fault_kinds[kind].doc }
        end
        page = page .. section("Kinds", text.rows(kinds, width))
    end
    return page
end

local function fault_page(facts, name, width)
    local kind = facts.fault_kinds[name]
    if not kind then return nil end
    local rows = field_rows(M.fault_params(kind))
    local common = field_rows(schema.fault_fields(kind))
    local takes = "It takes " .. table.concat(kind.targets, ", ")
    if #kind.second > 0 then
        takes = takes .. "; a second target may follow, and is what the first is cut from or "
            .. "delayed to"
    end
    local page = titled("fault." .. name, kind.doc, width)
        .. section("Targets", text.paragraph(takes .. ".", width, "  "))
        .. section("Parameters", text.rows(rows, width))
        .. section("Fields of every fault", text.rows(common, width))
    for _, f in ipairs(rows) do common[#common + 1] = f end
    local also = tools.of_fault(name, facts.fault_kinds)
    page = page .. section("Types", type_notes(common, width))
    local waits = kind.waits and ", and so is one in which no process that it hit has ended since"
    return page .. section("Effect", text.paragraph(("It counts %s. A run whose fault "
            .. "touched nothing is inconclusive%s."):format(kind.effect, waits or ""), width, "  "))
        .. (kind.elsewhere and section("In other tools",
            text.paragraph(kind.elsewhere, width, "  ")) or "")
        .. (#also > 0 and section("Other tools call it", text.names(also, width)) or "")
        .. example(examples.of_fault(name, kind, M.fault_params(kind)))
end

local function dist_page(name, width)
    local params = schema.dist[name]
    if not params and name ~= "empirical" and name ~= "hyperexponential" then return nil end
    local body
    if not params then
        body = name == "empirical"
            and { "Drawn from a table of quantiles.", 'dist.empirical { { 0.5, "2ms" }, '
                .. '{ 0.99, "18ms" } }' }
            or { "Several exponentials, each with its share and mean.",
                'dist.hyperexponential { { 0.9, "2ms" }, { 0.1, "20ms" } }' }
    elseif name == "constant" then
        body = { "Always the same. A plain duration means this.", 'dist.constant "5ms"' }
    else
        local list, plain, ms = {}, { n = "1000" }, { "2ms", "18ms" }
        for i, p in ipairs(params) do
            local value = (schema.dist_plain[p] or name == "zipf") and (plain[p] or "1.5")
                or ('"%s"'):format(ms[i])
            list[i] = ("%s = %s"):format(p, value)
        end
        body = { ("Its parameters are %s. A value is never below zero."):format(
            table.concat(params, " and ")), ("dist.%s { %s }"):format(name,
            table.concat(list, ", ")) }
    end
    return titled("dist." .. name, body[1], width) .. example(body[2])
end

local function shape_page(name, width)
    local fields, w = schema.shape_fields[name], words.shapes[name]
    if not w then return nil end
    local rows = fields and field_rows(fields) or {}
    return titled("shape." .. name, w.text, width)
        .. section("Fields", text.rows(rows, width)) .. section("Types", type_notes(rows, width))
        .. example(w.example)
end

local function code_page(name, width)
    local p = codes[name]
    if not p then return nil end
    local wrong = p.set and p.wrong .. "\n-- lorenz run --set " .. p.set or p.wrong
    local page = titled(name .. ": " .. p.title, p.text, width)
        .. section("Wrong", text.code(wrong)) .. section("Right", text.code(p.right))
    if p.right:match "^scenario" then return page end
    return page .. "\n" .. text.paragraph(
        "The examples go on from the file that is shown by: lorenz explain example", width, "")
end

local function metric_page(facts, name, width)
    local rows = {}
    for _, kind in ipairs(text.keys(facts.metrics)) do
        local m = facts.metrics[kind][name]
        if m then rows[#rows + 1] = { kind, words.units[m.unit][1], m.doc } end
    end
    if #rows == 0 then return nil end
    return titled(name, "A metric: a series of one-second windows, and a value of the whole run.",
        width) .. section("Of", text.rows(rows, width))
        .. example(examples.of_metric(facts, name, words.units))
end

local function metric_group(facts, name, width)
    local rows, seen = {}, {}
    for _, kind in ipairs(text.keys(facts.metrics)) do
        for _, metric in ipairs(text.keys(facts.metrics[kind])) do
            if metric:sub(1, #name + 1) == name .. "." and not seen[metric] then
                local m = facts.metrics[kind][metric]
                seen[metric] = true
                rows[#rows + 1] = { metric, words.units[m.unit][1], m.doc }
            end
        end
    end
    if #rows == 0 then return nil end
    return titled(name, "A group of metrics.", width) .. section("Metrics", text.rows(rows, width))
end

local function function_page(name, width)
    local w = words.functions[name]
    if not w then return nil end
    local rows = schema[name] and field_rows(schema[name]) or {}
    return titled(name .. w.sign:gsub("^fun", ""), w.text, width)
        .. section("Options", text.rows(rows, width)) .. example(w.example)
end

local function matcher_page(name, width)
    local w = words.matchers[name]
    if not w then return nil end
    local limit = name == "recovers_to" and ' "95%"' or name == "between" and '("10ms", "30ms")'
        or ' "300ms"'
    return titled("metric:" .. name, "A matcher, true when the metric is " .. w.text .. ". The "
        .. "limit has the metric's unit.", width)
        .. example(('expect "answers are fast" {\n  eventually = web.latency.p99:%s%s,\n'
            .. '  after = outage, within = "1m",\n}'):format(name, limit))
end

--- What faults have by that name: those to which it means the same are one row.
local function rows_of_faults(facts, name)
    local rows, known = {}, {}
    for _, kind in ipairs(text.keys(facts.fault_kinds)) do
        for _, e in ipairs(field_rows(M.fault_params(facts.fault_kinds[kind]))) do
            if e[1] == name then
                local doc = e[3]
                if known[doc] then
                    known[doc][1] = known[doc][1] .. ", " .. kind
                else
                    known[doc] = { "fault." .. kind, e[2], doc, type = e.type }
                    rows[#rows + 1] = known[doc]
                end
            end
        end
    end
    return rows
end

--- A name that several blocks have as a field; what lies within it, if that is the same in all.
local function field_page(facts, name, width)
    local rows, note, within, differs = {}, words.notes[name], nil, false
    for _, block in ipairs(M.block_names()) do
        for _, e in ipairs(M.fields_of(schema[block])) do
            if e[2][1] == name then
                local inner = e[1] ~= name and ("%s (%s)"):format(block, e[1]) or block
                rows[#rows + 1] = { inner, M.type_word(e[2]), M.field_doc(e[2]), type = e[2][2] }
                differs = differs or (#rows > 1 and e[2].fields ~= within)
                within = e[2].fields
            end
        end
    end
    local of_faults = rows_of_faults(facts, name)
    if #rows + #of_faults == 0 then return nil end
    for _, row in ipairs(of_faults) do rows[#rows + 1] = row end
    local fields = within and not differs and field_rows(within) or {}
    local sentence = note and note.text or "A field of the blocks below."
    return titled(name, sentence, width) .. section("In", text.rows(rows, width))
        .. section("Fields", text.rows(fields, width))
        .. section("Types", type_notes(#fields > 0 and fields or rows, width))
        .. example(note and note.example)
end

--- service.autoscale.scale_up: a field of a block, with what lies within it.
local function path_page(name, width)
    local block, path = name:match "^([%w_]+)%.(.+)$"
    if not (block and words.blocks[block] and schema[block]) then return nil end
    local rows, asked = {}, nil
    for _, row in ipairs(field_rows(schema[block])) do
        if row[1] == path then asked = row end
        if row[1] == path or row[1]:sub(1, #path + 1) == path .. "." then rows[#rows + 1] = row end
    end
    return asked and titled(name, ("A field of %s."):format(block), width)
        .. section("Fields", text.rows(rows, width)) .. section("Types", type_notes(rows, width))
end

--- The table of statuses; nil if there is no such status.
local function exit_page(width, status)
    local rows, order, is_known = {}, {}, not status
    for _, e in ipairs(words.exits) do
        is_known = is_known or e[1] == tonumber(status)
    end
    if not is_known and (tonumber(status) or 0) <= 128 then return nil end
    for _, e in ipairs(words.exits) do rows[#rows + 1] = { ("%d"):format(e[1]), e[2] } end
    for _, n in ipairs(words.exit_order) do order[#order + 1] = ("%d"):format(n) end
    return titled("exit", "What the status of a lorenz command means.", width) .. "\n"
        .. text.rows(rows, width) .. "\n"
        .. text.paragraph(("When several apply, the first of %s is the status. --report-only "
            .. "turns 1 and 3 into 0."):format(table.concat(order, ", ")), width, "")
end

local function units_page(width)
    local rows = {}
    for _, name in ipairs { "duration", "rate", "ratio", "size", "count" } do
        rows[#rows + 1] = { words.types[name][1], words.types[name][2] or "a plain number" }
    end
    return titled("units", "Quantities are texts with their unit; a bare number is refused where "
        .. "a unit is needed.", width) .. "\n" .. text.rows(rows, width)
end

local function refused_page(facts, name, width)
    local why = facts.refused[name]
    return why and titled(name, ("Not available in a scenario: %s."):format(why), width)
end

local function later_page(name, width)
    for _, word in ipairs(schema.later) do
        if word == name then
            return titled(name, "A word of the language that this version does not have.", width)
        end
    end
end

local FIXED = {
    exit = function(_, width) return exit_page(width) end,
    units = function(_, width) return units_page(width) end,
    example = function(_, width)
        return titled("example", "What the examples of other pages go on from.", width) .. "\n"
            .. text.code(codes.base)
    end,
    dist = function(_, width)
        return titled("dist", "A distribution, where a duration may vary. A plain duration is "
            .. "constant.", width) .. section("Kinds", text.names(M.dist_names(), width))
            .. example('service_time = dist.lognormal { p50 = "4ms", p99 = "25ms" }')
    end,
    shape = function(_, width)
        return titled("shape", "A rate that changes over the run. Arrivals follow it exactly, "
            .. "as a Poisson process whose intensity it is, or evenly.", width)
            .. section("Kinds", text.names(M.shape_names(), width))
            .. example(words.shapes.ramp.example)
    end,
    metrics = function(facts, width)
        local page = titled("metrics", "What is measured, by kind of component.", width)
        for _, kind in ipairs(text.keys(facts.metrics)) do
            page = page .. section(kind, text.rows(metric_rows(facts.metrics[kind]), width))
        end
        return page
    end,
}

for name, page in pairs(acts.fixed) do FIXED[name] = page end

--- A word may mean several things (latency is a fault, metrics and a field): a page of each.
local function word_page(facts, name, width)
    local pages = {}
    for _, page in ipairs { function_page(name, width) or false, matcher_page(name, width) or false,
        words.notes[name] and field_page(facts, name, width) or false,
        fault_page(facts, name, width) or false,
        metric_page(facts, name, width) or false, metric_group(facts, name, width) or false,
        not words.notes[name] and field_page(facts, name, width) or false,
        acts.part_page(name, width) or false,
        dist_page(name, width) or false, shape_page(name, width) or false,
        refused_page(facts, name, width) or false, later_page(name, width) or false,
        facts.modules[name] and modules.page(name, facts.modules[name], width) or false } do
        if page then pages[#pages + 1] = page end
    end
    return pages[1] and table.concat(pages, "\n") or nil
end

--- What is meant by web.latency.p99 or web.latency.p99:below: the part that is the language's and
--- not the scenario's.
local function part_asked(facts, name)
    local matcher = name:match ":([%w_]+)$"
    if matcher and words.matchers[matcher] then return matcher end
    local rest = name:match "^[%w_]+%.(.+)$" or ""
    for _, kind in ipairs(text.keys(facts.metrics)) do
        if facts.metrics[kind][rest] then return rest end
    end
    return ""
end

--- traffic.rate is a field of a block and a metric of it: a page of each.
local function path_or_metric_page(facts, name, width)
    local page = path_page(name, width)
    local kind, rest = name:match "^([%w_]+)%.(.+)$"
    local metric = page and (metric_page(facts, name, width)
        or facts.metrics[kind] and facts.metrics[kind][rest] and metric_page(facts, rest, width))
    return metric and page .. "\n" .. metric or page
end

--- The page of a topic, or nil if there is none.
---@param facts Facts
---@param topic string
---@param width integer
---@return string?
function M.page(facts, topic, width)
    facts = M.complete(facts)
    local name = topic:gsub("^%s+", ""):gsub("%s+$", ""):gsub("%(%)$", "")
    if name:match "^[lL][zZ]%d+$" then return code_page(name:upper(), width) end
    if name:match "^exit%s" then return exit_page(width, name:match "^exit%s+(%d+)$" or "x") end
    name = name:gsub("%s+", ".")
    local fault, dist = name:match "^fault%.(.+)$", name:match "^dist%.(.+)$"
    if fault then return fault_page(facts, fault, width) end
    if dist then return dist_page(dist, width) end
    if name:match "^shape%." then return shape_page(name:match "^shape%.(.+)$", width) end
    if FIXED[name] then return FIXED[name](facts, width) end
    if words.blocks[name] and schema[name] then return block_page(facts, name, width) end
    local own = path_or_metric_page(facts, name, width) or word_page(facts, name, width)
    -- The page of a fault has its other names already.
    local theirs = own and not facts.fault_kinds[name] and tool_pages.elsewhere(topic, width)
    return own and (theirs and own .. "\n" .. theirs or own)
        or word_page(facts, part_asked(facts, name), width) or tool_pages.page(topic, width)
end

-- ---------------------------------------------------------------- topics

local function first_sentence(s)
    return (s:match "^(.-[^.]%.)%s" or s):gsub("%.$", "")
end

local function add_all(out, names, doc, prefix)
    for _, name in ipairs(names) do
        out[#out + 1] = { (prefix or "") .. name, first_sentence(doc(name)) }
    end
end

--- Topics in groups: { title, { { name, doc }, ... } }, in the order of the index.
function M.groups(facts)
    facts = M.complete(facts)
    local metrics = {}
    for _, kind in ipairs(text.keys(facts.metrics)) do
        for name, m in pairs(facts.metrics[kind]) do metrics[name] = m.doc end
    end
    local verdicts, rest = {}, {}
    for _, name in ipairs(text.keys(words.notes)) do
        local list = words.notes[name].is_verdict and verdicts or rest
        list[#list + 1] = { name, first_sentence(words.notes[name].text) }
    end
    local groups = { { "Blocks", {} }, { "Faults", {} }, { "Verdict words", verdicts },
        { "Matchers", {} }, { "Words that act or name", {} }, { "Words of fields", rest },
        { "Distributions", {} }, { "Shapes of a rate", {} }, { "Metrics", {} },
        { "Codes of messages", {} }, { "Modules", {} },
        { "Words of other tools", tool_pages.topics() },
        { "Other", { { "actions", "what an operator does in drive" },
            { "dist", "where a duration may vary" },
            { "example", "what the examples of other pages go on from" },
            { "exit", "what the status of a command means" },
            { "inconclusive", "why a run is neither passed nor failed" },
            { "metrics", "all metrics, by kind of component" },
            { "request", "what a handler is given" },
            { "shape", "a rate that changes over the run" },
            { "tools", "what other tools' words are here" },
            { "units", "how quantities are written" } } } }
    add_all(groups[1][2], M.block_names(), function(n) return words.blocks[n].text end)
    add_all(groups[2][2], text.keys(facts.fault_kinds), function(n)
        return facts.fault_kinds[n].doc end, "fault.")
    add_all(groups[4][2], text.keys(words.matchers), function(n) return words.matchers[n].text end)
    add_all(groups[5][2], text.keys(words.functions), function(n)
        return words.functions[n].text end)
    add_all(groups[7][2], M.dist_names(), function() return "a distribution" end, "dist.")
    add_all(groups[8][2], M.shape_names(), function(n) return words.shapes[n].text end, "shape.")
    add_all(groups[9][2], text.keys(metrics), function(n) return metrics[n] end)
    add_all(groups[10][2], M.code_names(), function(n) return codes[n].title end)
    add_all(groups[11][2], text.keys(facts.modules), function(n)
        return modules.summary(facts.modules[n]) end)
    return groups
end

--- The list of what can be asked.
function M.index(facts, width)
    local out = { "lorenz explain TOPIC shows a page. The topics are these, and all fields.\n" }
    for _, group in ipairs(M.groups(facts)) do
        local names = {}
        for i, topic in ipairs(group[2]) do names[i] = topic[1] end
        out[#out + 1] = ("\n%s\n\n%s"):format(group[1], (text.names(names, width)))
    end
    return table.concat(out)
end

--- Every topic on a line of its own, with a tab before what it is: for completions.
function M.names(facts)
    local out = {}
    for _, group in ipairs(M.groups(facts)) do
        for _, topic in ipairs(group[2]) do out[#out + 1] = topic[1] .. "\t" .. topic[2] end
    end
    return table.concat(out, "\n") .. "\n"
end

--- The topic that was probably meant.
function M.near(facts, topic)
    local names = {}
    for _, group in ipairs(M.groups(facts)) do
        for _, entry in ipairs(group[2]) do names[#names + 1] = entry[1] end
    end
    for _, block in ipairs(M.block_names()) do
        for _, e in ipairs(M.fields_of(schema[block])) do names[#names + 1] = e[2][1] end
    end
    for _, kind in ipairs(text.keys(facts.fault_kinds)) do names[#names + 1] = kind end
    for _, name in ipairs(acts.part_names()) do names[#names + 1] = name end
    return diag.nearest(topic, names)
end

return M
