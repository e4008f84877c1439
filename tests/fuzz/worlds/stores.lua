--- Stores: objects with versions, parts and a lifecycle; items with partitions, throughput, regions
--- and copies as Dynamo has them.
local OBJECT = { "get", "head", "list", "put", "put_if_absent", "put_if_match", "delete",
    "versions", "restore" }
local ITEM = { "get", "head", "put", "put_if_absent", "put_if_match", "increment", "delete" }

local function call(w, name, kind)
    local op = w:one(kind == "object" and OBJECT or ITEM)
    local more = ""
    if op:find "^put" then
        more = ', value = req.key' .. (op == "put_if_match" and ", match = 3" or "")
            .. (w:chance(0.2) and (', value_size = "%dKiB"'):format(w:one { 1, 64, 20000 }) or "")
    elseif op == "increment" then
        more = ", value = 2"
    elseif op == "get" and kind ~= "object" and w:chance(0.5) then
        more = ", consistent = true"
    elseif op == "restore" then
        more = ', version = "null"'
    end
    w:line('      req:call { %s, "%s", key = req.key%s, timeout = "%s", %s}', name, op, more,
        w:time(30, 4000), w:maybe(0.3, "retries = %d", w:int(1, 3)))
end

local function transaction(w, name)
    w:line('      req:call { %s, "transact_write", timeout = "2s", %sactions = {', name,
        w:maybe(0.3, 'token = "t" .. req.key % 5'))
    w:line '        { "increment", key = req.key, value = -1, at_least = -50 },'
    w:line('        { "%s", key = req.key + 1000, value = 1 } } }', w:one { "put", "increment" })
    w:line('      req:call { %s, "transact_get", keys = { req.key, req.key + 1000 } }', name)
end

return function(w)
    w.settle = 150
    w:line 'local eu = region "eu" { zones = { "a", "b", "c" }, latency = "1ms" }'
    w:line 'local us = region "us" { zones = { "a", "b" }, latency = "1ms" }'
    for _, place in ipairs { "eu", "us", "eu.zone.a", "us.zone.a" } do w:has("place", place) end
    local names = {}
    for s = 1, w:int(1, 2) do
        local name, kind = "store" .. s, w:one { "object", "key_value", "key_value" }
        local is_object = kind == "object"
        local is_global = not is_object and w:chance(0.35)
        local is_quorum = not is_object and not is_global and w:chance(0.5)
        local nodes, n = w:int(1, 6), w:int(1, 5)
        local own
        if is_object then
            local keeps = w:one { "enabled", "suspended", "off", "off" }
            own = ('versioning = "%s", '):format(keeps)
                .. w:maybe(0.3, 'part_size = "%dMiB"', w:int(5, 9))
                .. w:maybe(0.3, "parallel_parts = %d", w:int(1, 4))
                .. w:maybe(0.4, 'lifecycle = { expiration = "%ds", %sabort_uploads = "%ds", '
                    .. 'every = "%ds" }', w:int(1, 20), keeps ~= "off"
                    and ('noncurrent = "%ds", keep_noncurrent = %d, '):format(w:int(1, 20),
                        w:int(0, 2)) or "", w:int(1, 9), w:int(1, 9))
        else
            own = w:maybe(0.4, "partitions = %d", w:int(1, 8))
                .. w:maybe(0.4, "read_capacity = %d, write_capacity = %d", w:int(1, 200),
                    w:int(1, 200))
                .. w:maybe(0.2, "adaptive = false")
                .. w:maybe(0.4, 'consistency = "%s"', w:one { "strong", "eventual" })
                .. (is_global and ("regions = { eu, us }, lag = %s, "):format(w:dist(1, 1500))
                    or "")
                .. (is_quorum and ("quorum = { n = %d, w = %d, r = %d, %s%s%s%s%s}, "):format(n,
                    w:int(1, n), w:int(1, n), w:one { "", "sloppy = true, ",
                        "hinted_handoff = false, " }, "", w:maybe(0.5, "read_repair = true"),
                    w:maybe(0.4, "write = %s", w:dist(0, 40)),
                    w:maybe(0.3, "read = %s", w:dist(0, 20)))
                    or "")
            if is_quorum then nodes = math.max(nodes, n) end
        end
        w:line('local %s = store "%s" { kind = "%s", nodes = %d, %s%s%s%s%s}', name, name, kind,
            nodes, is_global and "" or "spread = eu, ", own,
            w:maybe(0.3, "get_time = %s", w:dist(0, 30)),
            w:maybe(0.3, "put_time = %s", w:dist(0, 60)),
            w:maybe(0.2, 'error_ratio = "%d%%"', w:int(1, 20)))
        local parts = {}
        for i = 1, nodes do parts[i] = ("%s.node[%d]"):format(name, i) end
        w:has("store", name, parts)
        w:watch(name)
        w:metric(name .. ".stale_reads", tostring(w:int(0, 50)))
        w:metric(name .. ".throttled", tostring(w:int(0, 50)))
        if is_object then
            w:act('%s:versioning "%s"', name, w:one { "enabled", "suspended" })
        end
        for _, kind_of in ipairs { "converges", "linearizable", "read_your_writes", "counter",
            "monotonic_writes", "writes_follow_reads" } do
            w:history(kind_of .. " = " .. name)
        end
        names[s] = { name, kind,
            has_transactions = not is_object and not is_quorum and not is_global }
    end
    for i, place in ipairs { "eu", "us" } do
        local web = "web" .. i
        w:line('local %s = service "%s" { on = %s, replicas = %d, handle = {', web, web, place,
            w:int(1, 3))
        w:line '    ["GET /"] = function(req)'
        for _ = 1, w:int(1, 4) do call(w, table.unpack(w:one(names))) end
        w:line '      return 200'
        w:line '    end,'
        w:line '    ["POST /"] = function(req)'
        for _, s in ipairs(names) do
            if s.has_transactions then transaction(w, s[1]) else call(w, s[1], s[2]) end
        end
        w:line '      return 200'
        w:line '    end } }'
        w:has("service", web, { web .. ".replica[1]" })
        w:watch(web)
        for _, op in ipairs { "GET", "POST" } do
            local name = op:lower() .. i
            w:line('local %s = traffic "%s" { to = %s, op = "%s /", rate = %s, timeout = "%s", '
                .. 'keys = dist.zipf { n = %d, skew = 1 } }', name, name, web, op, w:load(1, 50),
                w:time(500, 6000), w:one { 3, 50, 500 })
            w:watch(name, true)
        end
    end
end
