--- The words of a scenario: what its environment holds.
---
--- The top level of a scenario declares and does not act. Each word checks what it is given,
--- adds a block to the plan, and returns a handle; the plan is built into a world later
--- (build.lua). Words that act (`sleep`, `mark`, a fault without `at`) work inside `drive`
--- and handlers only.
local build_alert = require "build_alert"
local diag = require "diag"
local chaos = require "chaos"
local deploys = require "rules_deploy"
local dists = require "dists"
local expectations = require "expectations"
local faults = require "faults"
local fields = require "fields"
local handles = require "handles"
local params = require "params"
local schema = require "schema"
local shapes = require "shapes"
local units = require "units"
local use = require "use"
local words = require "words"

local M = {}
local POISON = diag.POISON
local context, named = words.context, words.named

--- What one field says about another; each is a function of (say, fields).
local RULES = {}

local function check_auth(say, f)
    local a = f.auth
    if not a or a.broken then return end
    local lifetime = a.lifetime or 3600000000000
    if a.renew and a.renew >= lifetime then
        say("LZ206", "auth", "`auth` of %s: `renew` must be below `lifetime`: a token would be "
            .. "renewed before there is one")
    elseif (a.holders or 0) > 10000 then
        say("LZ206", "auth", ("`auth` of %%s: at most 10000 holders, got %d"):format(a.holders))
    elseif a.cooldown and not a.refresh_on_unknown then
        say("LZ102", "auth", "`cooldown` of %s is about `refresh_on_unknown`, which is not there",
            "write refresh_on_unknown = true")
    end
end

function RULES.balancer(say, f) check_auth(say, f) end

local function check_autoscale(say, f)
    if (f.min or 1) > f.max then
        say("LZ206", "autoscale", "`autoscale` of %s: `min` is above `max`")
    end
    if not (f.target_cpu or f.target_rate or f.target_in_flight) then
        say("LZ102", "autoscale", "`autoscale` of %s has nothing to aim at",
            'write target_cpu = "50%", target_rate = "100/s" (of each replica) or '
            .. "target_in_flight = 20 (at each replica)")
    end
    if f.cooldown and (f.scale_up or f.scale_down) then
        say("LZ206", "autoscale", "`autoscale` of %s has a `cooldown` and "
            .. (f.scale_up and "`scale_up`" or "`scale_down`"), "one of them: a cooldown is a "
            .. "pause after each decision, the others are Kubernetes' behavior")
    end
end

function RULES.service(say, f)
    check_auth(say, f)
    if f.calls and f.handle then
        say("LZ111", "handle", "%s has both `calls` and `handle`",
            "a handler makes its calls itself: req:call { ... }")
    end
    if f.version and not (f.versions and f.versions[f.version]) then
        say("LZ206", "version", ('%%s has no version "%s"'):format(f.version),
            "its versions are declared in `versions`")
    end
    if f.autoscale and not f.autoscale.broken then check_autoscale(say, f.autoscale) end
    deploys.check(say, f)
end

function RULES.dns(say, f)
    local seen = {}
    for _, to in ipairs(f.answers or {}) do
        if seen[to] then
            say("LZ206", "answers", ("`answers` of %%s: %s stands there twice"):format(to.text))
        end
        seen[to] = true
    end
    if #(f.answers or {}) > 64 then
        say("LZ206", "answers", ("`answers` of %%s: at most 64, got %d"):format(#f.answers))
    end
    if f.weights and f.policy ~= "weighted" then
        say("LZ102", "weights", "`weights` of %s belong to the weighted policy",
            'write policy = "weighted"')
    elseif f.weights and #f.weights ~= #f.answers then
        say("LZ206", "weights", ("`weights` of %%s: one for each of the %d answers, got %d")
            :format(#f.answers, #f.weights))
    end
    local ttl, r = f.ttl or 60000000000, f.resolvers or {}
    if r.stale_at_most and r.stale_at_most < ttl then
        say("LZ206", "stale_at_most", "`stale_at_most` of %s is below `ttl`: nothing goes stale")
    end
    if r.count and r.count > 1000000 then
        say("LZ206", "count", ("`count` of resolvers of %%s: at most 1000000, got %d")
            :format(r.count))
    end
end

function RULES.gateway(say, f)
    check_auth(say, f)
    local cache = f.cache or {}
    local about = f.burst and "burst" or f.algorithm and "algorithm" or f.delay and "delay"
        or f.limit_status and "limit_status"
    if about and not f.limit then
        say("LZ102", about, ("`%s` of %%s is about `limit`, which is not there"):format(about),
            'write limit = "500/s"')
    elseif f.delay and f.algorithm ~= "leaky_bucket" then
        say("LZ206", "delay", "`delay` of %s: a bucket of tokens holds nobody back",
            'write algorithm = "leaky_bucket", or leave it out')
    elseif f.delay and f.delay > (f.burst or 0) then
        say("LZ206", "delay", ("`delay` of %%s: at most `burst` (%s), of which it is the part that "
            .. "passes at once, got %d"):format(f.burst or "not said: 0", f.delay))
    elseif f.limit and f.limit <= 0 then
        say("LZ206", "limit", "`limit` of %s lets nothing through", "leave it out for no limit")
    elseif f.burst == 0 and f.algorithm ~= "leaky_bucket" then
        say("LZ206", "burst", "`burst` of %s: a bucket of no token lets nothing through")
    end
    if (f.limit_status or 0) > 599 then
        say("LZ206", "limit_status", ("`limit_status` of %%s: a status is 100 to 599, got %d")
            :format(f.limit_status))
    end
    if cache.hit_ratio and (cache.ttl or cache.refresh or cache.entries) then
        say("LZ206", "hit_ratio", "`cache` of %s: it hits by `hit_ratio`, or by keys, not by both")
    end
    if (cache.entries or 0) > 10000000 then
        say("LZ206", "entries", ("`entries` of %%s: at most 10000000, got %d"):format(
            cache.entries))
    end
end

function RULES.topic(say, f)
    local nodes, copies = f.on and f.on.fields.nodes or 1, f.replication or 1
    if f.on and not f.on.broken and copies > nodes then
        say("LZ206", "replication",
            ("`replication` of %%s: %d copies need %d nodes, %s has %d"):format(copies, copies,
                f.on.text, nodes))
    elseif (f.min_isr or 1) > copies then
        say("LZ206", "min_isr",
            ("`min_isr` of %%s: %d is above `replication`, which is %d"):format(f.min_isr, copies))
    end
end

function RULES.consumers(say, f)
    if f.calls and f.handle then
        say("LZ111", "handle", "%s has both `calls` and `handle`",
            "a handler makes its calls itself: record:call { ... }")
    elseif f.session and f.rebalance then
        say("LZ111", "rebalance", "%s has both `session` and `rebalance`",
            "`rebalance` is the session by what people see of it: say one of them")
    end
    local session = f.session or f.rebalance or 45000000000
    if f.heartbeat and f.heartbeat >= session then
        say("LZ206", "heartbeat", "`heartbeat` of %s must be shorter than its session")
    end
    if f.protocol == "cooperative" and f.assignment and f.assignment ~= "sticky" then
        say("LZ206", "assignment", "`assignment` of %s: a cooperative group needs \"sticky\"",
            "leave `assignment` out")
    end
    local commit = f.commit
    if not commit or commit.broken then return end
    local each = commit.after == "batch" or commit.delivery == "at_most_once"
    if commit.every and each then
        say("LZ111", "every", "`commit` of %s has a period and commits with each batch",
            "leave `every` out")
    end
end

--- What traffic to a topic must not say, and what only it may.
local function check_producer(say, f)
    local is_topic = f.to and f.to.kind == "topic"
    local own, not_own = schema.of_producers()
    for _, row in ipairs(own) do
        if f[row[1]] ~= nil and f.to and not is_topic then
            say("LZ102", row[1], ("`%s` of %%s: only a topic is written to"):format(row[1]))
        end
    end
    for _, name in ipairs(is_topic and not_own or {}) do
        if f[name] ~= nil then
            say("LZ102", name, ("`%s` of %%s: a producer to a topic has none"):format(name),
                "it has acks, retries, timeout, overall_timeout, backoff, keys and size")
        end
    end
    if is_topic and f.idempotent and f.acks and f.acks ~= "all" then
        say("LZ206", "idempotent", "`idempotent` of %s needs acks = \"all\"")
    elseif is_topic and f.idempotent and (f.retries or 0) == 0 then
        say("LZ206", "idempotent", "`idempotent` of %s is about retries, and there are none",
            "write retries = 5")
    elseif is_topic and f.idempotent and (f.max_in_flight or 5) > 5 then
        say("LZ206", "max_in_flight",
            "`max_in_flight` of %s: an idempotent producer has at most 5 requests under way")
    end
end

--- Which fields of traffic do not go together: `field` with each of the others, and why.
local APART = {
    { "users", { "rate", "gaps", "batch", "session" },
        "users of a closed loop ask again when they are answered" },
    { "gaps", { "rate", "arrivals", "batch" }, "gaps say alone when requests come" },
}

function RULES.traffic(say, f)
    check_producer(say, f)
    local is_closed = f.arrivals == "closed"
    if is_closed and not f.users then
        say("LZ102", "arrivals", "%s has closed arrivals and needs `users`", 'write users = 50')
    elseif f.users and not is_closed then
        say("LZ102", "users", "`users` of %s belong to closed arrivals",
            'write arrivals = "closed"')
    elseif f.think and not is_closed and not f.session then
        say("LZ102", "think", "`think` of %s belongs to closed arrivals or a session",
            'write arrivals = "closed" and users, or session = { requests = 5 }')
    end
    for _, row in ipairs(APART) do
        local applies = f[row[1]] ~= nil and (row[1] ~= "users" or is_closed)
        for _, other in ipairs(applies and row[2] or {}) do
            if f[other] ~= nil and not (is_closed and other == "arrivals") then
                say("LZ111", other, ("%%s has both `%s` and `%s`"):format(row[1], other), row[3])
            end
        end
    end
    local session = f.session
    if session and session.broken then return end
    if session and (session.requests == nil) == (session.leave == nil) then
        say("LZ102", "session", "`session` of %s needs either `requests` or `leave`",
            "write session = { requests = 5 } or session = { leave = \"20%\" }")
    elseif session and session.leave == 0 then
        say("LZ206", "session", "`leave` of %s must be above 0, or nobody ever goes")
    end
end

--- What is asked, in one way.
local function check_asking(say, f, field)
    local ways = (f.http and 1 or 0) + (f.tcp and 1 or 0) + (f.command and 1 or 0)
    if ways ~= 1 then
        say("LZ102", field, ("%s of %%s needs one of `http`, `tcp` and `command`"):format(
            field and ("`%s`"):format(field) or "the question"),
            'write http = "/health", tcp = true or command = { "redis-cli", "ping" }')
    elseif f.status and not f.http then
        say("LZ102", "status", "`status` of %s is about `http`, which is not there")
    elseif f.ca_file and not f.http then
        say("LZ102", "ca_file", "`ca_file` of %s is about `http`, which is not there")
    elseif f.contains and f.tcp then
        say("LZ102", "contains", "`contains` of %s: a connection says nothing")
    end
end

local function check_real(say, f)
    for _, name in ipairs { "ready", "is_primary" } do
        if f[name] and not f[name].broken then check_asking(say, f[name], name) end
    end
end

function RULES.process(say, f)
    check_real(say, f)
    for _, file in ipairs(f.files or {}) do
        if file[1]:find "^/" or ("/" .. file[1] .. "/"):find("/../", 1, true) then
            say("LZ206", "files", ("`files` of %%s: %s leads out of its folder"):format(file[1]))
        end
    end
end

function RULES.endpoint(say, f)
    check_real(say, f)
    if not f.url:find "^%a+://[^/%s]+" or not ("|http|https|tcp|"):find("|"
        .. f.url:match "^(%a+)" .. "|", 1, true) then
        say("LZ206", "url", ('`url` of %%s: expected "http://...", "https://..." or '
            .. '"tcp://host:port", got %s'):format(units.show(f.url)))
    elseif f.url:find "^tcp:" and not f.url:find "^tcp://[^/]+:%d+$" then
        say("LZ206", "url", "`url` of %s: a tcp:// needs a port", 'write "tcp://127.0.0.1:5432"')
    end
end

function RULES.probe(say, f)
    check_asking(say, f)
    local is_path = f.http and f.http:find "^/"
    if not f.of and (is_path or f.tcp == "") then
        say("LZ102", is_path and "http" or "tcp", "%s needs `of`: what is asked",
            "name a process or an endpoint, or write the whole address")
    elseif f.value and f.tcp then
        say("LZ102", "value", "`value` of %s: a connection has none")
    end
end

-- Fields that a rule finds inside a block.
local IN_BLOCK = { stale_at_most = { "resolvers", "stale_at_most" },
    count = { "resolvers", "count" }, hit_ratio = { "cache", "hit_ratio" },
    entries = { "cache", "entries" }, every = { "commit", "every" } }

local function component_word(state, kind)
    return named(state, kind, function(name, body, line)
        local ctx = context(state, ('%s "%s"'):format(kind, name), line)
        local f = fields.read(ctx, schema[kind], body)
        for i, v in ipairs(body) do
            if v ~= POISON then
                state.diag.add { code = "LZ102", line = line, word = ('"%s"'):format(name),
                    text = ("%s: entry %d has no field name"):format(ctx.what, i) }
            end
        end
        local facts = { kind = kind, name = name, line = line, fields = f, broken = f.broken }
        state.plan.components[#state.plan.components + 1] = facts
        if RULES[kind] and not f.broken then
            RULES[kind](function(code, field, text, help)
                state.diag.add { code = code, line = line, path = IN_BLOCK[field] or { field },
                    at = "field", text = text:format(ctx.what), help = help }
            end, f)
        end
        for _, q in ipairs(kind == "prometheus" and f.queries or {}) do
            state.metrics.prometheus[q[1]] = { unit = "count" }
        end
        if schema.not_run[kind] then state.not_yet(line, ctx.what, kind) end
        return handles.component(state, facts)
    end)
end

local BURN_HELP = 'write rate = 14.4, or spends = "2%"'

--- What an alert's burn says must make a rate, and what is about `when` must have one.
function RULES.alert(say, f)
    local burn = f.burn
    if burn and burn.broken then return end
    if f.expr and (f.when or burn or f.over) then
        local other = f.when and "when" or burn and "burn" or "over"
        say("LZ111", "expr", ("%%s has both `expr` and `%s`"):format(other),
            "PromQL says all of it: write two alerts")
    elseif burn and f.when then
        say("LZ111", "burn", "%s has both `when` and `burn`", "write two alerts")
    elseif burn and (burn.rate == nil) == (burn.spends == nil) then
        say("LZ102", "burn", "`burn` of %s needs either `rate` or `spends`", BURN_HELP)
    elseif burn and burn.rate and burn.period then
        say("LZ102", "burn", "`period` of `burn` of %s is about `spends`, which is not there",
            BURN_HELP)
    elseif burn and f.over then
        say("LZ102", "over", "`over` of %s is about `when`: `burn` has its own")
    elseif burn and build_alert.burn_rate(burn) * (1.0 - burn.objective) >= 1.0 then
        say("LZ111", "burn", "`burn` of %s is never so high: more than all requests would have to "
            .. "fail", ("write a rate below %.10g"):format(1.0 / (1.0 - burn.objective)))
    end
end

--- How alerts are looked after: one for all of a file.
local function monitoring_word(state)
    return named(state, "monitoring", function(name, body, line)
        local f = fields.read(context(state, ('monitoring "%s"'):format(name), line),
            schema.monitoring, body)
        local list = state.plan.monitorings
        if #list > 0 then
            return state.diag.add { code = "LZ104", line = line, word = "monitoring",
                text = "a scenario has one monitoring, which looks after all alerts",
                also = { line = list[1].line, text = "the first is here" } }
        end
        list[1] = { kind = "monitoring", name = name, line = line, fields = f, broken = f.broken }
    end)
end

--- A region or a cloud: a place with zones.
local function place_word(state, kind)
    return named(state, kind, function(name, body, line)
        local f = fields.read(context(state, ('%s "%s"'):format(kind, name), line), schema[kind],
            body)
        local facts = { kind = kind, name = name, line = line, fields = f,
            zones = {}, broken = f.broken }
        for i, z in ipairs(f.zones or { "a" }) do
            if type(z) ~= "string" then
                return state.diag.add { code = "LZ205", line = line, path = { "zones" },
                    text = "zones are named by texts, got " .. units.kind_of(z),
                    help = 'write zones = { "a", "b", "c" }' }
            end
            facts.zones[i] = z
        end
        if #facts.zones == 0 then
            return state.diag.add { code = "LZ206", line = line, path = { "zones" },
                text = ('%s "%s" has no zone'):format(kind, name),
                help = "leave `zones` out, or name one" }
        end
        state.plan.regions[#state.plan.regions + 1] = facts
        return handles.region(state, facts)
    end)
end

local function host_word(state)
    return named(state, "host", function(name, body, line)
        local f = fields.read(context(state, ('host "%s"'):format(name), line), schema.host, body)
        local facts = { kind = "host", name = name, line = line, fields = f, text = name,
            broken = f.broken }
        state.plan.hosts[#state.plan.hosts + 1] = facts
        return handles.measured(state, facts)
    end)
end

--- The region of what is put nowhere, with the zones that are declared for it and no others.
local function default_region(state, line)
    for _, r in ipairs(state.plan.regions) do
        if r.name == "default" then return r end
    end
    local facts = { kind = "region", name = "default", line = line, fields = {}, zones = {},
        text = 'region "default"' }
    words.claim(state, "region", "default", line)
    state.plan.regions[#state.plan.regions + 1] = facts
    return facts
end

--- A zone by itself: one more of its region's.
local function zone_word(state)
    return named(state, "zone", function(name, body, line)
        local f = fields.read(context(state, ('zone "%s"'):format(name), line), schema.zone, body)
        if f.broken then return POISON end
        local of = f.region or default_region(state, line)
        for _, other in ipairs(of.zones) do
            if other == name then
                return state.diag.add { code = "LZ104", line = line, word = ('"%s"'):format(name),
                    text = ('%s has a zone "%s" already'):format(of.text, name),
                    help = ("it is written region.zone[\"%s\"]"):format(name) }
            end
        end
        of.zones[#of.zones + 1] = name
        return handles.zone(of, #of.zones)
    end)
end

local function scenario_word(state)
    return named(state, "scenario", function(name, body, line)
        if state.files.rank(line) > 1 then
            return state.diag.add { code = "LZ104", line = line, word = "scenario",
                text = "a module declares no scenario: the file that uses it does" }
        elseif state.plan.scenario then
            return state.diag.add { code = "LZ104", line = line, word = "scenario",
                text = "a file has one scenario",
                also = { line = state.plan.scenario.line, text = "the first is here" } }
        end
        local f = fields.read(context(state, "scenario", line), schema.scenario, body)
        state.plan.scenario = { name = name, line = line, fields = f, broken = f.broken }
        local function wrong(field, text)
            state.diag.add { code = "LZ206", line = line, path = { field }, text = text }
        end
        if f.warmup and f.warmup % 1000000000 ~= 0 then
            wrong("warmup", "`warmup` must be whole seconds, as windows are")
        elseif f.duration and f.warmup and f.warmup >= f.duration then
            wrong("warmup", "`warmup` must be shorter than `duration`: nothing would be judged")
        end
        if f.duration and f.duration < 1000000000 then
            wrong("duration", "`duration` must be at least 1s, one window")
        end
    end)
end

-- ---------------------------------------------------------------- calls, links

local CALLED = { service = true, balancer = true, database = true, consensus = true,
    gateway = true, cache = true,
    store = true, topic = true, dns = true }

local function call_word(state)
    return function(body)
        local line = state.line()
        if body == POISON then return POISON end
        if type(body) ~= "table" or getmetatable(body) then
            return state.diag.add { code = "LZ110", line = line, word = "call",
                text = "call needs a body in braces, got " .. units.kind_of(body),
                help = 'write call { db, "select item", timeout = "1s" }' }
        end
        local to = handles.of(body[1])
        local op = body[2]
        local what = "call"
        if body[1] == POISON then return POISON end
        if not to or not CALLED[to.kind] then
            return state.diag.add { code = "LZ304", line = line, word = "call",
                text = "call: the first entry is what is called, got " .. handles.describe(body[1]),
                help = 'write call { db, "select item", timeout = "1s" }' }
        end
        if op ~= nil and type(op) ~= "string" then
            return state.diag.add { code = "LZ205", line = line,
                text = "call: the second entry is the operation's name, got " .. units.kind_of(op) }
        end
        local f = fields.read(context(state, what, line), schema.call, body)
        return handles.plain { kind = "call", to = to, op = op, fields = f, line = line,
            text = "a call" }
    end
end

local function link_word(state)
    return function(a, b, more)
        local line = state.line()
        local body = type(a) == "table" and not getmetatable(a) and a or nil
        if more ~= nil or body and b ~= nil then -- it would be ignored, and nothing tested
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = ("link(a, b) measures what is there and takes nothing else, got %s too")
                    :format(handles.describe(body and b or more)),
                help = "give a link its fields in one table: link { api, db, latency = \"3ms\" }" }
        end
        if body and body[3] ~= nil then
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = "link: a link has two ends, got a third: " .. handles.describe(body[3]),
                help = "write a link for each pair" }
        end
        local from, to = body and body[1] or a, body and body[2] or b
        if from == POISON or to == POISON then return POISON end
        local x, y = words.as_target(from), words.as_target(to)
        if not words.is_somewhere(x) or not words.is_somewhere(y)
            or x.kind == "link" or y.kind == "link" then
            return state.diag.add { code = "LZ304", line = line, word = "link",
                text = ("link: expected two components or places, got %s and %s")
                    :format(handles.describe(from), handles.describe(to)),
                help = "write link(api, db) or link { api, db, latency = \"3ms\" }" }
        end
        local facts = { kind = "link", a = x, b = y, line = line, name = "link",
            text = ("link(%s, %s)"):format(x.text or x.name, y.text or y.name) }
        if body then
            facts.fields = fields.read(context(state, "link", line), schema.link, body)
            state.plan.links[#state.plan.links + 1] = facts
        end
        return handles.measured(state, facts)
    end
end

-- ---------------------------------------------------------------- the environment

local function add_later(state, env)
    for _, word in ipairs(schema.later) do
        local function say()
            state.diag.add { code = "LZ114", line = state.line(), word = word,
                text = ("`%s` is not part of this version"):format(word) }
            return POISON
        end
        env[word] = setmetatable({}, { __call = say, __index = say, lz_kind = word,
            __metatable = word })
    end
end

local function runtime_word(state, name)
    return function(...)
        local act = state.actions[name]
        if not state.running then
            return state.diag.add { code = "LZ503", line = state.line(), word = name,
                text = ("`%s` acts, and the top level only declares"):format(name),
                help = ("use it inside drive(\"name\", function() ... end)") }
        end
        return act(...)
    end
end

--- The names a scenario sees; `base` has what the sandbox gives of Lua itself.
function M.environment(state, base)
    local env = {}
    for k, v in pairs(base) do env[k] = v end
    env.scenario = scenario_word(state)
    for _, kind in ipairs { "region", "cloud" } do env[kind] = place_word(state, kind) end
    env.host, env.zone = host_word(state), zone_word(state)
    for _, kind in ipairs(schema.components) do env[kind] = component_word(state, kind) end
    env.monitoring = monitoring_word(state)
    env.call = call_word(state)
    env.link = link_word(state)
    env.dist = dists.word(state)
    env.shape = shapes.word(state)
    env.fault = faults.word(state)
    env.chaos = chaos.word(state)
    env.expect = expectations.expect_word(state)
    env.slo = expectations.slo_word(state)
    env.check = expectations.check_word(state)
    env.amplification = expectations.amplification_word(state)
    env.param = params.word(state)
    env.use = use.word(state)
    env.sorted = function(t) return base.pairs(t) end
    env.happened = function(name)
        if name == POISON then return POISON end
        if type(name) ~= "string" or name == "" then
            return handles.complain(state) { code = "LZ205", line = state.line(), word = "happened",
                text = "happened takes the text of a mark, got " .. units.kind_of(name),
                help = 'write happened "rolled back"' }
        end
        return handles.plain { kind = "mark", mark = name, text = ('happened "%s"'):format(name) }
    end
    env.dur = function(v)
        if v == POISON then return POISON end
        local ns, code, text, help = units.duration(v)
        if ns then return handles.dur(ns) end
        return handles.complain(state) { code = code, line = state.line(), word = "dur",
            text = "dur: " .. text, help = help }
    end
    env.drive = function(name, fn)
        words.declares(state, "drive")
        if name == POISON or fn == POISON then return end
        if type(name) ~= "string" or type(fn) ~= "function" then
            return state.diag.add { code = "LZ115", line = state.line(), word = "drive",
                text = "drive takes a name and a function",
                help = 'write drive("operator", function() ... end)' }
        end
        state.plan.drives[#state.plan.drives + 1] = { name = name, fn = fn, line = state.line() }
    end
    for _, name in ipairs { "sleep", "wait_until", "mark", "log", "now", "rand" } do
        env[name] = runtime_word(state, name)
    end
    add_later(state, env)
    return env
end

return M
