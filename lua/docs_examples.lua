--- Examples that pages make up: of faults and of metrics, with what they are about declared.
---
--- They go on from docs_codes.base, like those that are written; the test gives all of them to the
--- checker.
local text = require "docs_text"

local M = {}

--- What an example of a fault declares and hits: the first that the kind may target.
local HIT = {
    { "link", nil, "link(web, db)" }, { "service", nil, "web" }, { "component", nil, "web" },
    { "database", nil, "db" },
    { "cache", 'local sessions = cache "sessions" { entries = 1000 }', "sessions" },
    { "host", 'local rack = host "rack-1" {}', "rack" },
    { "broker", 'local log = broker "log" { nodes = 3 }', "log" },
    { "topic", 'local log = broker "log" { nodes = 3 }\nlocal orders = topic "orders" { on = log }',
        "orders" },
    { "consumers", 'local log = broker "log" { nodes = 3 }\nlocal orders = topic "orders" '
        .. '{ on = log }\nlocal readers = consumers "readers" { of = orders }', "readers" },
    { "dns", 'local names = dns "names" { answers = { web } }', "names" },
    { "region", 'local eu = region "eu-west-1" {}', "eu" },
}
local VALUES = { dist = '"3ms"', ratio = '"10%"', duration = '"10s"', number = "2", count = "100",
    rate = '"100/s"', size = '"1KiB"', bandwidth = '"10Mbit/s"', offset = '"2s"', signed = "200",
    text = '"UNAVAILABLE"' }

--- Parameters for which the example of their type is not one.
local NAMED = { status = "503", of_status = "200",
    to = "2", expires_at = '"130s"', table = '"orders"' }

local IDENTITY = 'local idp = service "idp" {}\n'
    .. 'local api = service "api" { auth = { issuer = idp, lifetime = "10m" } }'

local DATABASE = { "database", nil, "db" }
local GROWN = { "service", 'local shop = service "shop" { autoscale = { max = 4, '
    .. 'target_cpu = "50%" } }', "shop" }
local KEPT = { "database",
    'local shop = database "shop" { backup = { full = "24h", archive = "60s" } }', "shop" }

--- What some kinds hit must have said more than the others.
local NEEDS = {
    memory = { "service", 'local cart = service "cart" { memory = { limit = "512MiB" } }', "cart" },
    auth_outage = { "service", IDENTITY, "idp" },
    key_rotation = { "service", IDENTITY, "idp" },
    volume_detach = DATABASE, connection_exhaustion = DATABASE,
    autoscaler_off = GROWN, capacity_shortage = GROWN, registry_outage = GROWN,
    control_plane_down = { "region", 'local eu = region "eu" { zones = { "a", "b" } }', "eu" },
    backup_fail = KEPT, backup_corrupt = KEPT,
}

--- A service does nothing on a disk unless it says so.
local function needs(name)
    return NEEDS[name] or name:find "^disk_" and DATABASE
end

local function hit_by(kind)
    local first = kind.targets[1] == "link" and 1 or 2
    for i = first, #HIT do
        local row = HIT[i]
        for _, target in ipairs(kind.targets) do
            if target == row[1] then return row end
        end
    end
    error("no example of what a fault hits")
end

--- A fault's kind that stands in an example: with what it needs.
---@param params table[]  its own fields
---@return string
function M.of_fault(name, kind, params)
    local hit, has_own = needs(name) or hit_by(kind), false
    local parts = { hit[3] }
    for _, f in ipairs(params) do
        local value = NAMED[f[1]] or f[2] == "words" and ('{ "%s" }'):format(f.choices[1])
            or f.choices and ('"%s"'):format(f.choices[1]) or VALUES[f[2]]
        if f.required or not has_own and not f.choices and VALUES[f[2]] then
            parts[#parts + 1] = ("%s = %s"):format(f[1], value)
            has_own = true
        end
    end
    parts[#parts + 1] = 'at = "2m"'
    parts[#parts + 1] = 'lasting = "30s"'
    return (hit[2] and hit[2] .. "\n" or "") .. ("fault.%s { %s }"):format(name,
        table.concat(parts, ", "))
end

--- What the components of an example are called.
local EXAMPLES = { service = "web", database = "db", traffic = "users" }

--- Where only these have a metric: their declaration, and what they are called.
local OTHERS = {
    { "cache", "redis", 'local redis = cache "redis" { entries = 1000 }\n' },
    { "broker", "kafka", 'local kafka = broker "kafka" { nodes = 3 }\n' },
    { "topic", "orders", 'local kafka = broker "kafka" {}\n'
        .. 'local orders = topic "orders" { on = kafka }\n' },
    { "consumers", "billing", 'local kafka = broker "kafka" {}\n'
        .. 'local orders = topic "orders" { on = kafka }\n'
        .. 'local billing = consumers "billing" { of = orders }\n' },
    { "dns", "shop", 'local shop = dns "shop" { answers = { web } }\n' },
    { "host", "rack", 'local rack = host "rack-1" { disk = { size = "1TB" } }\n' },
    { "link", "link(web, db)", "" },
    { "version", 'api:version("v2")', 'local api = service "api" { versions = { v2 = {} } }\n' },
}

--- Only of a service with a rollout.
local ROLLED_OUT = { ["replicas.updated"] = true, ["replicas.available"] = true,
    ["replicas.unavailable"] = true }

local BACKED_UP = { rpo = true, rto = true, restoring = true, ["restores.failed"] = true,
    backups = true, ["backups.failed"] = true, drills = true, ["drills.failed"] = true }

--- An expectation about a metric, of the first kind of component that an example can name.
---@param units table<string, string[]>  how a limit of each unit is written
---@return string?
function M.of_metric(facts, name, units)
    local before, whose, unit = "", nil, nil
    for _, kind in ipairs(text.keys(facts.metrics)) do
        local m = facts.metrics[kind][name]
        if m and EXAMPLES[kind] then unit, whose = m.unit, EXAMPLES[kind] end
    end
    if name:find "^first_byte" then
        before = 'local films = traffic "films" { to = web, rate = "1/s", stream = true }\n'
        whose = "films"
    end
    if ROLLED_OUT[name] then
        before, whose = 'local api = service "api" { replicas = 4, rollout = {} }\n', "api"
    end
    if BACKED_UP[name] then
        before = 'local ledger = database "ledger" { backup = { full = "6h", drill = "12h" } }\n'
        whose = "ledger"
    end
    for _, other in ipairs(whose and {} or OTHERS) do
        if facts.metrics[other[1]][name] then
            before, whose, unit = other[3], other[2], facts.metrics[other[1]][name].unit
            break
        end
    end
    return whose and before .. ('expect "it stays low" { always = %s.%s:below%s }'):format(whose,
        name, units[unit][2])
end

return M
