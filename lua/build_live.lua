--- Real programs, addresses and probes: into the world as components, and into the plan of a live
--- run (src/script/live_plan.h) as what they are.
local schema_history = require "schema_history"

local M = {}

local REAL = { process = true, endpoint = true, probe = true, prometheus = true }
local S = 1000000000
local SIGNALS = { HUP = 1, INT = 2, QUIT = 3, USR1 = 10, USR2 = 12, TERM = 15 }

function M.is_real(kind) return REAL[kind] == true end

local function wrong(state, code, line, text, help, path)
    state.diag.add { code = code, line = line, text = text, help = help, path = path,
        at = path and "field" or nil }
end

--- How many instances a component may have, and what its parts are called.
local function instances(c)
    local f = c.fields
    if c.kind == "cache" and f.mode == "sentinel" then
        return (f.nodes or 1) + ((f.sentinel or {}).count or 3), "nodes and sentinels"
    elseif c.kind == "consensus" or c.kind == "store" then
        return f.nodes or 3, "nodes"
    elseif c.kind == "service" or c.kind == "balancer" or c.kind == "gateway" then
        return f.replicas or 1, "replicas"
    end
    return f.nodes or 1, "nodes"
end

--- Which real thing stands for which instance.
function M.attach(state)
    for _, c in ipairs(state.plan.components) do
        local list = c.fields.live
        if c.kind ~= "traffic" and list then
            local count, what = instances(c)
            -- A store is somebody else's: its users see one address, whatever is behind it.
            if #list ~= count and not (c.kind == "store" and #list == 1) then
                return wrong(state, "LZ206", c.line, ("`live` of %s names %d, and it has %d %s")
                    :format(c.text, #list, count, what),
                    "name one for each, in their order", { "live" })
            end
            for i, one in ipairs(list) do
                if one.of then
                    return wrong(state, "LZ206", c.line, ("`live` of %s: %s stands for %s already")
                        :format(c.text, one.text, one.of.text), nil, { "live" })
                end
                one.of, one.ordinal = c, i
                if one.is_inline then
                    one.name = #list == 1 and c.name or ("%s-%d"):format(c.name, i)
                    one.text = ('%s "%s"'):format(one.kind, one.name)
                end
            end
        end
    end
end

-- What some component's `live` names.
local function attached(state)
    local list = {}
    for _, c in ipairs(state.plan.components) do
        for _, one in ipairs(c.kind ~= "traffic" and c.fields.live or {}) do list[one] = true end
    end
    return list
end

-- What of a plan is only real, though a simulation is asked about it: who, what is done, in which
-- line.
local function real_use(state)
    local known = attached(state)
    local function is_only_real(c) return c and REAL[c.kind] and not known[c] end
    for _, f in ipairs(state.plan.faults) do
        for _, h in ipairs { f.a, f.b } do
            local c = h.component or h
            if is_only_real(c) then return c, "is hit by a fault", f.line end
        end
    end
    for _, e in ipairs(state.plan.expectations) do
        local m = e.fields and e.operator and e.fields[e.operator]
        local c = type(m) == "table" and m.metric and m.metric.component
        if is_only_real(c) then return c, "is measured", e.line end
    end
end

-- A traffic that goes to something real, and something real if nothing is modelled.
local function unmodelled(state)
    local known, is_modelled, calls, alone = attached(state), false, nil, nil
    for _, c in ipairs(state.plan.components) do
        local to = c.kind == "traffic" and c.fields.to
        if to and REAL[to.kind] then calls = calls or c end
        if (c.kind == "process" or c.kind == "endpoint") and not known[c] then alone = c end
        is_modelled = is_modelled or not REAL[c.kind] and c.kind ~= "traffic"
    end
    return calls, not is_modelled and alone
end

--- Whether there is nothing that could be simulated.
function M.is_only_real(state)
    local calls, alone = unmodelled(state)
    return (calls or alone or real_use(state)) and true or false
end

--- Programs are not simulated. Those that nobody models, calls, hits or measures are left out, as
--- long as something else is modelled.
function M.check_simulated(state)
    local help = "`lorenz live` runs it; to simulate it too, name it in the `live` of a component "
        .. "that models it"
    local calls, alone = unmodelled(state)
    if alone then
        return wrong(state, "LZ701", alone.line, ("%s is real and cannot be simulated"):format(
            alone.text), help)
    elseif calls then
        local to = calls.fields.to
        return wrong(state, "LZ701", calls.line, ("%s goes to %s, which cannot be simulated")
            :format(calls.text, to.text), to.of and ("it stands for %s: write to = that"):format(
            to.of.text) or help, { "to" })
    end
    local c, what, line = real_use(state)
    if c then
        wrong(state, "LZ701", line, ("%s is real and cannot be simulated, and %s"):format(c.text,
            what), (c.kind == "process" or c.kind == "endpoint") and help or "`lorenz live` asks "
            .. "it; to simulate it too, expect it of the model and let the probe say what it "
            .. "`measures`")
    end
end

function M.create(C, c)
    local id, message = C.real(c.name, c.row, c.kind)
    if not id then return nil, message end
    c.queries = {}
    for i, q in ipairs(c.kind == "prometheus" and c.fields.queries or {}) do
        c.queries[i] = { name = q[1], promql = q[2], metric = C.real_query(id, q[1]) }
    end
    return id
end

-- ---------------------------------------------------------------- the plan

local function asking(f, defaults)
    return { http = f.http, tcp = f.tcp, command = f.command, status = f.status,
        ca_file = f.ca_file,
        contains = f.contains, value = f.value, every = f.every or defaults.every,
        timeout = f.timeout or S, fails = f.fails or 1, passes = f.passes or 1 }
end

local function protocol_of(f)
    return f.protocol or f.url and f.url:match "^(https?)://" or "tcp"
end

-- What is on the machine's own network is out of reach for who has left it.
local function check_apart(state, t, place, path)
    if not state.is_apart or not place or place:find("{{", 1, true) then return true end
    wrong(state, "LZ704", t.line, ("%s is at %s, on the machine's own network, which a run in "
        .. "namespaces does not reach"):format(t.text, place), "let a `process` be what it is, or "
        .. "leave `network` out", path)
end

local HAS_ROLES = { database = true, cache = true, consensus = true }

local function check_role(state, t)
    if not t.fields.is_primary or t.of and HAS_ROLES[t.of.kind] then return true end
    wrong(state, "LZ704", t.line, ("%s stands for %s, where nobody is the primary"):format(t.text,
        t.of and t.of.text or "itself"), "name it in the `live` of a database, cache or consensus "
        .. "group, or leave `is_primary` out", { "is_primary" })
end

local function add_target(state, C, t)
    if not check_role(state, t) then return end
    if not check_apart(state, t, t.fields.url, { "url" }) then return end
    local f, of = t.fields, t.of or t
    t.protocol = protocol_of(f)
    local index, message = C.live_target {
        name = t.name, line = state.files.outer(t.line), component = t.id or 0, of = of.id,
        ordinal = t.ordinal or 1, is_http = t.protocol ~= "tcp",
        is_tls = t.protocol == "https", is_v6 = f.family == "ipv6", url = f.url, run = f.run,
        setup = f.setup, env = f.env, files = f.files, cwd = f.cwd, user = f.user,
        port = f.listens or 0, ready = f.ready and asking(f.ready, { every = S // 10 }),
        primary = f.is_primary and asking(f.is_primary, { every = S // 4 }),
        ready_within = f.ready_within or 30 * S, grace = f.grace or 10 * S,
        stop_signal = SIGNALS[f.stop_signal or "TERM"], is_restarted = f.restart == "always",
        backoff = f.backoff or S,
    }
    if not index then return wrong(state, "LZ704", t.line, ("%s: %s"):format(t.text, message)) end
    t.index = index
end

--- The real things that a component is: its own, or what stands behind a door that is only
--- modelled.
local function reality(c, seen)
    if c.index then return { c } end
    if c.kind ~= "traffic" and c.fields.live then return c.fields.live end
    seen = seen or {}
    local behind = c.fields.to or c.kind == "topic" and c.fields.on or (c.fields.answers or {})[1]
    if not behind or seen[behind] or c.kind == "traffic" and seen[c] then return {} end
    seen[behind] = true
    return reality(behind, seen)
end

local function add_edge(state, C, from, client, to)
    local key = ("%d %d %d"):format(from and from.index or 0, from and 0 or client.id, to.index)
    if state.live_edges[key] then return end
    state.live_edges[key] = true
    C.live_edge { from = from and from.index or 0, to = to.index, client = client.id,
        server = (to.of or to).id, line = state.files.outer(client.line) }
    local server = to.of or to
    if to.protocol == "http" then server.is_seen, to.is_seen = true, true end
end

local function add_edges(state, C)
    for _, c in ipairs(state.plan.components) do
        for _, from in ipairs(c.kind ~= "traffic" and reality(c) or {}) do
            for _, call in ipairs(c.fields.calls or {}) do
                for _, to in ipairs(reality(call.to)) do add_edge(state, C, from, c, to) end
            end
        end
    end
    for _, t in ipairs(state.live_targets) do
        for _, other in ipairs(t.fields.connects or {}) do
            local list = reality(other)
            if #list == 0 then
                wrong(state, "LZ704", t.line, ("%s connects to %s, which is only modelled"):format(
                    t.text, other.text), "give that a `live`, or leave it out", { "connects" })
            end
            for _, to in ipairs(list) do
                if to == t then
                    wrong(state, "LZ704", t.line, ("%s connects to itself"):format(t.text), nil,
                        { "connects" })
                else
                    add_edge(state, C, t, t.of or t, to)
                end
            end
        end
    end
end

local function request_of(c)
    local f = c.fields.live or {}
    local method, path = (c.fields.op or "GET /"):match "^(%u+)%s+(/%S*)$"
    return f.method or method or f.path and "GET", f.path or path, f
end

-- What only HTTP has is of no use to a program.
local function check_command(state, c, f)
    for _, name in ipairs { "method", "path", "headers", "body", "ca_file", "http2", "if_match" } do
        if f[name] ~= nil then
            return wrong(state, "LZ704", c.line, ("%s is made by a command, and has no `%s`")
                :format(c.text, name), "take one of the two out", { "live" })
        end
    end
    return true
end

local READS = { GET = true, HEAD = true, OPTIONS = true, TRACE = true }

-- What is read cannot be written only if it is what was read.
local function check_condition(state, c, method)
    if not READS[method] then return true end
    return wrong(state, "LZ704", c.line, ("%s writes nothing by %s, and has no `if_match`"):format(
        c.text, method), 'a compare and set is a write: op = "PUT /{{key}}"', { "live" })
end

local function add_traffic(state, C, c)
    local list = reality(c.fields.to)
    local method, path, f = request_of(c)
    if f.command and not check_command(state, c, f) then return end
    if f.if_match and not check_condition(state, c, method) then return end
    if #list == 0 then
        return wrong(state, "LZ704", c.line, ("%s goes to %s, which is only modelled"):format(
            c.text, c.fields.to.text), "give that a `live`", { "to" })
    elseif not f.command and not (path and method) then
        return wrong(state, "LZ704", c.line, ("%s is no HTTP request: %s"):format(
            c.fields.op or "what it sends", c.text), 'write op = "GET /path", or live = { path = '
            .. '"/path" }', { "op" })
    end
    for _, to in ipairs(list) do
        if to.protocol == "tcp" and not f.command then
            return wrong(state, "LZ704", c.line, ("%s sends HTTP, and %s is not said to speak it")
                :format(c.text, to.text), 'write protocol = "http" there, or for what speaks '
                .. 'something else live = { command = ... }')
        end
        add_edge(state, C, nil, c, to)
    end
    c.is_seen = true
    C.live_traffic { component = c.id, line = c.row, method = method, path = path, body = f.body,
        command = f.command, headers = f.headers, ca_file = f.ca_file, http2 = f.http2,
        connections = f.connections, if_match = f.if_match }
end

local function add_probe(state, C, c)
    local f = asking(c.fields, { every = S })
    local place = f.http and f.http:find "^%a+://" and f.http
        or type(f.tcp) == "string" and f.tcp ~= "" and f.tcp
    if not check_apart(state, c, place) then return end
    f.name, f.component, f.line = c.name, c.id, c.row
    f.of = c.fields.of and c.fields.of.index or 0
    f.reads = c.fields.reads and c.fields.reads.id or 0
    C.live_probe(f)
end

local function add_prometheus(state, C, c)
    if not check_apart(state, c, c.fields.url, { "url" }) then return end
    C.live_prometheus { name = c.name, component = c.id, line = c.row, url = c.fields.url,
        every = c.fields.every or S, timeout = c.fields.timeout or S, queries = c.queries }
end

--- Everything real, once all components are in the world.
function M.build(state, C)
    if not state.live then return end
    state.live_edges, state.live_targets = {}, {}
    state.is_apart = state.plan.scenario.fields.network == "namespaces"
    if state.is_apart then C.live_namespaces() end
    for _, c in ipairs(state.plan.components) do
        if c.kind == "process" or c.kind == "endpoint" then
            state.live_targets[#state.live_targets + 1] = c
        end
        for _, one in ipairs(c.kind ~= "traffic" and c.fields.live or {}) do
            if one.is_inline then state.live_targets[#state.live_targets + 1] = one end
        end
    end
    for _, t in ipairs(state.live_targets) do add_target(state, C, t) end
    if #state.diag.list > 0 then return end
    add_edges(state, C)
    for _, c in ipairs(state.plan.components) do
        if c.kind == "traffic" then add_traffic(state, C, c)
        elseif c.kind == "probe" then add_probe(state, C, c)
        elseif c.kind == "prometheus" then add_prometheus(state, C, c) end
    end
end

--- Once the metrics have their ids.
function M.build_aborts(state, C, matcher)
    for _, m in ipairs(state.live and state.plan.scenario.fields.abort_when or {}) do
        local built = matcher(state, C, m)
        if built then C.live_abort { matcher = built, text = m.text or m.mark } end
    end
end

-- ---------------------------------------------------------------- what is observed

local function why_unseen(c, path)
    if c.kind == "probe" then
        return path ~= "value" and "" or not c.fields.value and "write value = true" or ""
    elseif c.kind == "prometheus" or path == "up" or path == "restarts" then
        return ""
    elseif c.is_seen then
        return ""
    elseif c.kind == "process" or c.kind == "endpoint" or c.fields and c.fields.live then
        return "its requests are seen if protocol = \"http\" and something that is declared calls "
            .. "it"
    end
    return "nothing real stands for it"
end

--- In a live run: the metric that a probe has measured in place of the model's.
function M.stand_in(state, C, m)
    for _, c in ipairs(state.live and state.plan.components or {}) do
        local of = c.kind == "probe" and c.fields.measures
        if of and of.component == m.component and of.path == m.path and not m.replica then
            return C.metric(c.id, "value"), c.id
        end
    end
end

--- Whether a run records the history that an expectation is about; if not, says so.
function M.may_record(state, e)
    local c = e.fields[e.operator]
    if not state.live then return true end
    if e.operator == "fenced" then
        wrong(state, "LZ702", e.line, "`fenced` is judged by what a simulated resource was shown",
            "leave it out", { e.operator })
        return false
    end
    if #reality(c) > 0 then return true end
    wrong(state, "LZ702", e.line, ("`%s` is asked of %s, and nothing real stands for it"):format(
        e.operator, c.text), c.kind == "topic" and "give its broker a `live`" or nil,
        { e.operator })
    return false
end

local function mentions(c, blank)
    local f = c.fields.live or {}
    local texts = { f.path or c.fields.op or "", f.body or "" }
    for _, word in ipairs(f.command or {}) do texts[#texts + 1] = word end
    for _, text in ipairs(texts) do
        if text:find(blank, 1, true) then return true end
    end
    return false
end

-- Traffic that goes to a component.
local function senders(state, of)
    local list = {}
    for _, c in ipairs(state.plan.components) do
        local to = c.kind == "traffic" and c.fields.to
        if to and (to == of or to.of == of) then list[#list + 1] = c end
    end
    return list
end

-- A conditional write is a read and a cas of one key: of no other history.
local function check_alone(state, c, of, what)
    if not (c.fields.live or {}).if_match then return true end
    return wrong(state, "LZ702", c.line, ("%s has `if_match`, and what it does to %s is no write "
        .. "of one key (%s)"):format(c.text, of.text, what), "leave `if_match` out", { "live" })
end

-- Accounts are read all at once, of which a client is told nothing but what they hold.
local function check_accounts(state, C, e, of)
    for _, other in ipairs(state.plan.expectations) do
        if other ~= e and other.fields[other.operator] == of and other.operator ~= "conserved"
            and schema_history.models[other.operator] then
            return wrong(state, "LZ702", other.line, ("`%s` is of single keys of %s, and "
                .. "`conserved` of all of its accounts at once: a live run records one of them")
                :format(other.operator, of.text), "let another component stand for it too, with a "
                .. "`live` of the same address", { other.operator })
        end
    end
    local list = senders(state, of)
    for _, c in ipairs(list) do
        if not check_alone(state, c, of, "its accounts are all read at once") then return end
    end
    for _, c in ipairs(list) do
        local what = C.live_operation(of.id, c.fields.op or "")
        if what == "read" then return C.live_accounts(of.id) end
    end
    wrong(state, "LZ702", e.line, ("`conserved`: nobody reads what the accounts of %s hold"):format(
        of.text), 'traffic with an `op` such as "SELECT", whose answer is one number or names and '
        .. "numbers, does", { "conserved" })
end

-- Records are written by traffic that says which one it is, and read by a probe.
local function check_records(state, e, of)
    local list, is_read = senders(state, of), false
    for _, c in ipairs(list) do
        if not check_alone(state, c, of, "it appends a record") then return end
        if not mentions(c, "{{value}}") then
            return wrong(state, "LZ702", c.line, ("%s writes records to %s, and does not say which")
                :format(c.text, of.text), "write {{value}} into its path, body or command",
                { "live" })
        end
    end
    for _, c in ipairs(state.plan.components) do
        is_read = is_read or c.kind == "probe" and c.fields.reads == of
    end
    if #list > 0 and is_read then return end
    wrong(state, "LZ702", e.line, ("`log_intact`: nobody %s %s"):format(#list == 0 and "writes to"
        or "reads", of.text), #list == 0 and "traffic that goes to it, with a `live`, does"
        or ("a probe whose output lists its records does: reads = %s"):format(of.name),
        { "log_intact" })
end

--- Whether what is sent says which key it is about, and what it writes.
function M.check_history(state, C, e)
    if not state.live then return end
    local of, count = e.fields[e.operator], 0
    if e.operator == "conserved" then return check_accounts(state, C, e, of) end
    if e.operator == "log_intact" then return check_records(state, e, of) end
    for _, c in ipairs(senders(state, of)) do
        local what, writes, is_keyed = C.live_operation(of.id, c.fields.op or "")
        local lacks = is_keyed and not mentions(c, "{{key}}") and "{{key}}"
            or writes and not mentions(c, "{{value}}") and "{{value}}"
        if what ~= "write" and what ~= "cas" and not check_alone(state, c, of, what) then return end
        if what ~= "other" then count = count + 1 end
        if what ~= "other" and lacks then
            return wrong(state, "LZ702", c.line,
                ("%s is an operation of the history of %s (a %s), and does not say %s"):format(
                    c.text, of.text, what, lacks == "{{key}}" and "of which key"
                    or "what it writes"), ("write %s into its path, body or command"):format(
                    lacks), { "op" })
        end
    end
    if count == 0 then
        wrong(state, "LZ702", e.line, ("`%s`: nobody sends operations to %s"):format(e.operator,
            of.text), "traffic that goes to it, with an `op` such as \"GET /{{key}}\", does",
            { e.operator })
    end
end

--- Why a live run does not observe that metric; nil if it does.
function M.why_unobserved(state, C, m)
    if not state.live then return nil end
    local c = m.component
    -- Rules are evaluated here too, from what is observed.
    if c.kind == "alert" or c.kind == "rule" then return nil end
    local why
    if not REAL[c.kind] and not C.real_measured(m.path) or m.replica or not c.fields then
        why = "the model alone has it; a live run observes rate, errors, latency and in_flight"
    else
        why = why_unseen(c, m.path)
    end
    return why ~= "" and why .. "; what a program says of itself, probe { command = ..., "
        .. "value = true } asks" or nil
end

--- Whether a live run observes that metric; if not, says so.
function M.check_source(state, C, m, line)
    local why = M.why_unobserved(state, C, m)
    if why then wrong(state, "LZ702", line, ("%s has no live source"):format(m.text), why) end
    return not why
end

return M
