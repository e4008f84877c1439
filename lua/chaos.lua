--- The word `chaos`: faults drawn from a set, within a budget.
---
---     chaos "bad weather" {
---       fault.kill { web, mtbf = "3m", lasting = "20s" },
---       fault.latency { link(web, db), mtbf = "1m", lasting = "10s", add = "50ms" },
---       together = 2, zones = 1, replicas = "34%", quiet = "30s",
---     }
---
--- A fault with `mtbf` is a kind of fault that comes now and then: instants are drawn for it at
--- that mean distance (a Poisson process). All of a block are taken in the order of time, and one
--- that would go over the budget does not come. What comes is numbered and known before the run, so
--- that a plan shows it and `only` chooses from it; draws are keyed by block and fault, and nobody
--- else's move when one is added.
local diag = require "diag"
local fields = require "fields"
local handles = require "handles"
local schema = require "schema"
local units = require "units"
local words = require "words"

local M = {}
local POISON = diag.POISON
local COMES_MOST = 1000
local DRAWN_MOST = 100000 -- of one fault of the set

--- How many replicas or nodes a component has, and the field that says so.
local SIZES = { service = "replicas", balancer = "replicas", gateway = "replicas",
    database = "nodes", cache = "nodes", consensus = "nodes", store = "nodes", broker = "nodes",
    consumers = "members" }

local function size_of(component)
    local field = SIZES[component.kind]
    return field and (component.fields[field] or component.kind == "consensus" and 3
        or component.kind == "store" and 3 or 1)
end

local function places_of(place)
    local list = {}
    if place.kind == "zone" then
        list[1] = place.region.name .. "/" .. place.region.zones[place.zone]
    elseif place.kind == "region" then
        for i, zone in ipairs(place.zones) do list[i] = place.name .. "/" .. zone end
    elseif place.kind == "host" and place.fields.zone then return places_of(place.fields.zone)
    elseif place.kind == "host" then list[1] = "host " .. place.name
    else list[1] = place.kind .. " " .. (place.name or "") end
    return list
end

--- Zones of a component's replicas `first` to `last`: replica i stands in zone i mod n.
local function zones_of(component, first, last)
    local place = component.fields and (component.fields.on or component.fields.spread)
    local all = place and places_of(place) or {}
    if #all == 0 then return { "default" } end
    local list, seen = {}, {}
    for i = first, last do
        local zone = all[(i - 1) % #all + 1]
        if not seen[zone] then list[#list + 1] = zone end
        seen[zone] = true
    end
    return list
end

--- What stands in zones, of each component.
local function hits_in(state, zones)
    local hits, among = {}, {}
    for _, zone in ipairs(zones) do among[zone] = true end
    for _, component in ipairs(state.plan.components) do
        local n = 0
        for i = 1, size_of(component) or 0 do
            if among[zones_of(component, i, i)[1]] then n = n + 1 end
        end
        if n > 0 then hits[component] = n end
    end
    return hits
end

--- What a fault would touch if it hit `ordinal`, or all it names: its zones, and how many replicas
--- of which components. A link stands in no zone.
local function reach_of(state, facts, ordinal)
    local t = facts.a
    if t.kind == "link" then return { zones = {}, hits = {} } end
    if t.kind ~= "target" then
        local zones = places_of(t)
        return { zones = zones, hits = hits_in(state, zones) }
    end
    local size = size_of(t.component)
    if not size then return { zones = {}, hits = {} } end
    local one = ordinal or (t.ordinal or 0) > 0 and t.ordinal
    if one then
        return { zones = zones_of(t.component, one, one), hits = { [t.component] = 1 } }
    elseif t.target == "primary" then -- wherever it is by then
        return { zones = { "primary of " .. t.component.name }, hits = { [t.component] = 1 } }
    end
    local pick = facts.fields.pick or { "all", 0 }
    local hit = pick[1] == "one" and 1 or pick[1] == "count" and math.min(pick[2], size)
        or pick[1] == "share" and math.max(1, math.floor(size * pick[2] + 0.5)) or size
    return { zones = zones_of(t.component, 1, size), hits = { [t.component] = hit } }
end

--- Whether the block says which replica is hit: then it is known where it stands.
local function chooses(state, facts)
    local t, pick = facts.a, facts.fields.pick
    local kind = state.fault_kinds[facts.fault]
    local takes_one = false
    for _, word in ipairs(kind.targets) do takes_one = takes_one or word == "replica" end
    return kind.picks and takes_one and t.kind == "target" and t.target == "component"
        and (size_of(t.component) or 1) > 1 and (pick == nil or pick[1] == "one")
end

-- ---------------------------------------------------------------- drawing

--- Instants of one fault of the set, as candidates.
local function draw_instants(state, seed, block, index, out)
    local facts, t, k = block.set[index], block.from, 0
    local mean = facts.fields.mtbf
    repeat
        k = k + 1
        local u = state.C.chaos_unit(seed, facts.owner, 2 * k)
        t = t - mean * math.log(1 - u)
        if t < block.to then
            local at = math.floor(t / 1e6) * 1000000 -- so that people can write it
            out[#out + 1] = { facts = facts, index = index, k = k, at = at,
                stop = at + facts.fields.lasting }
        end
    until t >= block.to or k == DRAWN_MOST
end

local function count_keys(t)
    local n = 0
    for _ in pairs(t) do n = n + 1 end
    return n
end

--- One may always be hit: else there would be nothing to draw.
local function replicas_most(block, size)
    return math.max(1, math.floor((block.fields.replicas or 0.5) * size + 1e-9))
end

--- The first component of which a fault would hit too many beside those that are hit already.
local function too_many(state, block, hits, others)
    for _, component in ipairs(state.plan.components) do
        local n = hits[component]
        if n and n + (others[component] or 0) > replicas_most(block, size_of(component)) then
            return component
        end
    end
end

--- Whether there is room for one more beside those that are active.
local function fits(state, block, active, c, reach, target)
    local b, zones, targets, hits = block.fields, {}, {}, {}
    for _, a in ipairs(active) do
        for _, zone in ipairs(a.reach.zones) do zones[zone] = true end
        targets[a.target] = true
        for component, n in pairs(a.reach.hits) do hits[component] = (hits[component] or 0) + n end
    end
    for _, zone in ipairs(reach.zones) do zones[zone] = true end
    if targets[target] then return false end -- the same one twice at once says nothing more
    targets[target] = true
    if #active == 0 and block.over and c.at < block.over + (b.quiet or 0) then return false end
    local together = b.together or 1
    return #active < together and count_keys(zones) <= (b.zones or 1)
        and count_keys(targets) <= (b.targets or together)
        and not too_many(state, block, reach.hits, hits)
end

--- The replica it hits, by chance among those there is room for; nil: none.
local function choose(state, seed, block, active, c)
    local free = {}
    for i = 1, size_of(c.facts.a.component) do
        local text = ("%s.replica[%d]"):format(c.facts.a.component.name, i)
        local reach = reach_of(state, c.facts, i)
        if fits(state, block, active, c, reach, text) then free[#free + 1] = i end
    end
    if #free == 0 then return nil end
    local u = state.C.chaos_unit(seed, c.facts.owner, 2 * c.k + 1)
    return free[math.floor(u * #free) + 1]
end

local function target_of(facts, ordinal)
    if not ordinal then return facts.a, facts.a.text or facts.a.name or "" end
    local component = facts.a.component
    local text = ("%s.replica[%d]"):format(component.name, ordinal)
    return { kind = "target", target = "instance", component = component, ordinal = ordinal,
        text = text }, text
end

local function admit(state, seed, block, active, c)
    local facts, ordinal = c.facts, nil
    if chooses(state, facts) then
        ordinal = choose(state, seed, block, active, c)
        if not ordinal then return false end
    end
    c.ordinal = ordinal
    c.reach = reach_of(state, facts, ordinal)
    c.a, c.target = target_of(facts, ordinal)
    return ordinal ~= nil or fits(state, block, active, c, c.reach, c.target)
end

--- What comes of a block with this seed: facts of faults, in the order of time.
local function draw(state, seed, block)
    local candidates, active, come = {}, {}, {}
    for i = 1, #block.set do draw_instants(state, seed, block, i, candidates) end
    table.sort(candidates, function(x, y)
        if x.at ~= y.at then return x.at < y.at end
        return x.index < y.index or x.index == y.index and x.k < y.k
    end)
    block.over, block.refused = nil, 0
    for _, c in ipairs(candidates) do
        for i = #active, 1, -1 do
            if active[i].stop <= c.at then
                block.over = math.max(block.over or 0, active[i].stop)
                table.remove(active, i)
            end
        end
        if #come < (block.fields.most or COMES_MOST) and admit(state, seed, block, active, c) then
            active[#active + 1], come[#come + 1] = c, c
        else
            block.refused = block.refused + 1
        end
    end
    return come
end

--- Whether a block that says `only` means this one.
function M.is_wanted(only, number)
    if not only then return true end
    for _, n in ipairs(only) do
        if n == number then return true end
    end
    return false
end

--- Put what all blocks bring with this seed (nil: the run's) among the planned faults.
function M.expand(state, seed)
    local before = 0 -- of the sets of earlier blocks
    for _, block in ipairs(state.plan.chaos) do
        block.come = draw(state, seed, block)
        for number, c in ipairs(block.come) do
            if M.is_wanted(block.fields.only, number) then
                local f = {}
                for k, v in pairs(c.facts.fields) do f[k] = v end
                f.at, f.mtbf = c.at, nil
                if c.a ~= c.facts.a then f.pick = nil end
                state.plan.faults[#state.plan.faults + 1] = { kind = "fault", fault = c.facts.fault,
                    line = c.facts.line, fields = f, a = c.a, b = c.facts.b, text = c.facts.text,
                    family = before + c.index,
                    chaos = ("%s %d"):format(block.name, number) }
            end
        end
        before = before + #block.set
    end
end

--- Tell the world what could have come and did not.
function M.note_absent(state)
    for _, block in ipairs(state.plan.chaos) do
        if #block.come == 0 then state.C.chaos_barren(block.name) end
        local has_come = {}
        for number, c in ipairs(block.come) do
            if M.is_wanted(block.fields.only, number) then has_come[c.index] = true end
        end
        for i, facts in ipairs(block.set) do
            if not has_come[i] then
                state.C.chaos_absent(facts.fault, facts.a.text or facts.a.name or "")
            end
        end
    end
end

--- The same for a page about the plan, of which there may be several.
function M.plan(state, seed)
    local first = state.plan.chaos[1]
    if first and not first.come then M.expand(state, seed) end
end

-- ---------------------------------------------------------------- reading

local function read_set(state, body, ctx, f)
    local set = {}
    for i, v in ipairs(body) do
        local facts = v ~= POISON and handles.of(v)
        if v == POISON then
            f.broken = true
        elseif not facts or facts.kind ~= "fault" or not facts.is_drawn then
            state.diag.add { code = "LZ304", line = ctx.line, word = "chaos",
                text = ("%s: entry %d is %s"):format(ctx.what, i,
                    facts and facts.kind == "fault" and "a fault with a time of its own"
                    or handles.describe(v)),
                help = 'write fault.kill { web, mtbf = "3m", lasting = "20s" }' }
            f.broken = true
        else
            facts.is_claimed = true
            f.broken = f.broken or facts.broken
            set[#set + 1] = facts
        end
    end
    if #body == 0 then
        state.diag.add { code = "LZ102", line = ctx.line, word = "chaos",
            text = ctx.what .. " has no fault to draw from",
            help = 'write fault.kill { web, mtbf = "3m", lasting = "20s" } into it' }
        f.broken = true
    end
    return set
end

local function percent(share) return ("%g%%"):format(math.floor(share * 1000 + 0.5) / 10) end

--- One that is over the budget by itself would never come.
local function check_budget(state, block)
    for _, facts in ipairs(block.set) do
        local reach = reach_of(state, facts, chooses(state, facts) and 1 or nil)
        local zones = block.fields.zones or 1
        local of = too_many(state, block, reach.hits, {})
        local text, help
        if of then
            local hit, size = reach.hits[of], size_of(of)
            text = ("it hits %d of %d replicas of %s at once, and the budget is %s"):format(hit,
                size, of.name, percent(block.fields.replicas or 0.5))
            help = ('write replicas = "%d%%", or hit fewer'):format(
                math.ceil(hit / size * 100))
        elseif #reach.zones > zones then
            text = ("it touches %d zones at once, and the budget is %d"):format(#reach.zones, zones)
            help = ("write zones = %d, or hit less"):format(#reach.zones)
        end
        if text then
            state.diag.add { code = "LZ206", line = facts.line, word = facts.fault,
                text = ("%s would never come: %s"):format(facts.text, text), help = help }
        end
    end
end

local function check_span(state, block)
    local s = state.plan.scenario.fields
    block.from = block.fields.from or s.warmup or 0
    block.to = block.fields.to or s.duration
    if block.from >= block.to or block.to > s.duration then
        state.diag.add { code = "LZ206", line = block.line, path = { block.fields.to and "to"
            or "from" },
            text = ("%s may bring nothing: it lasts from %s to %s, the run to %s"):format(
                block.text, units.duration_text(block.from), units.duration_text(block.to),
                units.duration_text(s.duration)) }
    end
end

--- After the whole file is read: what was not known before.
function M.check_whole(state)
    for _, facts in ipairs(state.plan.drawn) do
        if not facts.is_claimed then
            state.diag.add { code = "LZ106", line = facts.line, word = facts.fault,
                text = facts.text .. " has `mtbf` and stands in no chaos",
                help = 'write it into chaos "name" { ... }, or give it `at`' }
        end
    end
    for _, block in ipairs(state.plan.chaos) do
        check_span(state, block)
        check_budget(state, block)
    end
end

--- `chaos "name" { ... }`
function M.word(state)
    return words.named(state, "chaos", function(name, body, line)
        local ctx = words.context(state, ('chaos "%s"'):format(name), line)
        local f = fields.read(ctx, schema.chaos, body)
        local block = { kind = "chaos", name = name, line = line, fields = f, text = ctx.what }
        block.set = read_set(state, body, ctx, f)
        for i, facts in ipairs(block.set) do
            local target = facts.a and (facts.a.text or facts.a.name) or ""
            facts.owner = ("%s/%s/%s/%d"):format(name, facts.fault, target, M.nth(block.set, i))
        end
        if not f.broken then state.plan.chaos[#state.plan.chaos + 1] = block end
    end)
end

--- The how many-th of its kind and target it is in the set: draws do not move with its place.
function M.nth(set, i)
    local n = 0
    for k = 1, i do
        if set[k].fault == set[i].fault and set[k].a == set[i].a then n = n + 1 end
    end
    return n
end

return M
