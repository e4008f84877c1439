--- What values look like at the prompt: objects as a person would want them, tables sorted and
--- elided, no line wider than the terminal.
---
--- ```
--- database "orders-db"   2 of 3 nodes up   a ✗  b ★  c ●
---   b 2 primary   c 3 standby, 12 records (30ms) behind
---   rate 392/s   p50 10.9ms   p99 35.5ms   errors 0 %
--- ```
---
--- `state.width` is how many columns there are; `state.ascii` asks for 7-bit characters.
local build = require "build"
local handles = require "handles"
local node = require "build_node"
local units = require "units"

local M = {}

--- Windows of a second that a metric at the prompt looks back: LZ_PROMPT_WINDOWS.
local RECENT = 10
local SHOWN_MAX = 20
local DEPTH_MAX = 3

local MARKS = { up = "●", paused = "◌", dead = "✗", lost = "✗", starting = "○", stopping = "○",
    leads = "★", out = "◐" }
local PLAIN_MARKS = { up = "o", paused = "=", dead = "x", lost = "x", starting = ".",
    stopping = ".", leads = "*", out = "-" }

--- What a row of each kind's parts is called.
local PARTS = { database = "node", cache = "node", consensus = "node", broker = "node",
    store = "node", topic = "partition", consumers = "member", service = "replica",
    balancer = "replica", gateway = "replica" }

-- ---------------------------------------------------------------- lines that fit

local function width_of(text) return utf8.len(text) or #text end

--- At most that many columns, ending in an ellipsis if there was more.
function M.fit(state, text, columns)
    if width_of(text) <= columns then return text end
    local mark = state.ascii and "..." or "…"
    local stop = utf8.offset(text, columns - width_of(mark) + 1)
    return text:sub(1, stop - 1) .. mark
end

local function pad(text, columns) return text .. (" "):rep(columns - width_of(text)) end
local function pad_left(text, columns) return (" "):rep(columns - width_of(text)) .. text end

--- Parts, three blanks between two, on as many lines as they need, each indented.
local function flow(state, lines, parts, indent)
    local line = nil
    for _, part in ipairs(parts) do
        local longer = line and line .. "   " .. part
        if longer and width_of(longer) <= state.width then
            line = longer
        else
            lines[#lines + 1] = line
            line = M.fit(state, indent .. part, state.width)
        end
    end
    lines[#lines + 1] = line
end

local function elide(parts, what)
    if #parts <= SHOWN_MAX then return parts end
    local out = table.move(parts, 1, SHOWN_MAX, 1, {})
    out[#out + 1] = ("... %d more %s"):format(#parts - SHOWN_MAX, what)
    return out
end

-- ---------------------------------------------------------------- components

--- Replicas by zone: `a ●● b ●`, in the order of their zones, without places where nobody stands.
local function by_zone(state, list, leads)
    local marks = state.ascii and PLAIN_MARKS or MARKS
    local zones, order = {}, {}
    for n, i in ipairs(list) do
        if not i.absent then
            if not zones[i.zone] then zones[i.zone] = {}; order[#order + 1] = i.zone end
            local mark = i.state == "up" and (leads[n] and marks.leads or i.out and marks.out)
                or marks[i.state]
            table.insert(zones[i.zone], mark)
        end
    end
    table.sort(order)
    local parts = {}
    for _, zone in ipairs(order) do
        local text = table.concat(zones[zone])
        if #zones[zone] > SHOWN_MAX then
            local up = 0
            for _, mark in ipairs(zones[zone]) do
                if mark == marks.up or mark == marks.leads then up = up + 1 end
            end
            text = ("%d of %d"):format(up, #zones[zone])
        end
        parts[#parts + 1] = (zone ~= "" and zone .. " " or "") .. text
    end
    return table.concat(parts, "  ")
end

local function count(state, n) return state.C.format(n, "count") end
local function seconds(state, s) return state.C.format(s, "seconds") end

--- What is told of one part, by kind: a text, or nothing where it is as usual.
local TELL = {}

function TELL.database(state, r)
    local text = r.role
    if r.rebuilding then text = text .. ", to be rebuilt" end
    if r.behind then
        text = ("%s, %s record%s%s behind"):format(text, count(state, r.behind),
            r.behind == 1 and "" or "s",
            r.lag and (" (%s)"):format(seconds(state, r.lag)) or "")
    end
    return text
end

function TELL.cache(state, r)
    return ("%s%s, %s entries%s%s"):format(r.role,
        r.shard and (" of shard %d"):format(r.shard) or "", count(state, r.entries),
        r.loading and ", loading a copy" or "", r.replaced and ", replaced" or "")
end

function TELL.consensus(state, r)
    return ("%s, term %s, commit %s of %s"):format(r.role, count(state, r.term),
        count(state, r.commit), count(state, r.last))
end

function TELL.broker(state, r)
    return ("leads %s of %s partitions%s"):format(count(state, r.leads), count(state, r.hosts),
        r.fenced and ", fenced" or "")
end

function TELL.topic(_, r)
    local who = r.leader == 0 and "offline" or ("leader %d"):format(r.leader)
    local behind = r.isr ~= r.replicas and " of " .. r.replicas or ""
    return ("%s, isr %s%s"):format(who, r.isr == "" and "-" or r.isr, behind)
end

function TELL.consumers(_, r)
    return ("%s, %d partitions%s"):format(r.phase, r.partitions, r.stalled and ", stalled" or "")
end

--- What is told of the component as a whole.
local SUM = {}

function SUM.database(_, own)
    local what = {}
    if own.many_masters then what[1] = "many masters"
    elseif own.promoting then what[1] = "no primary: one is being promoted"
    elseif own.suspect then what[1] = "the primary is silent"
    elseif not own.writable then what[1] = "no primary that may write" end
    if own.restoring then what[#what + 1] = "being restored" end
    what[#what + 1] = ("%d of %d connections"):format(own.connections, own.connections_max)
    if own.transactions > 0 then
        what[#what + 1] = ("%d transactions"):format(own.transactions)
    end
    if own.timeline > 0 then what[#what + 1] = ("timeline %d"):format(own.timeline) end
    return what
end

function SUM.cache(state, own)
    local watch = own.mode == "sentinel" and ("%d sentinels watch"):format(own.sentinels)
        or own.mode == "cluster" and "a cluster" or nil
    return { count(state, own.entries) .. " entries", state.C.format(own.bytes, "bytes"), watch }
end

function SUM.consensus(_, own)
    return { ("term %d"):format(own.term),
        own.leader > 0 and ("node %d leads"):format(own.leader) or "nobody leads",
        ("%d are a majority"):format(own.majority) }
end

local function partitions(own)
    return { ("%d partitions"):format(own.partitions), ("%d offline"):format(own.offline),
        ("%d under-replicated"):format(own.under_replicated) }
end

function SUM.broker(_, own)
    local what = partitions(own)
    what[#what + 1] = own.controller > 0 and ("controller at node %d"):format(own.controller)
        or "no controller"
    return what
end

function SUM.topic(_, own) return partitions(own) end

function SUM.consumers(state, own)
    return { own.phase, ("generation %d"):format(own.generation),
        ("%s records behind"):format(count(state, own.lag)) }
end

--- The metrics that a person asks a component for first, as far as it has them.
local FIRST = { { "rate", "rate" }, { "p50", "latency.p50" }, { "p99", "latency.p99" },
    { "errors", "errors.ratio" }, { "hits", "hit_ratio" }, { "cpu", "cpu" },
    { "queue", "queue.length" }, { "lag", "lag.time" }, { "in flight", "in_flight" } }

local function first_metrics(state, id, kind)
    local values = {}
    for _, row in ipairs(FIRST) do
        if state.metrics[kind] and state.metrics[kind][row[2]] then
            local metric = state.C.metric(id, row[2])
            local text = metric and metric ~= 0 and state.C.recent(metric)
            if text then values[#values + 1] = row[1] .. " " .. text end
        end
    end
    return values
end

--- By number: who leads.
local function leaders(rows)
    local leads = {}
    for n, r in pairs(rows) do
        leads[n] = r.role == "primary" or r.role == "leader" or r.role == "master"
    end
    return leads
end

local function part_texts(state, kind, rows, list)
    local parts, tell = {}, TELL[kind]
    if not tell then return parts end
    for n, r in ipairs(rows) do
        local zone = kind ~= "topic" and list[n] and list[n].zone or ""
        local down = kind ~= "topic" and list[n] and list[n].state ~= "up"
            and list[n].state .. "; " or ""
        parts[n] = ("%s%d%s %s%s"):format(kind == "topic" and "p" or "", n,
            zone ~= "" and (" (%s)"):format(zone) or "", down, tell(state, r))
    end
    return parts
end

function M.component(state, facts)
    local C, lines = state.C, {}
    local kind, rows = facts.kind, C.begun() and C.status(facts.id) or { [0] = {} }
    local list = kind ~= "topic" and C.instances(facts.id) or {}
    local up, all = 0, 0
    for _, i in ipairs(list) do
        if i.state == "up" then up = up + 1 end
        if not i.absent then all = all + 1 end
    end
    local head = { facts.text }
    if kind ~= "traffic" and #list > 0 then
        head[2] = ("%d of %d %ss up"):format(up, all, PARTS[kind] or "instance")
        head[3] = by_zone(state, list, leaders(rows))
    end
    flow(state, lines, head, "")
    local own = SUM[kind] and C.begun() and SUM[kind](state, rows[0]) or {}
    local told = {}
    for i = 1, 4 do if own[i] then told[#told + 1] = own[i] end end
    flow(state, lines, told, "  ")
    local parts = part_texts(state, kind, rows, list)
    flow(state, lines, elide(parts, (PARTS[kind] or "part") .. "s"), "  ")
    flow(state, lines, first_metrics(state, facts.id, kind), "  ")
    return table.concat(lines, "\n")
end

--- `db.primary`, `web.replica[2]`: which those are right now.
local function target(state, h)
    local c = h.component
    if not c or not c.id or c.kind == "topic" then return h.text end
    local list, rows, parts = state.C.instances(c.id), state.C.status(c.id), {}
    local seen = 0
    for n, i in ipairs(list) do
        local role = rows[n] and rows[n].role
        local is_standby = role == "standby" or role == "replica"
        if is_standby then seen = seen + 1 end
        local is_meant = h.target == "instance" and h.ordinal == n
            or h.target == "primary" and role == "primary"
            or h.target == "replica" and is_standby and (h.ordinal == 0 or h.ordinal == seen)
        if is_meant then
            local told = TELL[c.kind] and rows[n] and ", " .. TELL[c.kind](state, rows[n]) or ""
            parts[#parts + 1] = ("%s %d%s: %s%s"):format(PARTS[c.kind] or "instance", n,
                i.zone ~= "" and " in " .. i.zone or "", i.state, told)
        end
    end
    if #parts == 0 then return h.text end
    local lines = {}
    flow(state, lines, elide(parts, "parts"), "  ")
    return M.fit(state, h.text, state.width) .. "\n" .. table.concat(lines, "\n")
end

-- ---------------------------------------------------------------- requests

--- The calls of a request in order, each by its last attempt.
local function hops(r)
    local by_call, order = {}, {}
    for _, s in ipairs(r.spans) do
        local hop = by_call[s.call]
        if not hop then
            hop = { call = s.call, attempts = 0 }
            by_call[s.call] = hop
            order[#order + 1] = hop
        end
        hop.attempts = hop.attempts + 1
        if not hop.span or s.attempt >= hop.span.attempt then hop.span = s end
    end
    table.sort(order, function(a, b) return a.call < b.call end)
    return order
end

--- How it ended is told where that is not just an error handed on from the next.
local function hop_text(state, hop, is_last)
    local s, notes = hop.span, {}
    if s.queue * 2 > s.latency and s.queue > 0 then
        notes[#notes + 1] = "queue " .. seconds(state, s.queue)
    end
    if s.outcome == "pending" then notes[#notes + 1] = "given up on"
    elseif s.outcome ~= "ok" and (is_last or s.outcome ~= "error") then
        notes[#notes + 1] = s.outcome
    end
    if hop.attempts > 1 then notes[#notes + 1] = ("try %d"):format(hop.attempts) end
    return #notes > 0 and ("%s (%s)"):format(s.component, table.concat(notes, ", "))
        or s.component
end

--- One line: `#96 204  POST /checkout  2.00s  504   web → checkout-api (queue 1.21s)`.
function M.request(state, r)
    local list = hops(r)
    local parts = {}
    for i, hop in ipairs(list) do
        if i > 6 then parts[#parts + 1] = ("... %d more"):format(#list - 6); break end
        parts[i] = hop_text(state, hop, i == #list)
    end
    local op = list[1] and list[1].span.op or ""
    local line = ("#%s  %s%s  %s   %s"):format(count(state, r.ordinal),
        op ~= "" and op .. "  " or "", pad_left(seconds(state, r.latency), 6),
        r.status > 0 and r.status or r.outcome,
        table.concat(parts, state.ascii and " -> " or " → "))
    return M.fit(state, line, state.width)
end

local function rows_of(state)
    return { lz_kind = "request", __metatable = "request", __name = "request",
        __tostring = function(r) return M.request(state, r) end }
end

local function wrap(state, list)
    state.request_meta = state.request_meta or rows_of(state)
    for _, r in ipairs(list) do setmetatable(r, state.request_meta) end
    return list
end

--- The list of `requests` knows what it is, so that an empty one can say why.
function M.requests(state)
    return setmetatable(wrap(state, state.C.requests()), { __metatable = "requests" })
end

local function key_function(state, by)
    if type(by) == "function" then return by end
    if type(by) ~= "string" then
        error(("top orders by the name of a field or by a function, got %s"):format(
            handles.describe(by)), 3)
    end
    return function(r)
        local v = r
        for name in by:gmatch "[^%.]+" do v = type(v) == "table" and v[name] or nil end
        if v == nil then
            error(("%s has no field `%s`"):format(type(r) == "table" and M.text(state, r, 1)
                or units.show(r), by), 4)
        end
        return v
    end
end

--- top(list, n, by): the n greatest by a field (or a function of a row), the greatest first.
function M.top(state)
    return function(list, n, by)
        if type(list) ~= "table" or handles.of(list) then
            error("top takes a list, as in top(requests, 5, \"latency\")", 2)
        end
        n = n or 10
        if math.type(n) ~= "integer" or n < 1 then
            error(("top takes how many, at least 1, got %s"):format(units.show(n)), 2)
        end
        local key = key_function(state, by or "latency")
        local rows = {}
        for i, r in ipairs(list) do
            local v = key(r)
            if type(v) ~= "number" then
                error(("top orders numbers: %s is %s"):format(units.show(by), units.show(v)), 2)
            end
            rows[i] = { r = r, v = v, i = i }
        end
        table.sort(rows, function(a, b)
            if a.v ~= b.v then return a.v > b.v end
            return a.i < b.i
        end)
        local out, seen = {}, {}
        for _, row in ipairs(rows) do -- a request may be kept as failed and as slow
            local id = handles.kind(row.r) == nil and type(row.r) == "table" and row.r.traffic
                and row.r.traffic .. "#" .. row.r.ordinal or row
            if #out < n and not seen[id] then
                out[#out + 1] = row.r
                seen[id] = true
            end
        end
        return out
    end
end

-- ---------------------------------------------------------------- metrics

function M.metric(state, m)
    if not m.is_metric then
        local prefix, names = m.path .. ".", {}
        for name in pairs(state.metrics[m.component.kind]) do
            if name:sub(1, #prefix) == prefix then names[#names + 1] = name:sub(#prefix + 1) end
        end
        table.sort(names)
        local lines = { m.text .. " has" }
        flow(state, lines, names, "  ")
        return table.concat(lines, "\n")
    end
    local id = build.metric(state.C, m)
    if not id or id == 0 then return m.text .. " is not measured" .. node.why_not(m, true) end
    local text, samples = state.C.recent(id, RECENT)
    if not text then return ("no sample in the last %ds"):format(RECENT) end
    local of = samples > 1 and (", %s samples"):format(count(state, samples)) or ""
    return ("%s      (last %ds%s)"):format(text, RECENT, of)
end

-- ---------------------------------------------------------------- tables

local function sorted_keys(t)
    local keys = {}
    for k in pairs(t) do keys[#keys + 1] = k end
    table.sort(keys, function(a, b)
        if math.type(a) and math.type(b) then return a < b end
        if math.type(a) or math.type(b) then return math.type(a) ~= nil end
        return tostring(a) < tostring(b)
    end)
    return keys
end

local function is_request(v) return type(v) == "table" and getmetatable(v) == "request" end

--- Rows of requests: one a line.
local function list_requests(state, t)
    local lines = {}
    if #t == 0 then return "no request's way has been kept yet; that begins after the warm-up" end
    for i, r in ipairs(t) do
        if i > SHOWN_MAX then
            lines[i] = ("... %d more; top(requests, 5, \"latency\") takes the slowest")
                :format(#t - SHOWN_MAX)
            break
        end
        lines[i] = M.request(state, r)
    end
    return table.concat(lines, "\n")
end

local function entries(state, t, depth)
    local parts, keys = {}, sorted_keys(t)
    for i, k in ipairs(keys) do
        if i > SHOWN_MAX then
            parts[#parts + 1] = ("... %d more"):format(#keys - SHOWN_MAX)
            break
        end
        local name = k == i and "" or (type(k) == "string" and k or "[" .. tostring(k) .. "]")
            .. " = "
        parts[#parts + 1] = name .. M.text(state, t[k], depth + 1)
    end
    return parts
end

local function table_text(state, t, depth)
    if depth >= DEPTH_MAX then return "{ ... }" end
    if is_request(t[1]) and depth == 0 then return list_requests(state, t) end
    local parts = entries(state, t, depth)
    if #parts == 0 then return "{}" end
    local line = "{ " .. table.concat(parts, ", ") .. " }"
    if not line:find "\n" and width_of(line) + depth * 2 <= state.width then return line end
    local indent = ("  "):rep(depth + 1)
    for i, part in ipairs(parts) do
        parts[i] = indent .. part .. (i < #parts and "," or "")
    end
    return "{\n" .. table.concat(parts, "\n") .. "\n" .. ("  "):rep(depth) .. "}"
end

local function first_line(text) return (text:gsub("\n.*", "")) end

--- A value as a person would want it. `depth`: how far inside a table; nil: it stands alone.
function M.text(state, v, depth)
    local h = handles.of(v)
    local text
    if h and h.kind == "metric" then text = M.metric(state, h)
    elseif h and h.kind == "target" then text = target(state, h)
    elseif h and h.kind == "host" and h.component_id then
        local lines = { handles.describe(v) }
        flow(state, lines, first_metrics(state, h.component_id, "host"), "  ")
        text = table.concat(lines, "\n")
    elseif h and h.id and handles.is_component(h) and h.fields then
        text = depth and h.text or M.component(state, h)
    elseif h then return handles.describe(v)
    elseif type(v) == "string" then return depth and units.show(v) or v
    elseif getmetatable(v) == "requests" then text = list_requests(state, v)
    elseif is_request(v) then return M.request(state, v)
    elseif type(v) == "table" and not getmetatable(v) then
        return table_text(state, v, depth or 0)
    elseif math.type(v) == "float" then return ("%.6g"):format(v)
    else return state.tostring(v) end
    return depth and first_line(text) or text
end

M.pad, M.pad_left, M.width_of, M.RECENT = pad, pad_left, width_of, RECENT
return M
