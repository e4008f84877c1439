--- Words that act on the running world: for `drive` bodies and handlers.
local ask = require "ask"
local build = require "build"
local build_node = require "build_node"
local handles = require "handles"
local members = require "members"
local replication = require "build_replication"
local transaction = require "transaction"
local sql = require "sql"
local units = require "units"

local M = {}

local function need(read, what, v, level)
    local value, _, text = read(v)
    if value == nil then error(("%s: %s"):format(what, text), level or 3) end
    return value
end

local function version_of(word, service, name, level)
    local number = type(name) == "string" and service.version_numbers[name]
    if number then return number end
    local names = {}
    for known in pairs(service.version_numbers) do names[#names + 1] = known end
    table.sort(names)
    error(("%s: %s has no version %s; %s"):format(word, service.text, units.show(name),
        #names > 0 and "its versions are " .. table.concat(names, " ")
        or "its versions are declared in `versions`"), level or 4)
end

--- Shares of a service's requests by version, as `route` is given them; what is left goes to the
--- version that serves at first.
local function route(C, service, shares)
    if type(shares) ~= "table" or getmetatable(shares) then
        error(('route takes shares by version, got %s: write %s:route { v2 = "5%%" }'):format(
            units.kind_of(shares), service.name), 4)
    end
    local list = {}
    for i = 1, service.version_count do list[i] = 0.0 end
    for name, share in pairs(shares) do
        local number = version_of("route", service, name, 5)
        local value, _, text = units.ratio(share)
        if value == nil then error(("route: share of %s: %s"):format(name, text), 4) end
        list[number] = value
    end
    local ok, message, code = C.route(service.id, list)
    if not ok and code == "outage" then return nil, message end -- the world says no
    if not ok then error("route: " .. message, 4) end
    return true
end

function M.install(state)
    local C = state.C
    state.facts_of = handles.of
    state.dist_numbers = {} -- of those that requests draw from, as C keeps them
    local a = {}

    -- What `sleep` is asked to last: nanoseconds, or the facts of a distribution to draw from.
    function a.sleep(d)
        local h = handles.of(d)
        if h and h.kind == "dist" then return h end
        return need(units.duration, "sleep", d)
    end

    function a.wait_until(matcher, opts)
        local h = handles.of(matcher)
        if h and h.kind == "alert" then h = handles.of(matcher.fired) end
        if not h or (h.kind ~= "matcher" and h.kind ~= "mark") then
            error(('wait_until: expected a matcher such as web.errors.ratio:above "1%%", got %s%s')
                :format(handles.describe(matcher), h and h.kind == "metric"
                    and (": for what it is now write %s:value()"):format(h.text) or ""), 2)
        end
        opts = opts or {}
        for key in pairs(opts) do
            if key ~= "timeout" and key ~= "over" then
                error(("wait_until has no option `%s`: it has timeout and over"):format(key), 2)
            end
        end
        local timeout = opts.timeout and need(units.duration, "wait_until timeout", opts.timeout)
            or -1
        local over = opts.over and need(units.duration, "wait_until over", opts.over) or 0
        local m, why = build.matcher(state, C, h)
        if not m then error("wait_until: " .. (why or "that metric is not measured"), 2) end
        return C.wait(m, over, timeout)
    end

    local function row() return state.files.outer(state.line() or 0) end

    -- Marks that components set: "P fired" of an alert P, "api deployed" of a service.
    local own_marks

    local function read_own_marks()
        local marks = {}
        for _, c in ipairs(state.plan.components) do
            for _, what in ipairs(c.kind == "alert" and handles.ALERT_MARKS
                or c.kind == "service" and c.fields.rollout and handles.ROLLOUT_MARKS or {}) do
                marks[("%s %s"):format(c.name, what)] = c
            end
        end
        return marks
    end

    function a.mark(name)
        local text = state.tostring(name)
        own_marks = own_marks or read_own_marks()
        local owner = own_marks[text]
        if owner then
            error(("mark: %s is set by %s %s itself: give it another name"):format(
                units.show(text), owner.kind, units.show(owner.name)), 2)
        end
        C.mark(text, row())
    end

    function a.log(text, ...)
        local args = table.pack(...)
        for i = 1, args.n do
            local h = handles.of(args[i])
            if h and h.kind == "metric" then args[i] = state.metric_text(h)
            elseif h then args[i] = handles.describe(args[i]) end
        end
        C.log(args.n > 0 and state.tostring(text):format(table.unpack(args, 1, args.n))
            or state.tostring(text), row())
    end

    function a.now() return handles.dur(C.now()) end
    function a.rand() return C.rand() end

    --- From its backups. What speaks against it is returned.
    function a.restore(db, options)
        options = options or {}
        for key in pairs(options) do
            if key ~= "at" then
                error(("restore has no option `%s`: it has at"):format(units.key(key)), 3)
            end
        end
        local at = options.at and need(units.duration, "restore: at", options.at, 4) or -1
        return C.restore(db.id, at)
    end

    --- Who leads from now on: a node, by default the best. What speaks against it is returned.
    function a.failover(db, options)
        options = options or {}
        if type(options) ~= "table" or getmetatable(options) then
            error(("failover takes a table such as { to = %s.node[2] }, got %s"):format(db.name,
                handles.describe(options)), 3)
        end
        for key in pairs(options) do
            if key ~= "to" then
                error(("failover has no option `%s`: it has to"):format(units.key(key)), 3)
            end
        end
        local to, node = options.to, nil
        if to ~= nil then
            local h = handles.of(to)
            local is_node = h and h.kind == "target" and h.component == db
                and h.target == "instance"
            if not is_node then
                error(("failover: `to` is a node of %s, such as %s.node[2], got %s"):format(
                    db.name, db.name, handles.describe(to)), 3)
            end
            node = h.ordinal
        end
        return replication.force(C, db, node)
    end

    function a.route(service, shares)
        local ok, why = route(C, service, shares) -- no tail call: errors count levels
        return ok, why
    end

    --- A build replaces what runs; nil: the same again. What speaks against it is returned.
    function a.deploy(service, version)
        if not service.fields.rollout then
            error(("deploy: %s is not rolled out: give it rollout = {}, or route its requests "
                .. "(route)"):format(service.text), 3)
        end
        local number
        if version ~= nil then number = version_of("deploy", service, version) end
        local ok, why, code = C.deploy(service.id, number)
        if not ok and code ~= "outage" then error("deploy: " .. why, 3) end
        return ok, why
    end

    --- So many replicas from now on. What speaks against it is returned.
    function a.scale(service, replicas)
        local by = service.fields.autoscale
        if not by then
            error(("scale: %s keeps the replicas that it has: give it an `autoscale`, which may be "
                .. "`by_hand`"):format(service.text), 3)
        end
        if math.type(replicas) ~= "integer" or replicas < 1 or replicas > 1000000 then
            error(("scale: replicas are a count from 1 on, got %s"):format(units.show(replicas)), 3)
        end
        local ok, why, code = C.scale(service.id, replicas)
        if not ok and code ~= "outage" and code ~= "full" then error("scale: " .. why, 3) end
        return ok, why
    end

    --- A fault that is in force ends now.
    function a.stop_fault(fault) return C.stop_fault(fault.id) end

    --- Older versions are kept from now on, or no more of them.
    function a.versioning(store, to)
        if to ~= "enabled" and to ~= "suspended" and to ~= "off" then
            error(('versioning takes "enabled" or "suspended", got %s'):format(units.show(to)), 3)
        end
        local ok, why = C.versioning(store.id, to)
        if ok then store.keeps_versions = to ~= "off" or store.keeps_versions end
        return ok, why
    end

    local RESHARD = { slots = true, from = true, to = true, batch = true, timeout = true }

    --- What is wrong with a cluster's slots begins to be put right.
    function a.fix(cache, options)
        if options ~= nil then
            error(("fix takes nothing: it looks at all slots, got %s"):format(
                handles.describe(options)), 3)
        end
        return C.fix_slots(cache.id)
    end

    --- Slots begin to go from one shard to another. What speaks against it is returned.
    function a.reshard(cache, options)
        if type(options) ~= "table" or getmetatable(options) then
            error(("reshard takes a table such as { slots = 4096, from = 1, to = 3 }, got %s")
                :format(handles.describe(options)), 3)
        end
        for key in pairs(options) do
            if not RESHARD[key] then
                error(("reshard has no option `%s`: it has slots, from, to, batch and timeout")
                    :format(units.key(key)), 3)
            end
        end
        for _, key in ipairs { "slots", "from", "to", "batch" } do
            local v = options[key]
            local is_left_out = v == nil and key == "batch"
            if not is_left_out and (math.type(v) ~= "integer" or v < 1 or v > 1000000) then
                error(("reshard: `%s` is a count from 1 on, got %s"):format(key, units.show(v)), 3)
            end
        end
        local timeout = options.timeout and need(units.duration, "reshard: timeout",
            options.timeout, 4) or 0
        return C.reshard(cache.id, options.slots, options.from, options.to, options.batch or 0,
            timeout)
    end

    members.add_to(a, C, handles)

    function state.record_handler(fn) return M.of_records(C, fn) end

    local function may_act(what)
        if not C.judges() then return end
        error(("LZ503: `%s` acts, and a check only looks at what has been"):format(what), 0)
    end
    local acting = { "mark", "route", "deploy", "scale", "failover", "restore", "reshard", "fix",
        "versioning", "stop_fault", table.unpack(members.order) }
    for _, name in ipairs(acting) do
        local act = a[name]
        a[name] = function(...)
            may_act(name)
            return act(...)
        end
    end

    function state.act_fault(facts)
        may_act(facts.text)
        local id, message = C.fault(build.fault(state, facts))
        if not id then error(message, 4) end
        facts.id = id
    end

    function state.metric_text(m)
        if not state.running then return m.text end
        local id = build.metric(C, m)
        return id ~= 0 and C.metric_now(id) or m.text
    end

    --- What it is, in seconds, shares, bytes or so many; nil without a sample.
    function state.metric_value(m)
        local id = build.metric(C, m)
        if id == 0 then
            error(("%s is not measured%s"):format(m.text, build_node.why_not(m, true)), 3)
        end
        return C.metric_value(id)
    end

    state.actions = a
end

--- What a handler is given. One object serves one coroutine, again and again.
local Request = {}
Request.__index = Request
Request.__metatable = "request"
Request.__name = "request"

local function result_of(ok, status, value, outcome, _, token)
    return { ok = ok, status = status, value = value, outcome = outcome, token = token }
end

--- The options of a call as they are now: a body may be a table that the script goes on with.
local function copied(v)
    if type(v) ~= "table" or getmetatable(v) then return v end
    local out = {}
    for k, one in next, v do out[k] = copied(one) end
    return out
end

--- Without what is called (1), the operation (2), the key and the value; and how many there are.
local function copy_options(body)
    local out, count = copied(body), 0
    out[1], out[2], out[3], out.key, out.value = nil, nil, nil, nil, nil
    for _, name in ipairs(ask.SAYS) do out[name] = nil end
    for _ in next, out do count = count + 1 end
    return out, count
end

local function is_equal(a, b)
    if a == b then return true end
    if type(a) ~= "table" or type(b) ~= "table" or getmetatable(a) ~= getmetatable(b) then
        return false
    end
    if getmetatable(a) then return getmetatable(a) == "duration" and a.ns == b.ns end
    for k, v in next, a do if not is_equal(v, b[k]) then return false end end
    for k in next, b do if a[k] == nil then return false end end
    return true
end

-- What each call says for itself; the rest of its table is of the way to call.
local IS_SAID = { true, true, true, key = true, value = true }
for _, name in ipairs(ask.SAYS) do IS_SAID[name] = true end

--- Does a body ask for just these options? Looked at in no order: it is all or nothing.
local function is_same(options, count, body)
    local seen = 0
    for k, v in next, body do
        if not IS_SAID[k] then
            if options[k] ~= v and not is_equal(options[k], v) then return false end
            seen = seen + 1
        end
    end
    return seen == count
end

--- The edge of a call made by a handler; made on first use and found again by what it says.
local function edge_for(state, req, body, verb)
    local level = verb and 3 or 4 -- of the script; call_word.c is above it
    local to = handles.of(body[1])
    if not to or not to.id then
        error("req:call: the first entry is what is called, got " .. handles.describe(body[1]),
            level)
    end
    local known = state.edges[req.service]
    if not known then known = {}; state.edges[req.service] = known end
    local op = verb or body[2] or ""
    local by_op = known[to]
    if not by_op then by_op = {}; known[to] = by_op end
    local known_as = by_op[op]
    if not known_as then known_as = {}; by_op[op] = known_as end
    for i = 1, #known_as do
        local e = known_as[i]
        if is_same(e.options, e.count, body) then return e.id end
    end
    local fields = require "fields"
    local before = #state.diag.list
    local f = fields.read({ state = state, what = "req:call", line = state.line() },
        fields.schema.call, body)
    for _, name in ipairs { "fallback", "optional", "transaction" } do
        if f[name] then
            error(("req:call has no `%s`: %s"):format(name, name == "transaction"
                and "write req:transaction({ db }, function(tx) ... end)"
                or "look at `.ok` of what it returns"), level)
        end
    end
    if f.broken or #state.diag.list > before then
        local d = table.remove(state.diag.list)
        error(d and d.text or "req:call is wrong", level)
    end
    local id, message = build.make_edge(state.C, f, req.service, to.id, op ~= "" and op or nil)
    if not id then error("req:call: " .. message, level) end
    local options, count = copy_options(body)
    known_as[#known_as + 1] = { id = id, options = options, count = count }
    return id
end

local ABANDONED = {}

-- A dot for the colon, or parentheses for the braces: what is called then stands where the request
-- or the table should.
local function misused(self, body)
    if type(self) ~= "table" or not rawget(self, "inner") then
        error("req:call is written with a colon: req:call { db, ... }", 3)
    end
    error(("req:call takes one table, in braces, as req:call { db, ... }; got %s"):format(
        handles.describe(body)), 3)
end

--- `req:call` of a table that was not seen lately, and every mistake; the word itself is C's
--- (call_word.c), which stands between this and the script.
local function call(self, body)
    local inner = type(self) == "table" and rawget(self, "inner")
    local is_table = type(body) == "table" and (getmetatable(body) == nil or not handles.of(body))
    if not inner or not is_table then misused(self, body) end
    local state = inner.state
    local id = edge_for(state, inner, body)
    local to, op = handles.of(body[1]), ask.op_of(body, state.tostring)
    if ask.is_one(to, body, op) then
        local result = ask.call(state.C, inner.task, id, body, op, self.key)
        return result -- no tail call: errors count levels
    end
    -- A bucket may begin to keep versions, and its calls then say more.
    local is_bucket = to.kind == "store" and to.fields.kind ~= "key_value"
    if not is_bucket then state.known_call(self, inner.task, body, id) end
    ask.check_key("`key`", body.key)
    return result_of(state.C.call(inner.task, id, body.key or self.key, body.value))
end

--- Several statements on one connection to a database: see transaction.lua.
function Request:transaction(body, f)
    return transaction.run(self.inner, body, f, { copy = copy_options, is_same = is_same })
end

--- How long a request sleeps or works: a duration, or a draw of its own from a distribution.
local function lasting(inner, what, d)
    local h = handles.of(d)
    if not h or h.kind ~= "dist" then return need(units.duration, what, d, 4) end
    local state = inner.state
    local number = state.dist_numbers[h]
    if not number then
        number = state.C.keep_dist(h)
        if number == 1 then state.dist_numbers = {} end -- there were too many: it began anew
        state.dist_numbers[h] = number
    end
    local task = inner.task
    if inner.drawn_by ~= task then inner.drawn_by, inner.drawn = task, 0 end
    inner.drawn = inner.drawn + 1
    return state.C.drawn(task, number, inner.drawn)
end

function Request:sleep(d)
    self.inner.state.C.pause(self.inner.task, lasting(self.inner, "req:sleep", d))
end

function Request:work(d)
    self.inner.state.C.work(self.inner.task, lasting(self.inner, "req:work", d))
end

--- An operation on its replica's disk, "read", "write" or "fsync"; false if it has failed.
function Request:disk(op)
    local inner = self.inner
    local C = inner.state.C
    if op ~= "read" and op ~= "write" and op ~= "fsync" then
        error(('req:disk: expected "read", "write" or "fsync", got %s'):format(units.show(op)), 2)
    end
    C.io(inner.task, op)
    return not C.io_failed(inner.task)
end

--- Until its caller gives up; nil if no caller has said when.
function Request:time_left()
    local inner = self.inner
    local left = inner.state.C.time_left(inner.task)
    return left >= 0 and handles.dur(left) or nil
end

--- The name of the version that serves it; nil if the service's versions do not.
function Request:version()
    local inner = self.inner
    local number = inner.state.C.task_version(inner.task)
    local names = inner.state.version_names[inner.service]
    return names and names[number]
end

--- Its class in queues, 0 to 7; 0 is served first.
function Request:priority()
    return self.inner.state.C.priority(self.inner.task)
end

--- One flight per replica and key; followers wait for it and share the outcome.
function Request:once(key, f)
    local inner = self.inner
    local state = inner.state
    local flights = state.flights[inner.instance]
    if not flights then flights = {}; state.flights[inner.instance] = flights end
    while flights[key] do
        local value = state.C.join(inner.task, flights[key].id)
        if value ~= ABANDONED then return value end
    end
    -- The leader's request may be cancelled while others wait for it: one of them takes over.
    local flight <close> = setmetatable({ id = state.C.flight() }, { __close = function(flight)
        if flights[key] ~= flight then return end
        flights[key] = nil
        state.C.land(flight.id, ABANDONED)
    end })
    flights[key] = flight
    local ok, value = pcall(f)
    if flights[key] == flight then flights[key] = nil end
    state.C.land(flight.id, ok and value or nil)
    if not ok then error(value, 0) end
    return value
end

sql.install(Request, edge_for)

--- What a handler's answer says beside its status.
local function answer_of(v)
    local kind = type(v)
    if math.type(v) == "integer" or kind == "string" or kind == "boolean" then return v end
    error(("a handler answers with an integer, a text or a boolean beside its status, got %s")
        :format(units.kind_of(v)), 0)
end

--- What a handler gives back: of consumers also nothing, or whether it was worked on.
local function status_of(v, is_record)
    if v == nil or is_record and v == true then return 200 end
    if is_record and v == false then return 500 end
    if math.type(v) == "integer" and v >= 100 and v <= 599 then return v end
    error((is_record and "a handler of records returns true, false or nothing, got %s"
        or math.type(v) == "integer"
            and "a handler returns a status from 100 to 599, got %s"
        or math.type(v) == "float" and "a handler returns a status, an integer such as 200 (not "
            .. "200.0; // divides without a fraction), got %s"
        or "a handler returns a status such as 200, got %s"):format(
            math.type(v) == "float" and v == v and tostring(v) or units.kind_of(v)), 0)
end

--- What consumers handle a record by: what it is given says more, and it may answer otherwise.
function M.of_records(C, fn)
    return function(req)
        local at
        req.partition, req.offset, req.value, at = C.record(req.inner.task)
        req.at = handles.dur(at)
        local status, answer = fn(req)
        return status_of(status, true), answer
    end
end

--- For serving.c, which does what is quick itself. What a coroutine's requests are known by
--- (`facts` tells what changes from one to the next), and what answers one if the handler's own
--- value does not.
function M.server(state)
    local C = state.C
    Request.call, state.known_call = C.caller(call)
    local function new(facts)
        local inner = setmetatable({ state = state, unseen = false, drawn_by = 0, drawn = 0 },
            { __index = facts })
        return setmetatable({ inner = inner }, Request)
    end
    local function conclude(req, status, answer)
        local inner = req.inner
        status = inner.unseen and sql.unseen(state, inner) or status_of(status)
        if answer ~= nil then C.say(inner.task, answer_of(answer)) end
        return status
    end
    return new, conclude
end

--- In a live run nothing of the model can be acted upon.
function M.only_real(state)
    for _, name in ipairs { "route", "deploy", "scale", "failover", "restore", "reshard", "fix",
        "versioning", table.unpack(members.order) } do
        state.actions[name] = function()
            error(("LZ704: `%s` acts on the model, and nothing of it runs in a live run"):format(
                name), 3)
        end
    end
end

return M
