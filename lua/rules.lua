--- What one field of a block says about another, by its kind: a function of (say, fields), where
--- say(code, field, text, help) complains, with %s for the block.
local alert = require "rules_alert"
local deploys = require "rules_deploy"
local schema = require "schema"
local units = require "units"

local M = {}

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

function M.balancer(say, f) check_auth(say, f) end

local function check_autoscale(say, f)
    if (f.min or 1) > f.max then
        say("LZ206", "autoscale", "`autoscale` of %s: `min` is above `max`")
    end
    local aim = f.target_cpu and "target_cpu" or f.target_rate and "target_rate"
        or f.target_in_flight and "target_in_flight"
    if f.by_hand and aim then
        say("LZ206", "autoscale", ("`autoscale` of %%s is `by_hand`, and has a `%s`"):format(aim),
            "one of them: with a target it follows the load, and web:scale(20) is where it goes on "
            .. "from")
    elseif not (f.by_hand or aim) then
        say("LZ102", "autoscale", "`autoscale` of %s has nothing to aim at",
            'write target_cpu = "50%", target_rate = "100/s" (of each replica) or '
            .. "target_in_flight = 20 (at each replica); or by_hand = true")
    end
    if f.cooldown and (f.scale_up or f.scale_down) then
        say("LZ206", "autoscale", "`autoscale` of %s has a `cooldown` and "
            .. (f.scale_up and "`scale_up`" or "`scale_down`"), "one of them: a cooldown is a "
            .. "pause after each decision, the others are Kubernetes' behavior")
    end
end

-- Of two times that are certain; a default is one.
local function check_cpu_time(say, f, service_time)
    local cpu = f.cpu_time
    if not cpu or cpu.dist ~= "constant" or service_time.dist ~= "constant"
        or cpu.a <= service_time.a then
        return
    end
    say("LZ206", "cpu_time", ("`cpu_time` of %%s is the part of `service_time` (%s) that takes the "
        .. "CPU, so at most that, got %s"):format(units.duration_text(service_time.a),
        units.duration_text(cpu.a)), ('write service_time = "%s" for a request that does nothing '
        .. "but compute"):format(units.duration_text(cpu.a)))
end

function M.service(say, f)
    check_auth(say, f)
    local usual = f.service_time or { dist = "constant", a = 1000000 }
    check_cpu_time(say, f, usual)
    for _, name in ipairs(deploys.versions(f)) do
        check_cpu_time(say, f.versions[name], f.versions[name].service_time or usual)
    end
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

function M.dns(say, f)
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

function M.gateway(say, f)
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

function M.topic(say, f)
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

local TRANSACTION_MAX = 15 * 60 * 1000000000

local function check_transaction_timeout(say, f)
    local is_long = (f.transaction_timeout or 0) > TRANSACTION_MAX
    if is_long then
        say("LZ206", "transaction_timeout", "`transaction_timeout` of %s: at most 15m, which is "
            .. "Kafka's transaction.max.timeout.ms",
            'brokers answer INVALID_TRANSACTION_TIMEOUT: write "15m" or less')
    end
    return is_long
end

function M.consumers(say, f)
    check_transaction_timeout(say, f)
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

local ALSO_MAX = 15 -- LZ_PRODUCER_ALSO_MAX

--- What a producer with a transactional id must not say, and what only it may.
local function check_transactional(say, f, not_own)
    if not f.transactional_id then
        for _, name in ipairs { "also_to", "transaction_timeout", "aborts" } do
            if f[name] ~= nil then
                say("LZ102", name, ("`%s` of %%s is of a producer with a `transactional_id`, which "
                    .. "is not there"):format(name), 'write transactional_id = "checkout"')
            end
        end
        return
    end
    for _, name in ipairs(not_own) do
        if f[name] ~= nil then
            say("LZ102", name, ("`%s` of %%s: a producer with a transactional id has none"):format(
                name), "it writes what waits, all at once, and tries until `overall_timeout`")
        end
    end
    if check_transaction_timeout(say, f) then return end
    if f.acks and f.acks ~= "all" then
        say("LZ206", "acks", '`acks` of %s: a producer with a transactional id needs "all"')
    elseif f.transactional_id == "" then
        say("LZ206", "transactional_id", "`transactional_id` of %s is empty")
    elseif #(f.also_to or {}) > ALSO_MAX then
        say("LZ206", "also_to", ("`also_to` of %%s: at most %d topics, got %d"):format(ALSO_MAX,
            #f.also_to))
    end
end

--- What traffic to a topic must not say, and what only it may.
local function check_producer(say, f)
    local is_topic = f.to and f.to.kind == "topic"
    local own, not_own, not_transactional = schema.of_producers()
    for _, row in ipairs(own) do
        if f[row[1]] ~= nil and f.to and not is_topic then
            say("LZ102", row[1], ("`%s` of %%s: only a topic is written to"):format(row[1]))
        end
    end
    if is_topic then check_transactional(say, f, not_transactional) end
    for _, name in ipairs(is_topic and not_own or {}) do
        if f[name] ~= nil then
            say("LZ102", name, ("`%s` of %%s: a producer to a topic has none"):format(name),
                "it has acks, retries, timeout, overall_timeout, backoff, keys and size")
        end
    end
    if f.transactional_id then
        return
    elseif is_topic and f.idempotent and f.acks and f.acks ~= "all" then
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

function M.traffic(say, f)
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

function M.process(say, f)
    check_real(say, f)
    for _, file in ipairs(f.files or {}) do
        if file[1]:find "^/" or ("/" .. file[1] .. "/"):find("/../", 1, true) then
            say("LZ206", "files", ("`files` of %%s: %s leads out of its folder"):format(file[1]))
        end
    end
end

function M.endpoint(say, f)
    check_real(say, f)
    if not f.url:find "^%a+://[^/%s]+" or not ("|http|https|tcp|"):find("|"
        .. f.url:match "^(%a+)" .. "|", 1, true) then
        say("LZ206", "url", ('`url` of %%s: expected "http://...", "https://..." or '
            .. '"tcp://host:port", got %s'):format(units.show(f.url)))
    elseif f.url:find "^tcp:" and not f.url:find "^tcp://[^/]+:%d+$" then
        say("LZ206", "url", "`url` of %s: a tcp:// needs a port", 'write "tcp://127.0.0.1:5432"')
    end
end

function M.probe(say, f)
    check_asking(say, f)
    local is_path = f.http and f.http:find "^/"
    if not f.of and (is_path or f.tcp == "") then
        say("LZ102", is_path and "http" or "tcp", "%s needs `of`: what is asked",
            "name a process or an endpoint, or write the whole address")
    elseif f.value and f.tcp then
        say("LZ102", "value", "`value` of %s: a connection has none")
    end
end

M.alert, M.rule = alert.alert, alert.rule

return M
