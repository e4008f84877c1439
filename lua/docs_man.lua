--- The manual page lorenz-scenario(5), in roff, from the same tables as `lorenz explain`.
local codes = require "docs_codes"
local docs = require "docs"
local modules = require "docs_modules"
local schema = require "schema"
local text = require "docs_text"
local words = require "docs_words"

local M = {}

--- Text for roff: nothing in it is a request or an escape; minus signs can be copied.
function M.escape(s)
    s = s:gsub("\\", "\\e"):gsub("%-", "\\-")
    return (("\n" .. s):gsub("\n([.'])", "\n\\&%1"):sub(2))
end

local function add(out, line, ...)
    local values = { ... }
    for i, v in ipairs(values) do values[i] = M.escape(tostring(v)) end
    out[#out + 1] = #values > 0 and line:format(table.unpack(values)) or line
end

local function add_code(out, body)
    add(out, ".PP\n.RS 4\n.nf")
    add(out, "%s", (body:gsub("\n$", "")))
    add(out, ".fi\n.RE")
end

local function add_fields(out, fields, prefix)
    for _, e in ipairs(docs.fields_of(fields, prefix)) do
        add(out, ".TP\n.BR %s \" (%s)\"\n%s", e[1], docs.type_word(e[2]), docs.field_doc(e[2]))
    end
end

local function add_blocks(out)
    add(out, ".SH BLOCKS")
    for _, name in ipairs(docs.block_names()) do
        local w = words.blocks[name]
        add(out, ".SS %s\n%s%s", name, w.text, schema.not_run[name] and " Not run yet." or "")
        add_fields(out, schema[name])
        for _, p in ipairs(words.parts[name] or {}) do
            add(out, ".TP\n.BR .%s \" (part)\"\n%s", p[1], p[3])
        end
        if w.example then add_code(out, w.example) end
    end
end

local function add_faults(out, facts)
    add(out, ".SH FAULTS\nEach kind has the fields of fault and its own.")
    for _, name in ipairs(text.keys(facts.fault_kinds)) do
        local kind = facts.fault_kinds[name]
        add(out, ".SS fault.%s\n%s\nTargets: %s.", name, kind.doc,
            table.concat(kind.targets, ", "))
        add_fields(out, docs.fault_params(kind))
    end
end

local function add_list(out, title, intro, rows)
    add(out, ".SH %s", title)
    if intro ~= "" then add(out, "%s", intro) end
    for _, row in ipairs(rows) do add(out, ".TP\n.B %s\n%s", row[1], row[2]) end
end

local function add_expectations(out)
    local verdicts, matchers = {}, {}
    for _, name in ipairs(text.keys(words.notes)) do
        if words.notes[name].is_verdict then
            verdicts[#verdicts + 1] = { name, words.notes[name].text }
        end
    end
    for _, name in ipairs(text.keys(words.matchers)) do
        matchers[#matchers + 1] = { ":" .. name, "True when the metric is "
            .. words.matchers[name].text .. "." }
    end
    add_list(out, "VERDICTS", "What an expectation says of its matcher.", verdicts)
    add_list(out, "MATCHERS", "Methods of a metric; the limit has its unit.", matchers)
end

local function add_rest(out, facts)
    local functions, request, dists, units = {}, {}, {}, {}
    for i, name in ipairs(text.keys(words.functions)) do
        local w = words.functions[name]
        functions[i] = { name .. w.sign:gsub("^fun", ""), w.text }
    end
    for _, f in ipairs(words.request_fields) do request[#request + 1] = { "req." .. f[1], f[3] } end
    for _, name in ipairs(text.keys(words.request)) do
        request[#request + 1] = { "req:" .. name, words.request[name].text }
    end
    for _, f in ipairs(words.record_fields) do
        request[#request + 1] = { "record." .. f[1], f[3] }
    end
    for i, name in ipairs(docs.dist_names()) do
        local params = schema.dist[name]
        dists[i] = { "dist." .. name, params and table.concat(params, ", ") or "a list of pairs" }
    end
    for i, name in ipairs { "duration", "rate", "ratio", "size" } do
        units[i] = { words.types[name][1], words.types[name][2] }
    end
    add_list(out, "FUNCTIONS", "", functions)
    add_list(out, "HANDLERS", "What a function in `handle` is given; it returns a status.", request)
    add_list(out, "DISTRIBUTIONS", "Each takes its parameters in braces.", dists)
    add(out, ".SH SHAPES\nRates that change over the run; not run yet by this version.")
    for _, name in ipairs(docs.shape_names()) do
        add(out, ".SS shape.%s\n%s", name, words.shapes[name].text)
        add_fields(out, schema.shape_fields[name] or {})
    end
    local list = {}
    for i, name in ipairs(text.keys(facts.modules)) do
        list[i] = { name, modules.summary(facts.modules[name])
            .. ". lorenz explain " .. name .. " has its page." }
    end
    add_list(out, "MODULES", "What comes with lorenz for use \"NAME\".", list)
    add_list(out, "UNITS", "Quantities are texts with their unit.", units)
    add(out, ".SH METRICS")
    for _, kind in ipairs(text.keys(facts.metrics)) do
        add(out, ".SS of a %s", kind)
        for _, name in ipairs(text.keys(facts.metrics[kind])) do
            local m = facts.metrics[kind][name]
            add(out, ".TP\n.BR %s \" (%s)\"\n%s", name, words.units[m.unit][1], m.doc)
        end
    end
end

local function add_codes(out)
    local rows = {}
    for i, name in ipairs(docs.code_names()) do rows[i] = { name, codes[name].title } end
    add_list(out, "MESSAGES", "lorenz explain has a page of each, with examples.", rows)
end

--- The page; it bears no date, so that equal sources give equal bytes.
---@param facts Facts
---@return string
function M.scenario(facts)
    facts = docs.complete(facts)
    local out = {}
    add(out, '.TH LORENZ\\-SCENARIO 5 "" "lorenz" "File formats"')
    add(out, ".SH NAME\nlorenz\\-scenario \\- the language of Lorenz scenarios")
    add(out, ".SH DESCRIPTION\n%s", "A scenario is a Lua 5.4 file that declares what a system is "
        .. "made of, what goes wrong with it and what must still hold. Its top level runs once "
        .. "and only declares; nothing is simulated until all of it is known and checked.")
    add_code(out, codes.base .. 'expect "errors are back under 1 % within 30 s" {\n'
        .. '  eventually = users.errors.ratio:below "1%", after = outage, within = "30s",\n}')
    add_blocks(out)
    add_faults(out, facts)
    add_expectations(out)
    add_rest(out, facts)
    add_codes(out)
    add(out, ".SH SEE ALSO\n.BR lorenz (1)")
    return table.concat(out, "\n") .. "\n"
end

return M
