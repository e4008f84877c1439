--- Values of a plan as people write them: the way back from base units.
local schema = require "schema"

local M = {}

local UNITS = { { "d", 86400e9 }, { "h", 3600e9 }, { "m", 60e9 } }

local function number(n)
    return (("%.3f"):format(n):gsub("0+$", ""):gsub("%.$", ""))
end

--- Nanoseconds: "1m30s", "800ms", "0s".
function M.duration(ns)
    local out = ""
    if ns < 0 then return "-" .. M.duration(-ns) end
    if ns >= 60e9 then
        for _, unit in ipairs(UNITS) do
            local n = ns // unit[2]
            if n > 0 then out = out .. ("%d%s"):format(n, unit[1]) end
            ns = ns - n * unit[2]
        end
        return ns > 0 and out .. number(ns / 1e9) .. "s" or out
    end
    if ns == 0 or ns >= 1e9 then return number(ns / 1e9) .. "s" end
    if ns >= 1e6 then return number(ns / 1e6) .. "ms" end
    if ns >= 1e3 then return number(ns / 1e3) .. "us" end
    return number(ns) .. "ns"
end

--- So many per second.
function M.rate(n) return number(n) .. "/s" end

function M.ratio(share) return number(share * 100) .. "%" end

--- A count with groups of three: "240 000".
function M.count(n)
    local digits = ("%d"):format(math.floor(n + 0.5))
    if #digits <= 4 then return digits end
    return (digits:reverse():gsub("(%d%d%d)", "%1 "):reverse():gsub("^ ", ""))
end

local function dist(d)
    if d.dist == "constant" then return M.duration(d.a) end
    local params, out = schema.dist[d.dist], {}
    for i, name in ipairs(params or {}) do
        local v = i == 1 and d.a or d.b
        local plain = schema.dist_plain[name] or d.dist == "zipf"
        out[i] = ("%s %s"):format(name, plain and number(v) or M.duration(v))
    end
    return params and ("%s (%s)"):format(d.dist, table.concat(out, ", "))
        or ("%s of %d points"):format(d.dist, #d.points)
end

--- What a handle, or a part of one, is called.
function M.name(h) return h.text and h.text:match '^%w+ "(.*)"$' or h.text or h.name or h.kind end

local function listed(v)
    local out = {}
    for i, one in ipairs(v) do out[i] = tostring(one) end
    return table.concat(out, " ")
end

-- Labels as Prometheus writes them.
local function labels(v)
    local out = {}
    for i, pair in ipairs(v) do out[i] = ('%s="%s"'):format(pair[1], pair[2]) end
    return "{" .. table.concat(out, ", ") .. "}"
end

local function label_matchers(v)
    local out = {}
    for i, m in ipairs(v) do
        out[i] = m.kind == "any" and m.name .. " there" or m.kind == "none" and "no " .. m.name
            or m.name .. '="' .. table.concat(m.values, '" or "') .. '"'
    end
    return "{" .. table.concat(out, ", ") .. "}"
end

local BY_TYPE = {
    labels = labels, label_matchers = label_matchers, names = listed,
    durations = function(v)
        local out = {}
        for i, one in ipairs(v) do out[i] = M.duration(one) end
        return table.concat(out, " and ")
    end,
    duration = M.duration, ratio = M.ratio, dist = dist, place = M.name,
    rate = M.rate, load = M.rate, offset = M.duration,
    size = function(v) return number(v) .. "B" end,
    bandwidth = function(v) return number(v) .. "B/s" end,
    limit = function(v) return v == -1 and "unbounded" or M.count(v) end,
    lateness = function(v)
        return v.after and M.duration(v.after) or "p" .. number(v.quantile):sub(3)
    end,
    counts = listed,
    outcomes = listed,
    bool = tostring,
    through = function(v) return v.to.name end,
    portion = function(v) return v.share and M.ratio(v.share) or M.count(v.count) end,
    pick = function(v)
        if v[1] == "share" then return M.ratio(v[2]) end
        if v[1] == "random" then return "random " .. M.ratio(v[2]) end
        return v[1] == "count" and M.count(v[2]) or v[1]
    end,
}

--- The value of a field, or nil if it is none that fits on a line.
function M.value(field, v)
    if field[2] == "budget" and not v then return "off" end
    if field[2] == "budget" and v.share then return M.ratio(v.share) end
    if field[2] == "blocks" then return nil end
    if field.fields and type(v) == "table" then
        local list = M.list(field.fields, v)
        return list ~= "" and "(" .. list .. ")" or nil
    end
    if type(v) == "table" and v.kind and v.kind ~= "dist" then return M.name(v) end
    if field[2]:match "^refs:" then
        local names = {}
        for i, h in ipairs(v) do names[i] = M.name(h) end
        return table.concat(names, ", ")
    end
    local show = BY_TYPE[field[2]]
    if show then return show(v) end
    if math.type(v) == "integer" then return M.count(v) end
    if type(v) == "number" then return number(v) end
    if type(v) == "string" or type(v) == "boolean" then return tostring(v) end
    return nil
end

--- The fields that were declared, in the schema's order: "replicas 4, service_time 1ms".
function M.list(fields, values, except)
    local out = {}
    for _, f in ipairs(fields) do
        local v = values[f[1]]
        local shown = v ~= nil and not (except and except[f[1]]) and M.value(f, v)
        if shown then out[#out + 1] = ("%s %s"):format(f[1], shown) end
    end
    return table.concat(out, ", ")
end

return M
