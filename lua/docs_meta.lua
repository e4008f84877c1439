--- The language as types for editors: a `---@meta` file for LuaLS, and what makes a folder of it
--- an addon.
---
--- An editor completes blocks, fields, parts, metrics and functions from this file and shows
--- their docs; it is written from the same tables as the pages of `lorenz explain`.
local docs = require "docs"
local modules = require "docs_modules"
local schema = require "schema"
local text = require "docs_text"
local words = require "docs_words"

local M = {}

local HEAD = [[
---@meta
---The words of a Lorenz scenario, for editors. Written by `lorenz types`: do not edit.

---A time with its unit: "150ms", "2s", "1m30s"; or dur "2s".
---@alias Duration string|DurationValue
---So many per time: "400/s", "5k/s", "30/m".
---@alias Rate string
---A part of a whole: "0.1%", or 0 to 1.
---@alias Share string|number
---Bytes with their unit: "1KiB", "10MB".
---@alias Size string
---In the unit of the metric: "300ms", "1%", "400/s", 10.
---@alias Limit string|number

---A duration to calculate with.
---@class (exact) DurationValue
---@operator add(Duration): DurationValue
---@operator sub(Duration): DurationValue
---@operator mul(number): DurationValue

---What faults and links may point at.
---@class (exact) Target
---@class (exact) Call
---@class (exact) Shape
---@class (exact) Dist
---@class (exact) Matcher
---@class (exact) Mark
---What the function of a check is given.
---@class (exact) Witness
---@field value fun(self: Witness, metric: any): number?
---@field happened fun(self: Witness, mark: string): DurationValue?
---@class (exact) Anchor
---@class (exact) Metric
]]

local TAIL = [[

---What a call gave back.
---@class (exact) Result
---@field ok boolean  a good answer
---@field status integer?  as the other side's handler returned it
---@field value any
---@field outcome string  "ok", "error", "refused", "reset" or "timeout"
---@field token integer?  of a lock that was granted, to be shown with writes: `token = r.token`

---What a statement of SQL gave back.
---@class (exact) SqlResult
---@field ok boolean
---@field status integer?
---@field outcome string  as of a Result
---@field rows table<string, any>[]?  by the names of their columns
---@field changes integer?  rows it changed
---@field last_id integer?  of the row it inserted last
---@field error string?  what went wrong
---@field code string?  "constraint", "statement", "refused", "full", "io", "corrupt", ...
---@field must fun(self: SqlResult): SqlResult  itself; a statement that failed ends the request

---@class (exact) WaitFields
---@field timeout? Duration  give up after this; default never
---@field over? Duration  the averaging window; default 1s
]]

local CONFIG = [[
{
  "name": "Lorenz",
  "words": ["%f[%w]scenario%s*[\"']"],
  "settings": {
    "Lua.runtime.version": "Lua 5.4",
    "Lua.runtime.builtin": {
      "coroutine": "disable", "debug": "disable", "io": "disable", "os": "disable",
      "package": "disable"
    }
  }
}
]]

local function class_name(name)
    return (("_" .. name):gsub("[_.](%w)", string.upper))
end

--- What an editor calls the type of a field.
local function type_of(f, inner)
    local how, kinds = f[2]:match "^(refs?):(.+)$"
    if kinds then
        local names = {}
        for kind in kinds:gmatch "[^|]+" do names[#names + 1] = class_name(kind) end
        local one = table.concat(names, "|")
        return how == "refs" and ("(%s)[]"):format(one) or one
    end
    if f.choices then
        local all = { table.unpack(f.choices) }
        for _, choice in ipairs(f.later_choices or {}) do all[#all + 1] = choice end
        local words_only = '"' .. table.concat(all, '"|"') .. '"'
        return f[2] == "rule" and words_only .. "|fun(here: table, there: table): any" or words_only
    end
    if f.fields and f[2] == "failover" then return "false|" .. inner end
    if f.fields and f[2] == "block" then return inner end
    if f.fields and (f[2] == "policies" or f[2] == "blocks") then return inner .. "[]" end
    local t = words.types[f[2]]
    return t and t[3] or "any"
end

local function add(out, line, ...)
    out[#out + 1] = select("#", ...) > 0 and line:format(...) or line
end

--- A class for the fields of a block; first those of the blocks inside it.
local function add_fields(out, name, fields, positions)
    for _, f in ipairs(fields) do
        if f.fields and f[2] ~= "windows" then
            add_fields(out, name:gsub("Fields$", "") .. class_name(f[1]) .. "Fields", f.fields)
        end
    end
    add(out, "")
    add(out, "---@class (exact) %s", name)
    for _, p in ipairs(positions or {}) do add(out, "---@field %s %s  %s", p[1], p[2], p[3]) end
    for _, f in ipairs(fields) do
        local inner = name:gsub("Fields$", "") .. class_name(f[1]) .. "Fields"
        add(out, "---@field %s%s %s  %s%s", f[1], f.required and "" or "?", type_of(f, inner),
            f[3], f.later and "; not run yet" or "")
    end
end

--- Metrics as a tree: latency -> p99 -> its facts.
local function tree_of(metrics)
    local tree = { below = {} }
    for _, name in ipairs(text.keys(metrics)) do
        local node = tree
        for part in name:gmatch "[^.]+" do
            node.below[part] = node.below[part] or { below = {} }
            node = node.below[part]
        end
        node.metric = metrics[name]
    end
    return tree
end

--- A class for each inner node of the tree; returns the lines of the fields of `tree`.
local function add_metrics(out, name, tree)
    local lines = {}
    for _, part in ipairs(text.keys(tree.below)) do
        local node = tree.below[part]
        local is_group = next(node.below) ~= nil
        local class = is_group and name .. class_name(part) or "Metric"
        local doc = node.metric and ("%s (%s)"):format(node.metric.doc,
            words.units[node.metric.unit][1]) or "a group of metrics"
        lines[#lines + 1] = ("---@field %s %s  %s"):format(part, class, doc)
        if is_group then
            local inner = add_metrics(out, class, node)
            add(out, "")
            add(out, "---@class (exact) %s%s", class, node.metric and ": Metric" or "")
            for _, line in ipairs(inner) do add(out, line) end
        end
    end
    return lines
end

local function add_component(out, facts, name)
    local class, lines = class_name(name), {}
    if facts.metrics[name] then lines = add_metrics(out, class, tree_of(facts.metrics[name])) end
    add(out, "")
    if words.blocks[name] then add(out, "---%s", words.blocks[name].text) end
    add(out, "---@class (exact) %s: Target", class)
    for _, p in ipairs(words.parts[name] or {}) do add(out, "---@field %s %s  %s", p[1], p[2],
        p[3]) end
    for _, line in ipairs(lines) do add(out, line) end
end

--- `kind "name" { ... }`.
local function add_word(out, name, result)
    add(out, "")
    add(out, "---%s", words.blocks[name].text)
    add(out, "---@param name string")
    add(out, "---@return fun(fields: %sFields)%s", class_name(name), result and ": " .. result
        or "")
    add(out, "function %s(name) end", name)
end

local TARGETS = { { "[1]", "Target|Component", "what it hits" } }
local PAIR = { { "[1]", "Target|Component", "one end" }, { "[2]", "Target|Component",
    "the other" } }

local function add_blocks(out, facts)
    local components = {}
    for i, kind in ipairs(schema.components) do components[i] = class_name(kind) end
    add(out, "\n---@alias Component %s", table.concat(components, "|"))
    add_fields(out, "WindowFields", M.window_fields())
    for _, name in ipairs(docs.block_names()) do
        if name == "call" then
            add_fields(out, "CallFields", schema.call, { { "[1]", "Component", "what is called" },
                { "[2]?", "string", "the operation's name" } })
        elseif name == "transaction" then
            add_fields(out, "TransactionFields", schema.transaction, { { "[1]", "Database",
                "where it runs" } })
        elseif name == "link" then
            add_fields(out, "LinkFields", schema.link, PAIR)
        elseif name == "chaos" then
            add_fields(out, "ChaosFields", schema.chaos, { { "[integer]", "Fault",
                "what it draws from: a fault with `mtbf`" } })
            add_word(out, name)
        elseif name ~= "fault" then
            add_fields(out, class_name(name) .. "Fields", schema[name])
            local is_value = not words.blocks[name].is_silent
            if is_value then add_component(out, facts, name) end
            add_word(out, name, is_value and class_name(name) or nil)
        end
    end
    add_fields(out, "CheckFields", schema.check)
    add_component(out, facts, "version")
    add_component(out, facts, "link")
    add(out, "\n---@class (exact) Replica: Target")
    for _, line in ipairs(add_metrics(out, "Replica", tree_of(facts.metrics.service))) do
        add(out, line)
    end
    add(out, "\n---%s\n---@param fields CallFields\n---@return Call\nfunction call(fields) end",
        words.blocks.call.text)
    add(out, "\n---%s\n---@param a Target|Component|LinkFields\n---@param b? Target|Component",
        words.blocks.link.text)
    add(out, "---@return Link\nfunction link(a, b) end")
end

--- The fields of a window, from wherever the schema has one.
function M.window_fields()
    for _, f in ipairs(schema.expect) do
        if f[2] == "windows" then return f.fields end
    end
    error "no block has a window"
end

local function add_faults(out, facts)
    add(out, "\n---%s\n---@class (exact) Fault", words.blocks.fault.text)
    for _, p in ipairs(words.parts.fault) do add(out, "---@field %s %s  %s", p[1], p[2], p[3]) end
    add(out, "\nfault = {}")
    for _, kind in ipairs(text.keys(facts.fault_kinds)) do
        local k, fields, targets = facts.fault_kinds[kind], {}, { TARGETS[1] }
        for _, f in ipairs(docs.fault_params(k)) do fields[#fields + 1] = f end
        for _, f in ipairs(schema.fault_fields(k)) do fields[#fields + 1] = f end
        if #k.second > 0 then
            targets[2] = { "[2]?", "Target|Component", "the other side" }
        end
        add_fields(out, ("Fault%sFields"):format(class_name(kind)), fields, targets)
        add(out, "\n---%s\n---@param fields Fault%sFields\n---@return Fault", k.doc,
            class_name(kind))
        add(out, "function fault.%s(fields) end", kind)
    end
end

local function add_shapes(out)
    add(out, "\n---Rates that change over the run.\nshape = {}")
    for _, name in ipairs(docs.shape_names()) do
        local takes = ({ constant = "Rate", replay = "string",
            steps = "{ [1]: Duration, [2]: Rate }[]" })[name]
        if not takes then
            takes = ("Shape%sFields"):format(class_name(name))
            add_fields(out, takes, schema.shape_fields[name])
        end
        add(out, "\n---%s\n---@param fields %s\n---@return Shape\nfunction shape.%s(fields) end",
            words.shapes[name].text, takes, name)
    end
end

local function add_dists(out)
    add(out, "\n---Distributions, where a duration may vary.\ndist = {}")
    for _, name in ipairs(docs.dist_names()) do
        local params = schema.dist[name]
        local takes = name == "constant" and "Duration" or "{ [1]: Share, [2]: Duration }[]"
        if params and name ~= "constant" then
            takes = ("Dist%sFields"):format(class_name(name))
            add(out, "\n---@class (exact) %s", takes)
            for _, p in ipairs(params) do
                local plain = schema.dist_plain[p] or name == "zipf"
                add(out, "---@field %s %s", p, plain and "number" or "Duration")
            end
        end
        add(out, "\n---@param fields %s\n---@return Dist\nfunction dist.%s(fields) end", takes,
            name)
    end
end

--- `fun(name: string, ...: any): any` as a function that an editor can document.
local function add_function(out, name, w, overloads)
    local list, result = w.sign:match "^fun(%b()):?%s*(.*)$"
    local names = {}
    add(out, "\n---%s", w.text)
    -- Commas inside a parameter's own parentheses separate nothing here.
    local flat = list:sub(2, -2):gsub("%b()", function(inner) return (inner:gsub(",", "\0")) end)
    for param in flat:gmatch "[^,]+" do
        local n, kind = param:gsub("%z", ","):match "^%s*([%w_.]+%??):%s*(.-)%s*$"
        add(out, "---@param %s %s", n, kind)
        names[#names + 1] = (n:gsub("%?", ""))
    end
    if result ~= "" then add(out, "---@return %s", result) end
    for _, line in ipairs(overloads or {}) do add(out, line) end
    add(out, "function %s(%s) end", name, table.concat(names, ", "))
end

--- Modules, and what `use` gives for the name of each.
local function add_modules(out, facts)
    local overloads = {}
    for i, name in ipairs(text.keys(facts.modules)) do
        overloads[i] = ('---@overload fun(name: "%s"): %s'):format(name, name)
        for _, line in ipairs(modules.types(name, facts.modules[name])) do out[#out + 1] = line end
    end
    return overloads
end

local function add_functions(out, facts)
    local overloads = { use = add_modules(out, facts) }
    for _, name in ipairs(text.keys(words.functions)) do
        add_function(out, name, words.functions[name], overloads[name])
    end
    add(out, "\n---What a handler of a service is given.\n---@class (exact) Request")
    for _, f in ipairs(words.request_fields) do
        add(out, "---@field %s %s  %s", f[1], f[2], f[3])
    end
    for _, name in ipairs(text.keys(words.request)) do
        add(out, "---@field %s %s  %s", name, words.request[name].sign, words.request[name].text)
    end
    add(out, "\n---What the function of req:transaction is given.\n---@class (exact) Transaction")
    for _, name in ipairs(text.keys(words.transaction)) do
        local w = words.transaction[name]
        add(out, "---@field %s %s  %s", name, w.sign, w.text)
    end
    add(out, "\n---What req:transaction returns.\n---@class (exact) TransactionResult")
    for _, f in ipairs(words.transaction_result) do
        add(out, "---@field %s %s  %s", f[1], f[2], f[3])
    end
    add(out, "\n---What a handler of consumers is given: a request, and these.")
    add(out, "---@class (exact) Record: Request")
    for _, f in ipairs(words.record_fields) do
        add(out, "---@field %s %s  %s", f[1], f[2], f[3])
    end
end

--- The file that declares all words.
---@param facts Facts
---@return string
function M.library(facts)
    facts = docs.complete(facts)
    local out = { (HEAD:gsub("\n$", "")) }
    add(out, "---@field value fun(self: Metric): number?  %s", words.metric_value)
    for _, name in ipairs(text.keys(words.matchers)) do
        local w = words.matchers[name]
        add(out, "---@field %s %s  %s", name, w.sign, w.text)
    end
    add_blocks(out, facts)
    add_faults(out, facts)
    add_dists(out)
    add_shapes(out)
    add_functions(out, facts)
    add(out, (TAIL:gsub("\n$", "")))
    return table.concat(out, "\n") .. "\n"
end

--- What makes the folder an addon of LuaLS.
function M.config()
    return CONFIG
end

return M
