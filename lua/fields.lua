--- Validation: a block's fields against its schema. Every mistake becomes a diagnostic at its
--- field; what is right comes back in base units.
local diag = require "diag"
local fields_alert = require "fields_alert"
local fields_list = require "fields_list"
local fields_live = require "fields_live"
local wrong = require "fields_wrong"
local handles = require "handles"
local schema = require "schema"
local units = require "units"

local M = {}
local POISON = diag.POISON

local place, complain, expected = wrong.place, wrong.complain, wrong.expected

local function by_unit(read)
    return function(ctx, f, v)
        local value, code, text, help = read(v)
        if value == 0 and f.above_zero then
            return nil, complain(ctx, f[1], "LZ206", "must be above 0, got " .. units.show(v))
        end
        if value ~= nil then return value end
        return nil, complain(ctx, f[1], code, text, help, type(v) == "number" and "number" or nil)
    end
end

local TYPES = {}

TYPES.duration = by_unit(units.duration)
TYPES.rate = by_unit(units.rate)
TYPES.ratio = by_unit(units.ratio)
TYPES.share = by_unit(units.share)
TYPES.size = by_unit(units.size)
TYPES.offset = by_unit(units.offset)
TYPES.bandwidth = by_unit(units.bandwidth)

--- A rate, or one that changes: a shape.
function TYPES.load(ctx, f, v)
    local h = handles.of(v)
    if h and h.kind == "shape" then return h end
    if h then return expected(ctx, f, "a rate or a shape", v) end
    return TYPES.rate(ctx, f, v)
end

function TYPES.signed(ctx, f, v)
    if type(v) == "number" and v == v and math.abs(v) < math.huge then return v + 0.0 end
    return expected(ctx, f, "a number", v)
end

function TYPES.count(ctx, f, v)
    if type(v) == "number" and v == math.floor(v) then
        local least, most = f.min or 0, f.max or 4294967294
        if v >= least and v <= most then return math.tointeger(v) end
        return nil, complain(ctx, f[1], "LZ206",
            ("must be between %d and %d, got %s"):format(least, most, units.show(v)))
    end
    return expected(ctx, f, "a whole number", v, type(v) == "string" and math.tointeger(tonumber(v))
        and ("a number has no quotes: write %s = %s"):format(f[1], v) or nil)
end

--- A number from nothing up.
function TYPES.amount(ctx, f, v)
    if type(v) == "number" and v >= 0 and v < math.huge then return v + 0.0 end
    if type(v) == "number" then
        return nil, complain(ctx, f[1], "LZ206", "must be at least 0, got " .. units.show(v))
    end
    return expected(ctx, f, "a number", v)
end

function TYPES.number(ctx, f, v)
    if type(v) == "number" and v > 0 and v < math.huge then return v + 0.0 end
    if type(v) == "number" then return nil, complain(ctx, f[1], "LZ206", "must be above 0, got "
        .. units.show(v)) end
    local milli = f[1]:find "^cpu" and type(v) == "string" and tonumber(v:match "^(%d+)m$")
    return expected(ctx, f, "a number", v, milli
        and ("Kubernetes' %s is %g of a core: write %s = %g"):format(v, milli / 1000, f[1],
            milli / 1000) or tonumber(v) and ("a number has no quotes: write %s = %s"):format(f[1],
            v) or nil)
end

function TYPES.limit(ctx, f, v)
    if v == "unbounded" then return -1 end
    if type(v) == "string" then
        return nil, complain(ctx, f[1], "LZ207",
            ('expected a count or "unbounded", got %s'):format(units.show(v)))
    end
    return TYPES.count(ctx, f, v)
end

function TYPES.text(ctx, f, v)
    if type(v) == "string" then return v end
    return expected(ctx, f, "a text", v)
end

function TYPES.bool(ctx, f, v)
    if type(v) == "boolean" then return v end
    return expected(ctx, f, "true or false", v)
end

function TYPES.table(ctx, f, v)
    if type(v) == "table" and not getmetatable(v) then return v end
    local is_count = f[1] == "zones" and math.type(v) == "integer" and v >= 1 and v <= 26
    return expected(ctx, f, "a table", v, is_count and ("write zones = { %s }"):format(
        ("abcdefghijklmnopqrstuvwxyz"):sub(1, v):gsub(".", '"%0", '):sub(1, -3)) or nil)
end

function TYPES.any(_, _, v) return v end

function TYPES.choice(ctx, f, v)
    for _, c in ipairs(f.choices) do
        if v == c then return v end
    end
    for _, c in ipairs(f.later_choices or {}) do
        if v == c then
            ctx.state.not_yet(ctx.line, ('`%s = "%s"` of %s'):format(f[1], v, ctx.what), f[1],
                place(ctx, f[1]))
            return v
        end
    end
    local near, is_certain
    if type(v) == "string" then near, is_certain = diag.nearest(v, f.choices) end
    local list = '"' .. table.concat(f.choices, '" or "') .. '"'
    return nil, complain(ctx, f[1], "LZ207", ("expected %s, got %s"):format(list, units.kind_of(v)),
        near and ('a similar value exists: "%s"'):format(near), nil,
        near and is_certain and { with = ('"%s"'):format(near), is_value = true } or nil)
end

--- A share of first attempts, as the bucket it means; a bucket as it is; "off".
function TYPES.budget(ctx, f, v)
    if v == "off" then return false end
    if type(v) == "table" and not getmetatable(v) then return TYPES.block(ctx, f, v) end
    local share = TYPES.ratio(ctx, f, v)
    return share and { share = share, tokens = 10.0, per_call = share, cost = 1.0 }
end

--- When a request is late: after a time, or later than a share of the answers.
function TYPES.lateness(ctx, f, v)
    local digits = type(v) == "string" and v:match "^p(%d+)$"
    local percent = digits and #digits <= 2 and tonumber(digits) -- p5, p50 as in metrics
    if percent and percent > 0 then return { quantile = percent / 100 } end
    if digits and digits:match "^99%d%d?$" then -- p999, p9995: digits behind the point
        return { quantile = tonumber("0." .. digits) }
    end
    if digits then
        return nil, complain(ctx, f[1], "LZ206",
            ("a quantile is p1 to p99, or p990 to p9999 for 99.0 %% to 99.99 %%, got %s")
                :format(units.show(v)), 'write after = "p95"')
    end
    local ns = TYPES.duration(ctx, f, v)
    if ns == 0 then
        return nil, complain(ctx, f[1], "LZ206", "must be above 0, got " .. units.show(v))
    end
    return ns and { after = ns }
end

function TYPES.dist(ctx, f, v)
    local h = handles.of(v)
    if h and h.kind == "dist" then return h end
    if h then return expected(ctx, f, "a duration or a distribution", v) end
    local ns, code, text, help = units.duration(v)
    if ns then return { kind = "dist", dist = "constant", a = ns, b = 0 } end
    if f[1] == "keys" then text, help = wrong.keys(v) end
    return nil, complain(ctx, f[1], code, text, help)
end

local PLACES = { region = true, zone = true, host = true, cloud = true }

function TYPES.place(ctx, f, v)
    local h = handles.of(v)
    if h and PLACES[h.kind] then return h end
    return expected(ctx, f, "a region, a zone, a host or a cloud", v)
end

function TYPES.pick(ctx, f, v)
    if v == "all" or v == "one" then return { v, 0 } end
    if math.type(v) == "integer" and v >= 1 then return { "count", v } end
    if type(v) == "string" then
        local random = v:match "^random%s+(.+)$"
        local share = units.ratio(random or v)
        if share then return { random and "random" or "share", share } end
    end
    return nil, complain(ctx, f[1], "LZ207",
        ('expected "all", "one", a count, "50%%" or "random 50%%", got %s'):format(
            units.kind_of(v)))
end

--- So many, or such a share.
function TYPES.portion(ctx, f, v)
    if math.type(v) == "integer" then
        if v >= 0 and v <= 100000 then return { count = v } end
        return nil, complain(ctx, f[1], "LZ206",
            ("it must be from 0 to 100000, got %d"):format(v))
    end
    local share = type(v) == "string" and v:find "%%$" and units.share(v)
    if share then return { share = share } end
    return nil, complain(ctx, f[1], "LZ205", ('expected a count or a share such as "25%%", got %s')
        :format(type(v) == "string" and units.show(v) or units.kind_of(v)))
end

function TYPES.block(ctx, f, v)
    if type(v) ~= "table" or getmetatable(v) then return wrong.no_block(ctx, f, v) end
    local inner = { state = ctx.state, line = ctx.line, path = place(ctx, f[1]),
        what = ("%s of %s"):format(f[1], ctx.what) }
    return M.read(inner, f.fields, v)
end

--- Builds by name, each with the block's fields.
function TYPES.versions(ctx, f, v)
    if type(v) ~= "table" or getmetatable(v) then return expected(ctx, f, "a table", v) end
    local out, names = {}, {}
    for name in pairs(v) do names[#names + 1] = units.key(name) end
    table.sort(names)
    for _, name in ipairs(names) do
        local one = v[name]
        if one == POISON then return nil end
        if type(one) ~= "table" or getmetatable(one) then
            return nil, complain(ctx, f[1], "LZ205",
                ("version %s must be a table, got %s"):format(name, units.kind_of(one)),
                'write versions = { v2 = { error_ratio = "4%" } }')
        end
        out[name] = TYPES.block({ state = ctx.state, line = ctx.line, path = place(ctx, f[1]),
            what = ctx.what }, { name, fields = f.fields }, one)
        if out[name].broken then return nil end
    end
    if #names == 0 then
        return nil, complain(ctx, f[1], "LZ205", "there must be at least one version")
    end
    return out
end

--- One of the two models of loss in bursts.
function TYPES.burst(ctx, f, v)
    local out = TYPES.block(ctx, f, v)
    if not out or out.broken then return out end
    if (out.p == nil) == (out.p13 == nil) then
        return nil, complain(ctx, f[1], "LZ206",
            out.p and "p is Gilbert-Elliott's, p13 that of four states: one of them"
            or "a model needs p (Gilbert-Elliott) or p13 (four states)",
            'write burst = { p = "1%", r = "10%" }')
    end
    local others = out.p and { "p31", "p32", "p23", "p14" } or { "r", "bad", "good" }
    for _, name in ipairs(others) do
        if out[name] then
            return nil, complain(ctx, f[1], "LZ206", ("%s does not go with %s: it is the other "
                .. "model's"):format(name, out.p and "p" or "p13"))
        end
    end
    return out
end

--- A word, or a function that decides.
function TYPES.rule(ctx, f, v)
    if type(v) == "function" then return v end
    if type(v) ~= "string" then
        return expected(ctx, f, ('"%s" or a function'):format(table.concat(f.choices, '", "')), v)
    end
    return TYPES.choice(ctx, f, v)
end

function TYPES.failover(ctx, f, v)
    if v == false then return false end
    return TYPES.block(ctx, f, v)
end

function TYPES.handlers(ctx, f, v)
    if type(v) ~= "table" or getmetatable(v) then return expected(ctx, f, "a table of functions",
        v) end
    local list = {}
    for op, fn in pairs(v) do
        if type(op) ~= "string" or type(fn) ~= "function" then
            return nil, complain(ctx, f[1], "LZ205", 'expected ["GET /x"] = function(req) ... end')
        end
        list[#list + 1] = { op = op, fn = fn }
    end
    table.sort(list, function(a, b) return a.op < b.op end)
    return list
end

--- One function, as the list of handlers that C takes.
function TYPES.handler(ctx, f, v)
    if type(v) == "function" then return { { op = "record", fn = v } } end
    return nil, complain(ctx, f[1], "LZ205", ("expected a function, got %s"):format(
        units.kind_of(v)), "write handle = function(record) ... end")
end

function TYPES.calls(ctx, f, v)
    if type(v) ~= "table" or getmetatable(v) then
        return expected(ctx, f, "a list of calls", v, handles.is_component(handles.of(v))
            and ("write %s = { call { ... } }"):format(f[1]) or nil)
    end
    if not wrong.is_list(ctx, f, v) then return nil end
    local list = {}
    for i, c in ipairs(v) do
        local h = handles.of(c)
        if c == POISON then
            list.poisoned = true
        elseif not h or h.kind ~= "call" then
            return nil, complain(ctx, f[1], "LZ205", ("entry %d is %s, not a call"):format(i,
                h and handles.describe(c) or units.kind_of(c)),
                handles.is_component(h) and 'write call { db }, or with options call { db, '
                    .. 'timeout = "1s" }' or 'write call { target, "GET /x", timeout = "1s" }')
        else
            list[#list + 1] = h
        end
    end
    return list
end

--- One call, which has nothing in its place itself.
function TYPES.call(ctx, f, v)
    local h = handles.of(v)
    if not h or h.kind ~= "call" then
        return nil, complain(ctx, f[1], "LZ205", ("expected a call, got %s"):format(
            h and handles.describe(v) or units.kind_of(v)), handles.is_component(h)
            and ("write %s = call { db }, with what is asked of it: call { db, timeout = \"1s\" }")
            :format(f[1]) or 'write call { target, "GET /x", timeout = "1s" }')
    end
    for _, name in ipairs { "fallback", "optional" } do
        if h.fields[name] then
            return nil, complain(ctx, f[1], "LZ206",
                ("a call that is one itself has no `%s`"):format(name),
                "say it of the call that this one is for")
        end
    end
    return h
end

--- A cache, or a call that gets from one.
function TYPES.through(ctx, f, v)
    local h = handles.of(v)
    if h and h.kind == "cache" then h = { kind = "call", to = h, fields = {}, line = ctx.line } end
    if not h or h.kind ~= "call" or h.to.kind ~= "cache" then
        return nil, complain(ctx, f[1], "LZ205", ("expected a cache or a call to one, got %s")
            :format(h and handles.describe(v) or units.kind_of(v)),
            'write through = redis, or through = call { redis, timeout = "20ms", ttl = "1m" }')
    end
    local extra = h.op and h.op ~= "get" and ("operation \"%s\""):format(h.op)
    for _, name in ipairs { "fallback", "optional", "through", "key", "value", "single_flight" } do
        extra = extra or h.fields[name] ~= nil and ("`%s`"):format(name)
    end
    if not extra then return h end
    return nil, complain(ctx, f[1], "LZ206",
        ("a call that is asked first has no %s of its own"):format(extra),
        "it gets, sets and deletes as its call needs")
end

function TYPES.matcher(ctx, f, v)
    local h = handles.of(v)
    if h and h.kind == "matcher" then return h end
    if h and h.kind == "mark" then return h end
    if type(v) == "boolean" and ctx.state.compared and ctx.state.compared >= ctx.line
    then -- said where it was compared, in this very block
        ctx.state.compared = nil
        return nil
    end
    if type(v) == "boolean" then
        return nil, complain(ctx, f[1], "LZ401",
            "this is a plain comparison: it was decided when the file was read",
            'write web.latency.p99:below "300ms" for <, :above for >, :equals(0) for ==')
    end
    if h and h.kind == "metric" then
        return nil, complain(ctx, f[1], "LZ402",
            ("%s is a metric, and needs a limit"):format(h.text),
            ('write %s:below "..."'):format(h.text))
    end
    return expected(ctx, f, 'a matcher such as web.latency.p99:below "300ms"', v)
end

function TYPES.anchor(ctx, f, v)
    local h = handles.of(v)
    local fault = h and (h.kind == "fault" and h or h.kind == "anchor" and h.fault)
    if fault and fault.is_drawn then
        return nil, complain(ctx, f[1], "LZ304", "a fault with `mtbf` may come any number of times",
            "name an instant, or a fault with `at`")
    end
    if h and h.kind == "fault" then return { kind = "fault", fault = h } end
    if h and h.kind == "anchor" then return { kind = "fault_ends", fault = h.fault } end
    if h and h.kind == "mark" then return { kind = "mark", mark = h.mark } end
    if h and h.kind == "alert" then return { kind = "mark", mark = h.name .. " fired" } end
    if h then
        return nil, complain(ctx, f[1], "LZ304",
            ("expected a fault, its .ends, happened \"...\" or an instant, got %s")
            :format(handles.describe(v)))
    end
    local ns, code, text, help = units.duration(v)
    if ns then return { kind = "time", at = ns } end
    return nil, complain(ctx, f[1], code, text, help)
end

--- "service|broker" as "a service or a broker".
local function by_ref(ctx, f, v, kinds)
    local h = handles.of(v)
    if h and ("|" .. kinds .. "|"):find("|" .. h.kind .. "|", 1, true) then return h end
    local what = wrong.any_of(kinds)
    if h then
        return nil, complain(ctx, f[1], "LZ304", ("expected %s, got %s"):format(what,
            handles.describe(v)))
    end
    return expected(ctx, f, what, v, type(v) == "string"
        and ("a component is named by its variable, without quotes: %s = %s"):format(f[1],
            v:match "^[%a_][%w_]*$" or "web") or nil)
end

local function by_refs(ctx, f, v, kinds)
    if type(v) ~= "table" or getmetatable(v) or #v == 0 then
        return expected(ctx, f, ("a list: %s each"):format(wrong.any_of(kinds)), v)
    end
    return fields_list.each(v, function(one) return by_ref(ctx, f, one, kinds) end)
end

fields_list.add(TYPES, complain, expected)
fields_alert.add(TYPES, complain, expected)
fields_live.add(TYPES, complain, expected)

local function reader_of(type_name)
    if TYPES[type_name] then return TYPES[type_name] end
    local word, kinds = type_name:match "^(refs?):(.+)$"
    local by = word == "ref" and by_ref or by_refs
    return function(ctx, f, v) return by(ctx, f, v, kinds) end
end

-- By list of rows: its rows by name, and those that a block may have to have.
local known_lists = {}

local function know(list)
    local known = known_lists[list]
    if known then return known end
    known = { rows = {}, needed = {} }
    known_lists[list] = known
    for _, f in ipairs(list) do
        known.rows[f[1]] = f
        if f.required then known.needed[#known.needed + 1] = f end
        if f.fields then know(f.fields) end
    end
    return known
end

--- Look at the rows of all blocks now: before universes are copied.
function M.prepare()
    for _, block in pairs(schema) do -- whatever the order: each is looked at once
        if type(block) == "table" and type(block[1]) == "table" then know(block) end
    end
end

--- Read a block's fields. Positions (1, 2, ...) are the caller's. Returns what is right; a
--- field that is wrong is absent, and the block is marked `broken`.
---@return table
function M.read(ctx, fields, raw)
    local out = {}
    local known = know(fields)
    local rows = known.rows
    local keys, meant = {}, {} -- meant: by a field that is not there
    for key, v in pairs(raw) do
        if type(key) == "string" then keys[#keys + 1] = key
        elseif v == POISON then out.broken = true end
    end
    table.sort(keys) -- the order of complaints must not depend on a hash
    for _, key in ipairs(keys) do
        local v = raw[key]
        local f = rows[key]
        if f == nil then
            meant[wrong.unknown(ctx, fields, rows, key, v) or key] = true
            out.broken = true
        elseif v == POISON then
            out.broken = true
        else
            local value = reader_of(f[2])(ctx, f, v)
            if value == nil then out.broken = true
            elseif f.later then
                ctx.state.not_yet(ctx.line, ("`%s` of %s"):format(key, ctx.what), key,
                    place(ctx, key))
            end
            out[key] = value
        end
    end
    for _, f in ipairs(known.needed) do
        local is_needed = raw[f[1]] == nil and not meant[f[1]]
        for _, other in ipairs(f.unless or {}) do -- { field, value }, or { field } with any value
            local v = raw[other[1]]
            local is_meant = other[2] == nil and meant[other[1]]
            if is_meant or v ~= nil and (other[2] == nil or v == other[2]) then
                is_needed = false
            end
        end
        if is_needed then
            ctx.state.diag.add { code = "LZ102", line = ctx.line, word = ctx.what:match "^[%w_]+",
                text = ("%s needs `%s`: %s"):format(ctx.what, f[1], f[3]) }
            out.broken = true
        end
    end
    return out
end

M.schema = schema
return M
