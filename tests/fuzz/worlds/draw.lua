--- What the grammars of all worlds share: draws, faults of the whole catalogue at targets that are
--- there, operators, expectations.
---
---     local w = draw.world(17)
---     w:line('local web = service "web" { replicas = %d }', w:int(1, 4))
---     w:has("service", "web", { "web.replica[1]" })
---     w:break_it()
---     local text = w:text()
---
--- A world is a function of its number. Its users go at `QUIET`; every fault is over before that;
--- after `settle` seconds more it must be at rest: what a world says in `w:settled(...)`.
local M = {}

local World = {}
World.__index = World

local FIRST, LAST, QUIET = 2, 20, 24 -- seconds: faults come, are over; users go

function World.int(_, a, b) return math.random(a, b) end
function World.chance(_, p) return math.random() < p end
function World.one(_, list) return list[math.random(#list)] end
function World.time(_, a, b) return ("%dms"):format(math.random(a, b)) end
function World.share() return ("%d%%"):format(math.random(100)) end

--- A field that is there with a probability of `p`: "unclean = true, ", or nothing.
function World:maybe(p, text, ...)
    local is_there = self:chance(p)
    return is_there and (select("#", ...) > 0 and text:format(...) or text) .. ", " or ""
end

function World:dist(low, high)
    local a, b = self:int(low, high), self:int(low, high)
    return self:one {
        ('"%dms"'):format(a), ('"%dms"'):format(a),
        ('dist.exponential { mean = "%dms" }'):format(a),
        ('dist.lognormal { p50 = "%dms", p99 = "%dms" }'):format(a + 1, a + b + 2),
        ('dist.uniform { from = "0ms", to = "%dms" }'):format(a),
        ('dist.pareto { min = "%dms", alpha = 2.5 }'):format(math.max(1, a // 2)),
    }
end

--- Users who come until QUIET, at one of a few shapes.
function World:load(low, high)
    local rate = self:int(low, high)
    return ('shape.steps { { "0s", "%d/s" }, { "%ds", "%d/s" }, { "%ds", "0/s" } }'):format(rate,
        self:int(1, QUIET - 1), self:chance(0.7) and rate or rate * 2, QUIET)
end

function World:line(text, ...)
    self.lines[#self.lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

--- Something of a kind is there under a name of the scenario, with parts that can be hit.
function World:has(kind, name, parts)
    local of = self.of
    of[kind] = of[kind] or {}
    table.insert(of[kind], name)
    local is_place = kind == "place" or kind == "host"
    if kind ~= "topic" and kind ~= "dns" and kind ~= "traffic" and not is_place then
        table.insert(of.node, name)
        for _, part in ipairs(parts or {}) do
            table.insert(of.node, part)
            table.insert(of.node, part) -- more often than all of them
        end
    end
    if kind ~= "topic" and kind ~= "dns" and not is_place then table.insert(of.ends, name) end
    if kind == "host" then table.insert(of.place, name) end
end

--- A metric that expectations may be about, and a value it may have.
function World:metric(name, value) table.insert(self.metrics, { name, value }) end

--- What must hold when all is over: a metric and what it must be.
function World:settled(what, matcher)
    table.insert(self.rest, ('expect "settled: %s" { at_end = %s }'):format(what, matcher))
end

--- The same as the fields of an expectation.
function World:holds(what, fields)
    table.insert(self.rest, ('expect "settled: %s" { %s }'):format(what, fields))
end

--- Kinds of faults that break a promise on which what holds here rests: none of them is drawn.
function World:spare(...)
    for _, name in ipairs { ... } do self.spared[name] = true end
end

--- What an operator may do, as a statement.
function World:act(text, ...)
    table.insert(self.acts, select("#", ...) > 0 and text:format(...) or text)
end

--- An expectation about a history.
function World:history(text) table.insert(self.histories, text) end

-- ---------------------------------------------------------------- faults

-- Kinds, where they strike and what they are told; those refused for this target are dropped by
-- who checks the text.
local CATALOGUE = {
    alert_delay = { { "service", "place" }, 'add = %D' },
    auth_outage = { { "issuer" } },
    autoscaler_off = { { "scaled" } },
    backup_corrupt = { { "database" } },
    backup_fail = { { "database" } },
    bad_deploy = { { "service" }, 'factor = %n', 'error_ratio = %s', 'waves = 2, gap = "500ms"' },
    bandwidth = { { "net" }, 'rate = "%n00kbit/s"' },
    blackhole = { { "node" } },
    bots = { { "traffic" }, 'rate = "%n0/s"' },
    cache_limit = { { "cache", "shard", "node" }, 'entries = %n' },
    capacity_shortage = { { "scaled", "place" }, 'delay = %t' },
    cert_expiry = { { "node" } },
    clock_drift = { { "node", "place" }, 'ppm = %p' },
    clock_skew = { { "node", "place" }, 'offset = %o' },
    clock_step = { { "node", "place" }, 'offset = %o' },
    config_push = { { "node" }, 'factor = %n', 'error_ratio = %s' },
    connection_exhaustion = { { "node" }, 'limit = %n' },
    consumer_stall = { { "consumers", "member" } },
    control_plane_down = { { "place" } },
    corrupt = { { "net" }, 'ratio = %s' },
    cpu = { { "node", "place" }, 'load = %s' },
    cpu_throttle = { { "node" }, 'quota = %s' },
    crash_loop = { { "node" }, 'backoff = "500ms"', 'life = %t' },
    degrade = { { "node" }, 'factor = %n', 'error_ratio = %s' },
    disk_corrupt = { { "node" }, 'ratio = %s' },
    disk_error = { { "node" }, 'ratio = %s' },
    disk_freeze = { { "node" } },
    disk_full = { { "node" } },
    disk_iops = { { "node" }, 'limit = %n' },
    disk_latency = { { "node" }, 'add = %D' },
    dns = { { "dns" }, 'answer = %a', 'delay = %t' },
    down = { { "node", "node", "place", "host" } },
    drain = { { "place", "host" }, 'notice = %t' },
    duplicate = { { "net" }, 'ratio = %s' },
    evict = { { "node" }, 'notice = %t' },
    expire = { { "cache" }, 'ratio = %s' },
    failover = { { "database", "cache", "shard" }, 'mode = %f' },
    fd_limit = { { "node" }, 'limit = %n' },
    flap = { { "net" }, 'up = %t, down = %t' },
    flood = { { "node" }, 'rate = "%nk/s"' },
    flush = { { "cache", "shard" } },
    fsync_lie = { { "node" } },
    hot_key = { { "cache", "shard", "database", "store" }, 'ratio = %s' },
    http_abort = { { "node" }, 'ratio = %s', 'first = %n' },
    http_delay = { { "node" }, 'add = %D', 'ratio = %s', 'side = "answer"' },
    http_replace = { { "node" }, 'status = 500', 'ratio = %s', "of_status = 200" },
    http_reset = { { "node" }, 'side = "answer"', 'ratio = %s', 'first = %n' },
    isr_shrink = { { "topic", "broker", "node" } },
    key_rotation = { { "issuer" }, 'withdraw = true' },
    kill = { { "node", "node", "node", "place" } },
    latency = { { "net", "net", "net" }, 'add = %D', 'per = "connection", ratio = %s' },
    limit_data = { { "net" }, 'bytes = "%nKiB"', 'direction = "to"' },
    lock = { { "database" } },
    long_transaction = { { "database" } },
    loss = { { "net", "net" }, 'ratio = %s', 'correlation = %s' },
    lost_write = { { "node" }, 'ratio = %s' },
    memory = { { "node" }, 'fill = %s' },
    misdirected_write = { { "node" }, 'ratio = %s' },
    monitoring_loss = { { "service", "place" }, 'ratio = %s' },
    nic_down = { { "host", "node" } },
    partition = { { "net", "net", "net" }, 'direction = "to"' },
    pause = { { "node", "node" } },
    pid_limit = { { "node" }, 'limit = %n' },
    pipeline_outage = { { "service", "place" } },
    poison_message = { { "partition" }, 'count = %n' },
    port_exhaustion = { { "node" }, 'limit = %n' },
    reboot = { { "node", "place", "host" }, 'notice = %t' },
    registry_outage = { { "service", "place" } },
    reorder = { { "net" }, 'ratio = %s, gap = %t' },
    replication_break = { { "database", "node" } },
    replication_lag = { { "database", "node" }, 'add = %D' },
    reset = { { "net" }, 'ratio = %s', 'after = %t' },
    route_loss = { { "places" } },
    rpc_status = { { "node" }, 'code = "UNAVAILABLE"', 'ratio = %s' },
    slicer = { { "net" }, 'size = "%n00B", delay = %t', 'variation = "90B"' },
    slow_close = { { "node" }, 'delay = %t' },
    split_brain = { { "database" }, 'stay = %s' },
    spot_interruption = { { "host", "node" }, 'notice = %t', 'capacity = false' },
    stop = { { "node" } },
    surge = { { "traffic", "service" }, 'factor = %n' },
    thread_limit = { { "node" }, 'limit = %n' },
    throttle = { { "node" }, 'rate = "%n0/s"' },
    torn_write = { { "node" } },
    unclean_election = { { "topic", "broker", "partition" } },
    volume_detach = { { "node" } },
    waf_false_positive = { { "node" }, 'ratio = %s' },
}
-- Without these parameters they are refused.
local NEEDED = { alert_delay = 1, bandwidth = 1, bots = 1, cache_limit = 1, clock_drift = 1,
    clock_skew = 1, clock_step = 1, cpu = 1, cpu_throttle = 1, disk_corrupt = 1, disk_iops = 1,
    disk_latency = 1, dns = 1, expire = 1, fd_limit = 1, flap = 1, flood = 1, hot_key = 1,
    http_delay = 1, latency = 1, limit_data = 1, loss = 1, memory = 1, pid_limit = 1,
    port_exhaustion = 1, reorder = 1, replication_lag = 1, slicer = 1, slow_close = 1, surge = 1,
    thread_limit = 1, throttle = 1, degrade = 1, corrupt = 1, duplicate = 1, http_abort = 1,
    rpc_status = 1, bad_deploy = 1, config_push = 1, disk_error = 1, waf_false_positive = 1,
    http_replace = 1 }
-- What is over as soon as it has happened. An eviction is not: what is bound waits for its end.
local AT_ONCE = { failover = true, flush = true, expire = true, key_rotation = true,
    unclean_election = true }
local RAMPS = {}
for _, name in ipairs { "bandwidth", "corrupt", "cpu", "cpu_throttle", "degrade", "disk_latency",
    "duplicate", "flood", "http_delay", "latency", "loss", "memory", "monitoring_loss", "reorder",
    "replication_lag", "slow_close", "surge", "throttle" } do
    RAMPS[name] = true
end
local KINDS = {}
for name in pairs(CATALOGUE) do KINDS[#KINDS + 1] = name end
table.sort(KINDS)

function World:parameter(text)
    return (text:gsub("%%(%a)", function(what)
        if what == "n" then return tostring(self:int(1, 9)) end
        if what == "s" then return ('"%s"'):format(self:share()) end
        if what == "t" then return ('"%s"'):format(self:time(1, 3000)) end
        if what == "D" then return self:dist(1, self:one { 20, 400, 3000 }) end
        if what == "p" then return tostring(self:int(-200000, 200000)) end
        if what == "o" then return ('"%dms"'):format(self:int(-8000, 8000)) end
        if what == "a" then
            return ('"%s"'):format(self:one { "nxdomain", "servfail", "timeout", "empty", "stale" })
        end
        return ('"%s"'):format(self:one { "graceful", "force", "takeover" })
    end))
end

function World:target(class)
    local of = self.of
    if class == "net" then
        local a, b = self:one(of.node), self:one(of.ends)
        local forms = { a, a .. ", " .. b, ("link(%s, %s)"):format(self:one(of.ends), b) }
        if #of.place > 1 then
            forms[4] = self:one(of.place) .. ", " .. self:one(of.place)
            forms[5] = self:one(of.place)
        end
        return self:one(forms)
    elseif class == "places" then
        return #of.place > 1 and self:one(of.place) .. ", " .. self:one(of.place)
    end
    return of[class] and #of[class] > 0 and self:one(of[class])
end

--- One fault as a statement; `is_now`: by an operator.
function World:fault(is_now)
    local name, row, target
    repeat
        name = self:one(KINDS)
        row = CATALOGUE[name]
        target = self:target(self:one(row[1]))
    until target and not self.spared[name]
    local body = { target }
    for i = 2, #row do
        if i - 1 == NEEDED[name] or self:chance(0.5) then
            body[#body + 1] = self:parameter(row[i])
        end
    end
    local at = self:int(FIRST * 1000, (LAST - 1) * 1000)
    local left = LAST * 1000 - at
    if not is_now then body[#body + 1] = ('at = "%dms"'):format(at) end
    if is_now then left = 5000 end
    if not AT_ONCE[name] or self:chance(0.2) then
        local lasting = self:int(1, self:one { 300, 2000, left, left })
        body[#body + 1] = ('lasting = "%dms"'):format(math.min(lasting, left))
        if RAMPS[name] and self:chance(0.2) then
            body[#body + 1] = ('ramp = "%dms"'):format(math.max(1, math.min(lasting, left) // 2))
        end
    end
    if self:chance(0.15) then
        body[#body + 1] = "pick = " .. self:one { '"one"', '"50%"', "2", '"random 30%"' }
    end
    return ("fault.%s { %s }"):format(name, table.concat(body, ", "))
end

-- ---------------------------------------------------------------- who acts, what is expected

function World:operator(number)
    self:line('drive("operator %d", function()', number)
    local began = self:int(1, 6000)
    self:line('    sleep "%dms"', began)
    for _ = 1, self:int(1, 5) do
        local statement = self:chance(0.5) and #self.acts > 0 and self:one(self.acts)
            or self:fault(true)
        if statement:find "^fault" and self:chance(0.4) then -- somebody ends it, mostly in time
            self:line('    pcall(function() local f = %s; sleep "%s"; f:stop() end)', statement,
                self:time(1, 3000))
        else
            self:line("    pcall(function() %s end)", statement)
        end
        if self:chance(0.3) and #self.metrics > 0 then
            local m = self:one(self.metrics)
            self:line('    wait_until(%s:%s(%s), { timeout = "1500ms" })', m[1],
                self:one { "above", "below", "at_least" }, m[2])
        else
            self:line('    sleep "%s"', self:time(1, 2500))
        end
    end
    self:line "end)"
end

function World:expectation(number)
    local m = self:one(self.metrics)
    local matcher = ("%s:%s(%s)"):format(m[1], self:one { "above", "below", "at_least",
        "at_most", "equals" }, m[2])
    local over = self:maybe(0.2, 'over = "%ds"', self:int(1, 5))
    local window = self:maybe(0.3, '%s = { after = "%ds", lasting = "%ds" }',
        self:one { "during", "except" }, self:int(1, 15), self:int(1, 20))
    local forms = {
        ("always = %s, %s%s"):format(matcher, over, window),
        ("never = %s, %s%s"):format(matcher, over, window),
        ("sometimes = %s, %s%s"):format(matcher, over, window),
        ("at_end = %s, %s"):format(matcher, over),
        ('eventually = %s, after = "%ds", within = "%ds", %s%s'):format(matcher, self:int(0, 20),
            self:int(1, 20), self:maybe(0.5, 'holding = "%ds"', self:int(1, 5)), over),
    }
    self:line('expect "%d of chance" { %s severity = "warn" }', number, self:one(forms))
end

--- Faults, operators and expectations; the last that is done to a world.
function World:break_it()
    for _ = 1, self:int(2, 14) do self:line(self:fault(false) .. " -- drawn") end
    for i = 1, self:int(0, 2) do self:operator(i) end
    for i = 1, self:int(1, 4) do self:expectation(i) end
    for i, text in ipairs(self.histories) do
        if self:chance(0.4) then
            self:line('expect "history %d" { %s, severity = "warn" }', i, text)
        end
    end
    for _, text in ipairs(self.rest) do self:line(text) end
end

function World:text()
    local head = ('scenario "%s %d" { duration = "%ds" }\n'):format(self.kind, self.number,
        QUIET + self.settle)
    return head .. table.concat(self.lines, "\n") .. "\n"
end

--- What the users of a world see of something, as all have it.
function World:watch(name, is_traffic)
    self:metric(name .. ".errors.ratio", ('"%s"'):format(self:share()))
    self:metric(name .. ".latency.p99", ('"%s"'):format(self:time(1, 500)))
    self:metric(name .. ".rate", ('"%d/s"'):format(self:int(1, 200)))
    self:metric(name .. ".in_flight", tostring(self:int(0, 50)))
    self:settled(name .. " has nothing under way", name .. ".in_flight:equals(0)")
    if is_traffic then self:has("traffic", name) end
end

---@param kind string  names the world in the scenario's sentence
---@param number integer
function M.world(kind, number)
    math.randomseed(number)
    return setmetatable({ kind = kind, number = number, lines = {}, metrics = {}, rest = {},
        acts = {}, histories = {}, spared = {}, settle = 60, quiet = QUIET,
        of = { node = {}, ends = {}, place = {}, host = {}, traffic = {} } }, World)
end

return M
