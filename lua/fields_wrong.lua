--- What is said of a field that is wrong: where it is, what is known of it, what was meant.
local diag = require "diag"
local units = require "units"

local M = {}

function M.names(fields)
    local names = {}
    for _, f in ipairs(fields) do names[#names + 1] = f[1] end
    return names
end

--- Where a field is, for messages and columns.
function M.place(ctx, name)
    local path = {}
    for i, p in ipairs(ctx.path or {}) do path[i] = p end
    path[#path + 1] = name
    return path
end

function M.complain(ctx, name, code, text, help, note, fix)
    return ctx.state.diag.add { code = code, line = ctx.line, path = M.place(ctx, name),
        note = note, fix = fix,
        text = ("`%s` of %s: %s"):format(name, ctx.what, text), help = help }
end

--- Another kind of value was wanted: always nil, as what a reader gives back.
function M.expected(ctx, f, what, v, help)
    local got = type(v) == "table" and not getmetatable(v) and next(v) == nil and "an empty table"
        or units.kind_of(v)
    M.complain(ctx, f[1], "LZ205", ("expected %s, got %s"):format(what, got), help)
    return nil
end

--- Whether something is a list and nothing else; false after a complaint about what has a name.
function M.is_list(ctx, f, v)
    for key in pairs(v) do
        if type(key) == "string" then
            key = units.key(key)
            local help = v[1] ~= nil and "options are of the call: call { db, %s = ... }"
                or "a call and its options are call { %s, ... }"
            M.complain(ctx, f[1], "LZ205",
                ("this is a list, and `%s` has no place in it"):format(key),
                f[2] == "calls" and help:format(key) or nil)
            return false
        end
    end
    local count = 0
    for _ in pairs(v) do count = count + 1 end
    if count == #v and (count == 0 or v[1] ~= nil) then return true end
    local hole = 1
    while v[hole] ~= nil do hole = hole + 1 end
    M.complain(ctx, f[1], "LZ205", ("this list has a hole: entry %d is nil"):format(hole))
    return false
end

--- "service|database": a service or a database.
function M.any_of(kinds)
    local list = {}
    for kind in kinds:gmatch "[^|]+" do list[#list + 1] = units.article(kind) .. kind end
    local last = table.remove(list)
    return #list > 0 and table.concat(list, ", ") .. " or " .. last or last
end

--- A single value where a table belongs: with the fields that it must have, or else, to a time, the
--- first of the schema that is one, or else the first, which is the one that most want.
function M.no_block(ctx, f, v)
    local names, needed = M.names(f.fields), {}
    for _, inner in ipairs(f.fields) do
        if inner.required then needed[#needed + 1] = inner[1] .. " = ..." end
    end
    local is_time = type(v) == "string" and v:find "^%d+%.?%d*[mun]?[smhd]$"
    for _, inner in ipairs(f.fields) do
        if #needed > 0 then break end
        if is_time and inner[2] == "duration" then needed[1] = inner[1] .. " = ..." end
    end
    if #needed == 0 then needed[1] = names[1] .. " = ..." end
    if #needed == 1 and (type(v) == "number" or type(v) == "string" and v:find "^%d") then
        needed[1] = needed[1]:gsub("%.%.%.$", function()
            return type(v) == "string" and ('"%s"'):format(units.key(v)) or units.show(v)
        end)
    end
    table.sort(names)
    ctx.state.diag.add { code = "LZ205", line = ctx.line, path = M.place(ctx, f[1]),
        text = ("`%s` of %s: expected a table, got %s"):format(f[1], ctx.what, units.kind_of(v)),
        help = ("write %s = { %s }"):format(f[1], table.concat(needed, ", ")),
        list = { "its fields are", names } }
    return nil
end

-- What other tools and many people call a field of ours, wherever a block has that one; of several
-- the first that it has.
local CALLED = {
    duration = "lasting", length = "lasting", start = "at", delay = "add",
    percentage = "ratio load pick", percent = "ratio load pick",
    probability = "ratio",
    pods_affected_perc = "pick", total_chaos_duration = "lasting", chaos_interval = "every",
    code = "status of_status", perc = "ratio load pick", blast_radius = "pick",
    magnitude = "ratio load factor",
    autoscaling = "autoscale", hpa = "autoscale", force = "graceful", budget = "together most",
    url = "http", size_mb = "size", ops = "op", operation = "op",
    instances = "replicas nodes members", replicas = "nodes members", brokers = "nodes",
    broker = "on", topic = "of", topics = "of", maxmemory = "max_memory",
    count = "replicas nodes members", rps = "rate", qps = "rate", dependencies = "calls",
    depends_on = "calls",
    threads = "concurrency", workers = "concurrency cores", target = "to answers",
    upstream = "to answers", to = "answers", mode = "pick", value = "pick", schedule = "every",
    cron = "every", interval = "every", loss = "ratio", toxicity = "ratio", corrupt = "ratio",
    duplicate = "ratio", reorder = "ratio", latency = "add", time_offset = "offset",
    timeOffset = "offset", by = "offset", response_time = "service_time",
    processing_time = "service_time", max_connections = "connections", pool_size = "pool",
    hit_rate = "hit_ratio", error_rate = "error_ratio", failure_rate = "error_ratio",
    stream = "direction", period = "every", methods = "operations", average_size = "size",
    ["for"] = "pending lasting",
    capacity = "entries", size = "entries fill", max_entries = "entries",
    partitions_count = "partitions",
}

-- Of those, what means that only in a block that has another field too.
local ONLY_WITH = { broker = "partitions", topic = "members", topics = "members" }

-- What others call a metric of ours.
M.METRICS = { availability = "success.ratio", uptime = "success.ratio", throughput = "rate",
    rps = "rate", qps = "rate", error_rate = "errors.ratio", failures = "errors.rate",
    response_time = "latency.p99", p99 = "latency.p99", p95 = "latency.p95", p50 = "latency.p50" }

-- What is no field at all, but said in another way.
local SAID = {
    backed_by = "who calls what is behind a cache names the cache there: "
        .. "call { db, through = redis }",
    selector = "what a fault acts on is its first entry: fault.kill { web, ... }",
    namespace = "what a fault acts on is its first entry: fault.kill { web, ... }",
    zone = "what a fault acts on is its first entry: fault.down { eu.zone.a, ... }",
    jitter = 'a delay that varies is a distribution: add = dist.normal { mean = "100ms", '
        .. 'sd = "10ms" }',
    before = 'a window is: during = { after = "0s", lasting = "1m" }',
    timeout = 'a timeout is the caller\'s: call { web, timeout = "1s" }, or of traffic',
    retries = "retries are the caller's: call { web, retries = ... }, or of traffic",
}

-- Of one block: another has the field.
local OF_REQUESTS = "fault.reset is of connections, whatever they carry: what is about requests is "
    .. "fault.http_reset { web, path = \"/pay\", ... }"
local SAID_OF = {
    ["fault.reset"] = { path = OF_REQUESTS, method = OF_REQUESTS, header = OF_REQUESTS,
        code = OF_REQUESTS, status = OF_REQUESTS, of_status = OF_REQUESTS, nth = OF_REQUESTS,
        port = OF_REQUESTS, side = OF_REQUESTS },
}

local WINDOWS_MAX = 10000 -- of a fault that comes again and again

--- A fault in a window's place is the time that it is in force, where it says how long.
function M.window(ctx, f, v, h)
    if not (h and h.kind == "fault") then
        return M.expected(ctx, f, "a window { after =, lasting = } or a fault", v)
    end
    local its = h.fields
    if its.lasting and not (its.every or its.mtbf) then
        return { { after = { kind = "fault", fault = h }, lasting = its.lasting, of = h } }
    end
    if its.lasting and its.every and its.at and not h.spread then -- a window each time
        local scenario = ctx.state.plan.scenario
        local left = (scenario and scenario.fields.duration or its.at) - its.at
        if left // its.every >= WINDOWS_MAX then
            return M.expected(ctx, f, ("at most %d windows"):format(WINDOWS_MAX), v,
                ("this fault comes %d times: name the stretch of time that it comes in")
                :format(left // its.every + 1))
        end
        return { { after = { kind = "time", at = its.at }, lasting = its.lasting,
            every = its.every, of = h } }
    end
    local what = "a window { after =, lasting = } or a fault that has one"
    return M.expected(ctx, f, what, v, its.lasting
        and "when this fault comes is left to chance: write the windows, as a list, of instants"
        or 'this fault has no `lasting`: write { after = it, lasting = "30s" }')
end

--- What keys are, where something else stood for them.
function M.keys(v)
    local n = math.type(v) == "integer" and v > 0 and v < 1000000000 and v or 1000
    return ("expected a distribution, got %s"):format(units.show(v)),
        ("for %d keys alike: keys = dist.zipf { n = %d, skew = 0 }; more skew, hotter keys")
        :format(n, n)
end

-- The first of some names that a block has as a field.
local function first_of(names, rows)
    for name in (names or ""):gmatch "%S+" do
        if rows[name] then return name end
    end
end

--- A field that a block does not have; gives the one that was certainly meant.
function M.unknown(ctx, fields, rows, key, v)
    local names = M.names(fields)
    local beside = ONLY_WITH[key]
    local ours = not (beside and not rows[beside]) and first_of(CALLED[key], rows) or nil
    if ours == "entries" and rows.max_memory and type(v) == "string" and v:find "^%d.*B$" then
        ours = "max_memory"
    end
    local near, is_certain = diag.nearest(key, names)
    local elsewhere = SAID_OF[ctx.what] and SAID_OF[ctx.what][key]
    if elsewhere then near, is_certain = nil, false end
    if ours and not is_certain then near = nil end
    table.sort(names)
    ctx.state.diag.add { code = "LZ101", line = ctx.line, path = M.place(ctx, key), at = "field",
        note = "unknown field", text = ("%s has no field `%s`"):format(ctx.what, units.key(key)),
        help = elsewhere
            or key == "toxicity" and rows.per and 'write ratio = "20%", per = "connection"'
            or near and ("a field with a similar name exists: `%s`"):format(near)
            or ours and ("what it means is called `%s`"):format(ours)
            or SAID[key],
        list = { "its fields are", names },
        fix = near and is_certain and { with = near } or nil }
    return near and is_certain and near or ours
end

return M
