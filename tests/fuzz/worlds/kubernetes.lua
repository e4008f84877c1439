--- Clusters: deployments that are rolled out and scaled, budgets, drains, nodes that are lost, and
--- control planes that die. Faults are drawn here, for they take minutes.
---
--- Beside what holds for all worlds:
---
---   - no more pods are available than are wanted and the surge allows, whatever happens;
---   - where all that happens are drains, no fewer are than the budget of the service says;
---   - where all that happens are good deployments, no fewer than max_unavailable leaves;
---   - when all is over, all are there.
local MINUTES = 16

local function rounded(amount, of, is_up)
    local percent = amount:match '^"(%d+)%%"$'
    if not percent then return tonumber(amount) end
    local n = of * tonumber(percent) / 100
    return is_up and math.ceil(n) or math.floor(n)
end

--- How many more there may be, and how many fewer.
local function fenceposts(surge, unavailable, of)
    local more, fewer = rounded(surge, of, true), rounded(unavailable, of, false)
    return more, more == 0 and fewer == 0 and 1 or fewer
end

local function rest(w, text, ...) w.rest[#w.rest + 1] = text:format(...) end

local function expect(w, what, operator, matcher, ...)
    rest(w, 'expect "settled: %s" { %s = %s }', what, operator, matcher:format(...))
end

--- What is claimed of a service in a world in which only `what` happens.
local function claim(w, s, what)
    if s.is_rolled then
        expect(w, s.name .. " is never more than its surge allows", "always",
            "%s.replicas.available:at_most(%d)", s.name, s.most + s.more)
    end
    if what == "deploys" and s.fewer and not s.is_scaled then
        expect(w, s.name .. " is never less than it must be", "always",
            "%s.replicas.available:at_least(%d)", s.name, math.max(0, s.least - s.fewer))
    end
    if what == "drains" and s.budget and not s.is_scaled then
        expect(w, s.name .. " is never less than its budget says", "always",
            "%s.replicas.ready:at_least(%d)", s.name, s.budget)
    end
    expect(w, s.name .. " has all it wants", "at_end", "%s.replicas.ready:at_least(%d)", s.name,
        s.is_scaled and s.at_least or s.least)
end

--- pod-disruption-budget: a share of what must be is rounded up, of what may be missing too.
local function budget(w, s)
    if not w:chance(0.6) then return "" end
    local word = w:one { "min_available", "max_unavailable" }
    local amount = w:one { "0", "1", '"50%"', "2" }
    local n = rounded(amount, s.least, true)
    s.budget = word == "min_available" and math.min(n, s.least) or math.max(0, s.least - n)
    return ("disruption_budget = { %s = %s }, "):format(word, amount)
end

local function rollout(w, s)
    if not s.is_rolled then return "" end
    local text = 'versions = { v1 = {}, v2 = {}, bad = { fails = "' .. w:one { "start", "image" }
        .. '" } }, version = "v1", '
    s.more = 0
    if w:chance(0.25) then return text .. 'rollout = { strategy = "recreate" }, ' end
    local surge, unavailable = w:one { "0", "1", '"50%"', "2" }, w:one { "1", "1", '"34%"', "0" }
    if surge == "0" and unavailable == "0" then surge = "1" end
    s.more, s.fewer = fenceposts(surge, unavailable, s.most)
    return text .. ('rollout = { max_surge = %s, max_unavailable = %s, min_ready = "%ds" }, ')
        :format(surge, unavailable, w:int(0, 15))
end

local function service(w, number)
    local s = { name = "s" .. number, least = w:int(1, 5) }
    s.is_rolled, s.is_scaled = w:chance(0.7), w:chance(0.4)
    s.at_least = math.min(s.least, 3)
    s.most = s.is_scaled and w:int(5, 9) or s.least
    local scaled = s.is_scaled and ('autoscale = { min = %d, max = %d, target_cpu = 0.5, '
        .. 'startup = "%ds" }, concurrency = 4, '):format(s.at_least, s.most, w:int(0, 20))
        or ("replicas = %d, "):format(s.least)
    w:line('local %s = service "%s" { %s, service_time = "10ms", %s%s%s%s%s%s%s%s}', s.name, s.name,
        w:chance(0.15) and "on = rack" or "spread = eu", scaled,
        w:maybe(0.5, 'startup = "%ds"', w:int(0, 30)),
        w:maybe(0.5, 'readiness = { period = "2s", failure_threshold = 1 }'),
        w:maybe(0.3, 'liveness = { period = "3s", initial_delay = "40s" }, restart = "always"'),
        w:maybe(0.5, 'pre_stop = "%ds"', w:int(0, 5)),
        w:maybe(0.5, 'endpoint_delay = "%ds"', w:int(0, 5)), budget(w, s), rollout(w, s))
    w:line('traffic "u%d" { to = %s, rate = shape.steps { { "0s", "%d/s" }, '
        .. '{ "%dm", "%d/s" }, '
        .. '{ "%dm", "%d/s" }, { "15m", "0/s" } }, '
        .. 'timeout = "1s", %s}', number, s.name, w:int(5, 30), w:int(2, 4),
        w:int(20, 100), w:int(6, 9), w:int(5, 30), w:maybe(0.5, 'health = { by = "endpoints" }'))
    return s
end

local function deploy(w, s, number, is_good)
    local first = w:one { "v1", "v2", is_good and "v2" or "bad" }
    w:line('drive("d%d", function() sleep "%ds"; %s:deploy "%s"; sleep "%ds" '
        .. 'while not %s:deploy "%s" do sleep "5s" end end)', -- no API answers: it is asked again
        number, w:int(30, 500), s.name, first, w:int(1, 200), s.name, w:one { "v1", "v2" })
end

local ALL = { "down", "down", "drain", "drain", "kill", "pause", "stop", "evict", "partition",
    "control_plane_down", "crash_loop", "spot_interruption", "deploy", "deploy",
    "capacity_shortage", "registry_outage", "bad_deploy" }
local PLACES = { "eu.zone.a", "eu.zone.b", "eu.zone.c", "eu", "rack" }
local OF_EU = { control_plane_down = true, capacity_shortage = true, registry_outage = true }

local function happen(w, all, what, number)
    local s = w:one(all)
    local kind = what == "drains" and "drain" or what == "deploys" and "deploy" or w:one(ALL)
    if kind == "deploy" or kind == "bad_deploy" and not s.is_rolled then
        if s.is_rolled then deploy(w, s, number, what == "deploys") end
        return
    end
    local target = w:one(PLACES)
    if OF_EU[kind] then target = "eu" end
    if kind == "partition" then target = w:one { "eu.zone.a", "eu.zone.b", s.name } .. ", api" end
    if kind == "crash_loop" or kind == "bad_deploy" then target = s.name end
    if kind ~= "drain" and kind ~= "spot_interruption" and target == "rack" then
        target = w:one { s.name, s.name .. ".replica[1]" }
    end
    local how = kind == "bad_deploy" and 'version = "bad", '
        or not OF_EU[kind] and kind ~= "partition"
        and w:maybe(0.3, "pick = %s", w:one { "1", '"50%"', "2" }) or ""
    w:line('fault.%s { %s, %sat = "%ds", lasting = "%ds" } -- drawn', kind, target, how,
        w:int(30, 600), w:int(5, 200))
end

return function(w)
    w.settle = MINUTES * 60
    local what = w:one { "drains", "deploys", "all", "all", "all" }
    local is_calm = what ~= "all"
    local has_plane = not is_calm and w:chance(0.4)
    w:line('local eu = region "eu" { zones = { "a", "b", "c" }, %s}', (is_calm or has_plane
        or w:chance(0.6)) and ('node_lifecycle = { toleration = "%ds", room = %d, %s}, '):format(
        w:int(0, 120), w:int(0, 8), w:maybe(0.5, 'lease_renew = "0s"')) or "")
    w:line 'local far = region "far" {}'
    w:line('local rack = host "rack" { zone = eu.zone.b }')
    w:line('local api = service "api" { replicas = %d, spread = %s, %s}', w:one { 1, 3 },
        w:one { "eu", "far" }, has_plane and "control_plane_of = eu" or "")
    local all = {}
    for i = 1, w:int(2, 3) do all[i] = service(w, i) end
    for i = 1, w:int(3, 9) do happen(w, all, what, i) end
    if has_plane and w:chance(0.5) then
        w:line('fault.kill { api, at = "%ds", lasting = "%ds" }', w:int(30, 400), w:int(20, 200))
    end
    for _, s in ipairs(all) do claim(w, s, what) end
    function w.break_it(me) -- there is enough
        for _, text in ipairs(me.rest) do me:line("%s", text) end
    end
end
